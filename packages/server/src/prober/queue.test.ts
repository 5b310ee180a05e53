/** The order and the bound of waiting probes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createProbeQueue } from './queue.js'

type Item = { readonly purpose: 'baseline' | 'evidence'; readonly dueMs: number }

const items = fc.array(
  fc.record({
    purpose: fc.constantFrom<'baseline' | 'evidence'>('baseline', 'evidence'),
    dueMs: fc.integer({ min: 0, max: 9 }),
  }),
  { maxLength: 60 },
)

describe('the queue of probes', () => {
  it('gives what is due, evidence first, each purpose in the order of its due times', () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 0, max: 9 }), (all, nowMs) => {
        const queue = createProbeQueue<Item>(100)
        for (const item of all) expect(queue.add(item)).toBeUndefined()
        const taken: Item[] = []
        for (let item = queue.take(nowMs); item !== undefined; item = queue.take(nowMs)) taken.push(item)
        const due = (purpose: Item['purpose']): Item[] =>
          all
            .filter((item) => item.purpose === purpose && item.dueMs <= nowMs)
            .sort((a, b) => a.dueMs - b.dueMs)
        expect(taken).toEqual([...due('evidence'), ...due('baseline')])
        const left = all.filter((item) => item.dueMs > nowMs)
        expect(queue.size).toBe(left.length)
        expect(queue.nextDueMs()).toBe(
          left.length === 0 ? undefined : Math.min(...left.map((item) => item.dueMs)),
        )
      }),
    )
  })

  it('stays within its bound and loses evidence only when no baseline waits', () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 1, max: 8 }), (all, sizeMax) => {
        const queue = createProbeQueue<Item>(sizeMax)
        const lost: Item[] = []
        for (const item of all) {
          const dropped = queue.add(item)
          if (dropped !== undefined) lost.push(dropped)
          expect(queue.size).toBeLessThanOrEqual(sizeMax)
        }
        const evidence = all.filter((item) => item.purpose === 'evidence').length
        const lostEvidence = lost.filter((item) => item.purpose === 'evidence').length
        expect(lost.length).toBe(Math.max(0, all.length - sizeMax))
        expect(lostEvidence).toBe(Math.max(0, evidence - sizeMax))
        // What is left still comes in order.
        let before = -1
        for (let item = queue.take(9); item !== undefined; item = queue.take(9)) {
          if (item.purpose === 'baseline' && before >= 0 && item.dueMs < before) expect.fail('out of order')
          before = item.purpose === 'baseline' ? item.dueMs : -1
        }
      }),
    )
  })

  it('forgets everything when cleared', () => {
    const queue = createProbeQueue<Item>(2)
    queue.add({ purpose: 'evidence', dueMs: 0 })
    queue.clear()
    expect(queue.size).toBe(0)
    expect(queue.take(10)).toBeUndefined()
  })
})
