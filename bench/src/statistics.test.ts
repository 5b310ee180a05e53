/** Medians, percentiles and ratios. */
import { describe, expect, it } from 'vitest'
import { percentile, ratioOf, spreadOf } from './statistics.js'

describe('statistics', () => {
  it('sums up rounds in any order', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, samples: [3, 1, 2] })
    expect(spreadOf([4, 1]).median).toBe(2.5)
    expect(() => spreadOf([])).toThrow(RangeError)
  })

  it('interpolates percentiles', () => {
    expect(percentile([1, 2, 3, 4, 5], 0.5)).toBe(3)
    expect(percentile([0, 10], 0.99)).toBeCloseTo(9.9)
    expect(percentile([], 0.5)).toBeNaN()
  })

  it('divides round by round, not median by median', () => {
    // Both sides were ten times slower in the last pair.
    expect(ratioOf([8, 9, 1], [10, 10, 1]).median).toBe(0.9)
    expect(() => ratioOf([1], [])).toThrow(RangeError)
  })
})
