/** Measures and series of rounds. */
import { describe, expect, it } from 'vitest'
import { measureOf, Series } from './measure.js'

describe('a measure', () => {
  const samples = { name: 'requests', unit: '1/s', rollcall: [80, 90, 85], baseline: [100, 100, 100] }

  it('is judged by the median of its ratios', () => {
    expect(measureOf({ ...samples, target: { of: 'ratio', atLeast: 0.85 } }).met).toBe(true)
    expect(measureOf({ ...samples, target: { of: 'ratio', atLeast: 0.86 } }).met).toBe(false)
  })

  it('or by the median of its values', () => {
    expect(measureOf({ ...samples, target: { of: 'value', atMost: 85 } }).met).toBe(true)
    expect(measureOf({ ...samples, target: { of: 'value', atMost: 84 } }).met).toBe(false)
  })

  it('without a target or a baseline is only told', () => {
    const { name, unit, rollcall } = samples
    const told = measureOf({ name, unit, rollcall })
    expect(told.rollcall.median).toBe(85)
    expect(Object.keys(told)).toEqual(['name', 'unit', 'rollcall'])
  })

  it('that misses its target for lack of a baseline is not met', () => {
    const { name, unit, rollcall } = samples
    expect(measureOf({ name, unit, rollcall, target: { of: 'ratio', atLeast: 0 } }).met).toBe(false)
  })
})

describe('a series', () => {
  it('keeps rounds in order', () => {
    const series = new Series()
    series.add({ a: 1, b: 2 })
    series.add({ a: 3, b: 4 })
    expect(series.of('a')).toEqual([1, 3])
    expect(() => series.of('c')).toThrow(RangeError)
  })
})
