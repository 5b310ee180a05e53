/** Tables and figures in documents. */
import { describe, expect, it } from 'vitest'
import { measureOf } from './measure.js'
import { between, formatNumber, scenarioSection, summarySection, terminalTable } from './report.js'
import type { Result } from './result.js'

const result: Result = {
  scenario: 'register',
  about: 'registers',
  baseline: 'a bare server',
  form: 'short',
  date: '2026-01-01',
  commit: 'abcdef0123',
  seed: 1,
  rounds: 3,
  machine: { cpu: 'Fast', cores: 2, memoryGiB: 4, system: 'Linux 6', node: 'v20.19.0', loadBefore: 0.5 },
  measures: [
    measureOf({
      name: 'requests/s',
      unit: '1/s',
      rollcall: [9_000, 8_000, 8_500],
      baseline: [10_000, 10_000, 10_000],
      target: { of: 'ratio', atLeast: 0.9 },
    }),
    measureOf({ name: 'heap', unit: 'B', rollcall: [1_000.4], target: { of: 'value', atMost: 1_536 } }),
    measureOf({ name: 'told only', unit: 'ms', rollcall: [1] }),
  ],
  notes: ['A note.'],
}

describe('tables', () => {
  it('show medians with their range, ratios, targets and verdicts', () => {
    expect(terminalTable(result).split('\n')).toEqual(
      [
        'what        unit  Rollcall               floor                     ratio               target   ',
        'requests/s  1/s   8,500 (8,000 – 9,000)  10,000 (10,000 – 10,000)  0.85 (0.80 – 0.90)  ≥ 0.90 ×  MISSED',
        'heap        B     1,000                                                                ≤ 1,536   met',
        'told only   ms    1',
        'A note.',
      ].map((line) => line.trimEnd()),
    )
  })

  it('are quoted with machine, commit and date', () => {
    const section = scenarioSection([result, { ...result, form: 'long' }])
    expect(section).toContain(
      '| requests/s | 1/s | 8,500 (8,000 – 9,000) | 10,000 (10,000 – 10,000) | 0.85 (0.80 – 0.90) | ≥ 0.90 × | MISSED |',
    )
    expect(section).toContain(
      '2026-01-01, commit `abcdef0123`, 3 rounds, load before the run 0.50; Fast, 2 cores, 4 GiB, Linux 6, Node v20.19.0.',
    )
    expect(section).toContain('`npm run bench -- --long register`')
  })

  it('sum up every target', () => {
    expect(summarySection([result]).split('\n').slice(2)).toEqual([
      '| [register](#register) | requests/s | 0.85 (0.80 – 0.90) × | ≥ 0.90 × | **missed** |',
      '| [register](#register) | heap | 1,000 B | ≤ 1,536 B | met |',
    ])
  })
})

describe('numbers', () => {
  it('have as many digits as they deserve', () => {
    expect([0.01234, 0.5, 12.34, 123.4, 98_765.4, 3].map(formatNumber)).toEqual([
      '0.0123',
      '0.50',
      '12.3',
      '123',
      '98,765',
      '3',
    ])
  })
})

describe('a marked place', () => {
  it('is replaced, again and again', () => {
    const document = 'a\n<!-- x -->\nold\n<!-- /x -->\nb\n'
    const once = between(document, 'x', 'new')
    expect(once).toBe('a\n<!-- x -->\nnew\n<!-- /x -->\nb\n')
    expect(between(once, 'x', 'new')).toBe(once)
    expect(() => between(document, 'y', 'new')).toThrow('no <!-- y -->')
  })
})
