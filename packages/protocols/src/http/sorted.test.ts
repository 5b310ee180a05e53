/** Sorting in steps gives what sorting at once gives. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sortedInSteps } from './sorted.js'

const byNumber = (a: number, b: number): number => a - b

describe('sorting in steps', () => {
  it('gives the order of a sort', () => {
    const property = fc.property(fc.array(fc.nat(1_000), { maxLength: 2_000, size: 'max' }), (items) => {
      const found = [...sortedInSteps(items, byNumber)].filter((item) => item !== undefined)
      expect(found).toEqual(items.toSorted(byNumber))
    })
    fc.assert(property, { numRuns: 50 })
  })

  it('compares a bounded number of items in a step', () => {
    let compared = 0
    const items = Array.from({ length: 20_000 }, (_, index) => (index * 7_919) % 20_011)
    const steps = sortedInSteps(items, (a, b) => {
      compared++
      return a - b
    })
    let most = 0
    for (let before = 0; steps.next().done !== true; before = compared)
      most = Math.max(most, compared - before)
    // One run, n log n.
    expect(most).toBeLessThan(3_000)
    expect(compared).toBeGreaterThan(20_000)
  })
})
