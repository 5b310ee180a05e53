/** What is heard of other nodes' instances is told a few times a second, each instance once. */
import { describe, expect, it } from 'vitest'
import { type HeardRef, NO_METER, type PeerMessage } from '@rollcall/core'
import { HandClock } from '@rollcall/testkit/time'
import { createHeardOutbox } from './heard-outbox.js'

const ref = (id: string, incarnation = 1): HeardRef => ({
  namespace: 'default',
  service: 'orders',
  group: 'default',
  id,
  incarnation,
})

function outbox(options = {}) {
  const clock = new HandClock()
  const told: { node: string; message: PeerMessage }[] = []
  const dropped = { count: 0 }
  const meter = { ...NO_METER, count: () => void dropped.count++ }
  const links = { tell: (node: string, message: PeerMessage) => told.push({ node, message }) > 0 }
  return { clock, told, dropped, box: createHeardOutbox({ clock, meter, links }, options) }
}

describe('the outbox of signs of life', () => {
  it('tells each judge once, with the age of the oldest', () => {
    const { clock, told, box } = outbox()
    box.passOn('b', ref('1'))
    clock.advance(150)
    box.passOn('b', ref('1'))
    box.passOn('b', ref('2'), 200)
    box.passOn('b', ref('2', 2))
    box.passOn('c', ref('3'))
    expect(told).toEqual([])
    clock.advance(250)
    expect(told).toEqual([
      { node: 'b', message: { type: 'heard', agoMs: 450, refs: [ref('1'), ref('2'), ref('2', 2)] } },
      { node: 'c', message: { type: 'heard', agoMs: 250, refs: [ref('3')] } },
    ])
    clock.advance(10_000)
    expect(told).toHaveLength(2)
    expect(clock.timers).toEqual([])
  })

  it('lets what was heard long ago make nothing else look as old', () => {
    const { clock, told, box } = outbox()
    box.passOn('b', ref('1'))
    box.passOn('b', ref('2'), 14_000)
    clock.advance(400)
    expect(told.map(({ message }) => message)).toEqual([
      { type: 'heard', agoMs: 400, refs: [ref('1')] },
      { type: 'heard', agoMs: 14_400, refs: [ref('2')] },
    ])
  })

  it('holds no more than a bound, and nothing after it was closed', () => {
    const { clock, told, dropped, box } = outbox({ refsMax: 2 })
    for (const id of ['1', '2', '3', '1']) box.passOn('b', ref(id))
    expect(dropped.count).toBe(1)
    clock.advance(400)
    expect(told).toHaveLength(1)
    box.passOn('b', ref('1'))
    box.close()
    box.passOn('b', ref('1'))
    clock.advance(10_000)
    expect(told).toHaveLength(1)
    expect(clock.timers).toEqual([])
  })
})
