/** Two results side by side. */
import { describe, expect, it } from 'vitest'
import { compare, comparisonText } from './comparison.js'
import { measureOf } from './measure.js'
import type { Result } from './result.js'

function run(rollcall: readonly number[], baseline?: readonly number[]): Result {
  return {
    scenario: 'register',
    about: 'registers',
    form: 'short',
    date: '2026-01-01',
    commit: 'abcdef0123',
    seed: 1,
    rounds: 3,
    machine: { cpu: 'Fast', cores: 2, memoryGiB: 4, system: 'Linux 6', node: 'v20.19.0', loadBefore: 0 },
    measures: [
      measureOf({ name: 'rate', unit: '1/s', rollcall, ...(baseline === undefined ? {} : { baseline }) }),
    ],
    notes: [],
  }
}

describe('a comparison', () => {
  it('compares ratios, which survive a slower machine', () => {
    const [move] = compare(run([80, 82], [100, 100]), run([40, 41], [50, 50]))
    expect(move).toMatchObject({ of: 'ratio', factor: 1, clear: false })
  })

  it('compares values where a run has no baseline', () => {
    const [move] = compare(run([80, 82]), run([40, 42], [50, 50]))
    expect(move).toMatchObject({ of: 'value', clear: true })
    expect(move?.factor).toBeCloseTo(41 / 81)
  })

  it('says what may be chance', () => {
    expect(comparisonText(run([80, 90]), run([85, 95]))).toContain(
      'rate: value 85 → 90 (+5.9 %, within the noise)',
    )
    expect(comparisonText(run([80, 90]), run([60, 70]))).toContain('rate: value 85 → 65 (-23.5 %)')
  })

  it('leaves out what only one of them has', () => {
    expect(compare({ ...run([1]), measures: [] }, run([1]))).toEqual([])
  })
})
