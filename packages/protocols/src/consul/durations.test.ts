/** Durations as clients write them. */
import { describe, expect, it } from 'vitest'
import { durationOf, formatDuration, parseDuration } from './durations.js'

describe('a duration', () => {
  it.each<[string, number | undefined]>([
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['120000ms', 120_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['-1s', -1_000],
    ['0', 0],
    ['1µs', 0.001],
    ['', undefined],
    ['10', undefined],
    ['s', undefined],
    ['10 s', undefined],
    ['1s'.repeat(40), undefined],
    ['1e3s', undefined],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it('is a number of nanoseconds in bodies', () => {
    expect([durationOf(20e9), durationOf('20s'), durationOf(true), durationOf(NaN)]).toEqual([
      20_000,
      20_000,
      undefined,
      undefined,
    ])
  })

  it('is written as Go writes it', () => {
    expect([250, 1_000, 90_000, 5_400_000, 0, undefined].map(formatDuration)).toEqual([
      '250ms',
      '1s',
      '1m30s',
      '1h30m0s',
      '',
      '',
    ])
  })
})
