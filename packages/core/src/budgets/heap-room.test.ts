/** The room on the heap: what is alive, not what was allocated. */
import { describe, expect, it } from 'vitest'
import { NO_METER } from '../metrics.js'
import { Budget } from './budget.js'
import { HeapRoom } from './heap-room.js'
import { boundsOfHeap } from './node-budgets.js'

const KIB = 1_024

function setUp(max = 100 * KIB) {
  const counted: unknown[] = []
  const meter = { ...NO_METER, count: (...call: unknown[]) => void counted.push(call) }
  const heap = new HeapRoom(max, meter)
  const options = { quota: 'recordBytesMax', max: Infinity, what: 'bytes of records' }
  return { heap, counted, budget: new Budget({ meter, heap }, options) }
}

describe('the room on the heap', () => {
  it('is what is left by the last collection and by what was accepted since', () => {
    const { heap, budget, counted } = setUp()
    heap.collected(60 * KIB)
    budget.take('10.0.0.1', 30 * KIB)
    expect(heap.used).toBe(90 * KIB)
    expect(budget.refusal('10.0.0.1', 11 * KIB)).toEqual({
      code: 'limit_exceeded',
      message: 'the node has no memory for more: its heap is as full as it may be',
      details: { quota: 'heap', max: 100 * KIB, over: 'node' },
    })
    expect(counted).toEqual([['rollcall_limit_refusals_total', 1, 'heap']])
    expect(budget.refusal('10.0.0.1', 10 * KIB)).toBeUndefined()
  })

  it('comes back with what is given back, and with a collection', () => {
    const { heap, budget } = setUp()
    heap.collected(60 * KIB)
    budget.take('10.0.0.1', 40 * KIB)
    budget.give('10.0.0.1', 20 * KIB)
    expect(budget.refusal(undefined, 20 * KIB)).toBeUndefined()
    heap.collected(99 * KIB)
    expect(budget.refusal(undefined, 2 * KIB)).toBeDefined()
    heap.collected(10 * KIB)
    expect(budget.refusal(undefined, 80 * KIB)).toBeUndefined()
  })

  it('refuses nothing that adds nothing, however full it is', () => {
    const { heap, budget } = setUp()
    heap.collected(200 * KIB)
    expect([budget.refusal(undefined, 0), budget.refusal(undefined, -5)]).toEqual([undefined, undefined])
  })
})

describe('bounds by the size of the heap', () => {
  it.each([256, 1_024, 4_096, 65_536])('of %i MiB leave room, and are what was meant at 4 GiB', (mib) => {
    const { eventsMax, ...bytes } = boundsOfHeap(mib * KIB * KIB)
    const whole = Object.values(bytes).reduce((sum, max) => sum + max, 0)
    expect(whole).toBeLessThan(mib * KIB * KIB)
    expect(eventsMax * 2 * KIB).toBeLessThanOrEqual((mib * KIB * KIB) / 64)
    if (mib === 4_096) expect([bytes.historyBytesMax, eventsMax]).toEqual([64 * KIB * KIB, 10_000])
  })
})
