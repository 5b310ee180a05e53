/** Metrics in Prometheus’ text format. */
import { METRICS } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { createMetricsRegistry } from './metrics-registry.js'

const FIGURES = { residentBytes: 1, heapBytes: 2, eventLoopDelayP99Ms: 3.5, uptimeMs: 4 }

function setUp() {
  return createMetricsRegistry({ processFigures: () => FIGURES })
}

/** The lines of one metric, comments included. */
function linesOf(text: string, name: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.includes(`${name} `) || line.startsWith(`${name}_`) || line.startsWith(`${name}{`))
}

describe('the metrics of a node', () => {
  it('shows every metric of the catalogue with its help and type', () => {
    const text = setUp().render()
    for (const [name, info] of Object.entries(METRICS)) {
      expect(text).toContain(`# HELP ${name} ${info.help}\n# TYPE ${name} ${info.kind}\n`)
    }
    expect(text.endsWith('\n')).toBe(true)
  })

  it('counts, sets, and begins at zero', () => {
    const metrics = setUp()
    expect(linesOf(metrics.render(), 'rollcall_stalls_total')).toContain('rollcall_stalls_total 0')
    metrics.count('rollcall_stalls_total')
    metrics.count('rollcall_stalls_total', 2)
    metrics.set('rollcall_services', 7)
    metrics.set('rollcall_services', 5)
    const text = metrics.render()
    expect(linesOf(text, 'rollcall_stalls_total')).toContain('rollcall_stalls_total 3')
    expect(linesOf(text, 'rollcall_services')).toContain('rollcall_services 5')
  })

  it('keeps label values apart and shows no series without one', () => {
    const metrics = setUp()
    metrics.count('rollcall_probes_total', 1, 'refused')
    metrics.count('rollcall_probes_total', 4, 'failed')
    metrics.set('rollcall_instances', 9, 'up')
    const text = metrics.render()
    expect(linesOf(text, 'rollcall_probes_total').slice(2)).toEqual([
      'rollcall_probes_total{outcome="refused"} 1',
      'rollcall_probes_total{outcome="failed"} 4',
    ])
    expect(linesOf(text, 'rollcall_instances').slice(2)).toEqual(['rollcall_instances{state="up"} 9'])
  })

  it('escapes what would break a line', () => {
    const metrics = setUp()
    metrics.count('rollcall_messages_received_total', 1, 'a"b\\c\nd')
    expect(metrics.render()).toContain('rollcall_messages_received_total{type="a\\"b\\\\c\\nd"} 1\n')
  })

  it('holds at most 64 label values of a metric, and loses no count', () => {
    const metrics = setUp()
    for (let n = 0; n < 1_000; n++) metrics.count('rollcall_messages_received_total', 1, `type-${n}`)
    const lines = linesOf(metrics.render(), 'rollcall_messages_received_total').slice(2)
    expect(lines).toHaveLength(64)
    expect(lines.at(-1)).toBe(`rollcall_messages_received_total{type="other"} ${1_000 - 63}`)
    expect(lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)).toBe(1_000)
  })

  it('renders histograms with cumulative buckets whose bounds belong to them', () => {
    const metrics = setUp()
    for (const value of [0, 0.1, 0.3, 10, 99_999])
      metrics.observe('rollcall_journal_commit_duration_ms', value)
    const text = metrics.render()
    const bucket = (bound: string): string | undefined =>
      text
        .split('\n')
        .find((line) => line.startsWith(`rollcall_journal_commit_duration_ms_bucket{le="${bound}"}`))
        ?.split(' ')[1]
    expect([
      bucket('0.1'),
      bucket('0.25'),
      bucket('0.5'),
      bucket('5'),
      bucket('10'),
      bucket('10000'),
      bucket('+Inf'),
    ]).toEqual(['2', '2', '3', '3', '4', '4', '5'])
    expect(text).toContain('rollcall_journal_commit_duration_ms_sum 100009.4\n')
    expect(text).toContain('rollcall_journal_commit_duration_ms_count 5\n')
  })

  it('shows the figures of the process as they are at the moment', () => {
    let uptimeMs = 10
    const metrics = createMetricsRegistry({ processFigures: () => ({ ...FIGURES, uptimeMs: uptimeMs++ }) })
    expect(metrics.render()).toContain('rollcall_process_uptime_ms 10\n')
    expect(metrics.render()).toContain('rollcall_process_uptime_ms 11\n')
    const real = createMetricsRegistry().render()
    expect(Number(/rollcall_process_resident_bytes (\d+)/.exec(real)?.[1])).toBeGreaterThan(1e6)
    expect(Number(/rollcall_process_heap_bytes (\d+)/.exec(real)?.[1])).toBeGreaterThan(1e5)
  })

  it('takes the wrong kind for a mistake of ours', () => {
    const metrics = setUp()
    expect(() => metrics.count('rollcall_journal_commit_duration_ms')).toThrow(TypeError)
    expect(() => metrics.observe('rollcall_services', 1)).toThrow(TypeError)
  })
})

describe('metric names', () => {
  it.each(Object.entries(METRICS))('%s follows the convention', (name, info) => {
    expect(name).toMatch(/^rollcall_[a-z0-9]+(_[a-z0-9]+)*$/)
    expect(name.endsWith('_total')).toBe(info.kind === 'counter')
    expect(info.help).toMatch(/^[A-Z0-9].*\.$/)
    if (info.kind === 'histogram') expect(name).toMatch(/_ms$/)
  })
})
