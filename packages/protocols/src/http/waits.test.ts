/** Places of long polls: each is given back, however the poll ends. */
import { EventEmitter } from 'node:events'
import { ANONYMOUS, Budget, type ChangeWait } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import type { Exchange } from './exchange.js'
import { Waits } from './waits.js'

function setUp() {
  const budget = new Budget({}, { quota: 'waitersMax', max: 1, what: 'waiting requests' })
  const waits = new Waits(budget)
  const socket = Object.assign(new EventEmitter(), { destroyed: false })
  const exchange = { req: { socket }, caller: { principal: ANONYMOUS, peer: 'p' }, patient: false }
  let end = (_changed: boolean): void => {}
  const begin = (): ChangeWait => {
    const changed = new Promise<boolean>((resolve) => (end = resolve))
    return { changed, cancel: () => end(false) }
  }
  const answered: string[] = []
  const hold = (answer = (): void => void answered.push('answer'), start = begin): Promise<void> =>
    waits.hold(exchange as unknown as Exchange, start, answer)
  return { budget, waits, socket, answered, hold, change: () => end(true) }
}

describe('the place of a long poll', () => {
  it('is taken while it waits, and is free after its answer', async () => {
    const { budget, answered, hold, change } = setUp()
    const held = hold()
    expect(budget.usedBy('p')).toBe(1)
    await expect(hold()).rejects.toMatchObject({ code: 'limit_exceeded', details: { quota: 'waitersMax' } })
    change()
    await held
    expect([budget.used, answered]).toEqual([0, ['answer']])
  })

  it('is free when its connection ends, without an answer', async () => {
    const { budget, socket, answered, hold } = setUp()
    const held = hold()
    socket.destroyed = true
    socket.emit('close')
    await held
    expect([budget.used, answered, socket.listenerCount('close')]).toEqual([0, [], 0])
  })

  it('is free when it could not begin, when its answer fails, and when the node stops', async () => {
    const { budget, waits, hold, change } = setUp()
    const fail = (): never => {
      throw new Error('planted')
    }
    await expect(hold(undefined, fail)).rejects.toThrow('planted')
    const held = hold(fail)
    change()
    await expect(held).rejects.toThrow('planted')
    const last = hold()
    waits.stop()
    await expect(last).rejects.toMatchObject({ code: 'stopping' })
    await expect(hold()).rejects.toMatchObject({ code: 'stopping' })
    expect(budget.used).toBe(0)
  })
})
