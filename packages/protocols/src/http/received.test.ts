/** The bytes of request bodies: counted at once or as they come, and given back with the answer. */
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Budget } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { countBody } from './received.js'

function setUp() {
  const budget = (max: number): Budget => new Budget({}, { quota: 'receivedBytesMax', max, what: 'bytes' })
  const budgets = { received: budget(100_000), receivedShort: budget(25_000) }
  const answer = new EventEmitter()
  return {
    used: (): readonly number[] => [budgets.received.used, budgets.receivedShort.used],
    count: (stated?: number) => countBody(budgets, 'p', answer as ServerResponse, stated),
    close: () => answer.emit('close'),
  }
}

describe('a body', () => {
  it('of a stated length is held whole from its head until the answer is closed', () => {
    const { used, count, close } = setUp()
    const part = count(20_000)
    part(20_000)
    expect(used()).toEqual([20_000, 0])
    close()
    close()
    expect(used()).toEqual([0, 0])
  })

  it('that is short has room of its own', () => {
    const { used, count, close } = setUp()
    count(16_384)
    expect(used()).toEqual([0, 16_384])
    expect(() => count(16_384)).toThrow('as many bytes')
    close()
    expect(used()).toEqual([0, 0])
  })

  it('of no stated length is held as it comes, as far as there is room', () => {
    const { used, count, close } = setUp()
    const part = count()
    part(60_000)
    expect(() => part(60_000)).toThrow('as many bytes')
    expect(used()).toEqual([60_000, 0])
    close()
    expect(used()).toEqual([0, 0])
  })
})
