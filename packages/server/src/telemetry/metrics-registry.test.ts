/** Metrics in Prometheus’ text format. */
import { METRICS, type MetricInfo } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { createMetricsRegistry } from './metrics-registry.js'

/** The lines of one metric, comments included. */
function linesOf(text: string, name: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.includes(`${name} `) || line.startsWith(`${name}_`) || line.startsWith(`${name}{`))
}

/** The series of one metric. */
function seriesOf(text: string, name: string): string[] {
  return linesOf(text, name).filter((line) => !line.startsWith('#'))
}

describe('the metrics of a node', () => {
  it('shows every metric of the catalogue that has a series, with its help and type', () => {
    const metrics = createMetricsRegistry()
    const entries = Object.entries<MetricInfo>(METRICS)
    for (const [name, { kind, label, optional }] of entries) {
      if (kind === 'gauge' && (label !== undefined || optional)) expect(metrics.render()).not.toContain(name)
      if (kind === 'gauge') metrics.set(name as never, 1, label === undefined ? undefined : 'some')
      if (kind === 'info') metrics.inform(name as never, {})
    }
    const text = metrics.render()
    for (const [name, { kind, help }] of entries) {
      const type = kind === 'info' ? 'gauge' : kind
      expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}`)
    }
    expect(text.endsWith('\n')).toBe(true)
    const seen = text.split('\n').map((line) => line.split(' ').slice(0, -1).join(' '))
    expect(seen.filter((series, index) => seen.indexOf(series) !== index)).toEqual([])
  })

  it('counts, sets, and begins at zero', () => {
    const metrics = createMetricsRegistry()
    expect(seriesOf(metrics.render(), 'rollcall_stalls_total')).toEqual(['rollcall_stalls_total 0'])
    metrics.count('rollcall_stalls_total')
    metrics.count('rollcall_stalls_total', 2)
    metrics.set('rollcall_services', 7)
    metrics.set('rollcall_services', 5)
    const text = metrics.render()
    expect(seriesOf(text, 'rollcall_stalls_total')).toEqual(['rollcall_stalls_total 3'])
    expect(seriesOf(text, 'rollcall_services')).toEqual(['rollcall_services 5'])
  })

  it('keeps label values apart, counted ones from zero on', () => {
    const metrics = createMetricsRegistry()
    metrics.count('rollcall_publications_total', 4, 'view')
    metrics.set('rollcall_instances', 9, 'up')
    const text = metrics.render()
    expect(seriesOf(text, 'rollcall_publications_total')).toEqual([
      'rollcall_publications_total{kind="delta"} 0',
      'rollcall_publications_total{kind="view"} 4',
    ])
    expect(seriesOf(text, 'rollcall_instances')).toEqual(['rollcall_instances{state="up"} 9'])
  })

  it('says what an info says in its labels, in their order', () => {
    const metrics = createMetricsRegistry()
    metrics.inform('rollcall_node_info', { storage: 'disk', cluster: 'eu"1', node: 'n' })
    expect(linesOf(metrics.render(), 'rollcall_node_info').slice(1)).toEqual([
      '# TYPE rollcall_node_info gauge',
      'rollcall_node_info{node="n",cluster="eu\\"1",storage="disk"} 1',
    ])
  })

  it('escapes what would break a line, and writes infinity as Prometheus does', () => {
    const metrics = createMetricsRegistry()
    metrics.count('rollcall_messages_received_total', 1, 'a"b\\c\nd')
    metrics.set('process_max_fds', Infinity)
    expect(metrics.render()).toContain('rollcall_messages_received_total{type="a\\"b\\\\c\\nd"} 1\n')
    expect(metrics.render()).toContain('process_max_fds +Inf\n')
  })

  it('holds at most 64 label values of a metric, and loses no count', () => {
    const metrics = createMetricsRegistry()
    for (let n = 0; n < 1_000; n++) metrics.count('rollcall_messages_received_total', 1, `type-${n}`)
    const series = seriesOf(metrics.render(), 'rollcall_messages_received_total')
    expect(series).toHaveLength(64)
    const known = METRICS.rollcall_messages_received_total.values ?? []
    expect(series.at(-1)).toBe(
      `rollcall_messages_received_total{type="other"} ${1_000 - (63 - known.length)}`,
    )
    expect(series.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)).toBe(1_000)
  })

  it('renders histograms with cumulative buckets whose bounds belong to them', () => {
    const metrics = createMetricsRegistry()
    const name = 'rollcall_journal_commit_duration_seconds'
    for (const value of [0, 0.0001, 0.0003, 0.01, 99.5]) metrics.observe(name, value)
    const text = metrics.render()
    const bucket = (bound: string): string | undefined =>
      seriesOf(text, name)
        .find((line) => line.startsWith(`${name}_bucket{le="${bound}"}`))
        ?.split(' ')[1]
    expect(['0.0001', '0.00025', '0.0005', '0.005', '0.01', '10', '+Inf'].map(bucket)).toEqual([
      '2',
      '2',
      '3',
      '3',
      '4',
      '4',
      '5',
    ])
    expect(text).toContain(`${name}_sum 99.5104\n`)
    expect(text).toContain(`${name}_count 5\n`)
  })

  it('keeps the label values of a histogram apart, with buckets of its own', () => {
    const metrics = createMetricsRegistry()
    metrics.observe('nodejs_gc_duration_seconds', 0.2, 'major')
    const series = seriesOf(metrics.render(), 'nodejs_gc_duration_seconds')
    expect(series).toContain('nodejs_gc_duration_seconds_bucket{kind="major",le="0.1"} 0')
    expect(series).toContain('nodejs_gc_duration_seconds_bucket{kind="major",le="0.5"} 1')
    expect(series).toContain('nodejs_gc_duration_seconds_sum{kind="major"} 0.2')
    expect(series).toContain('nodejs_gc_duration_seconds_count{kind="minor"} 0')
  })

  it('takes the wrong kind, a missing label and one too many for mistakes of ours', () => {
    const metrics = createMetricsRegistry()
    expect(() => metrics.count('rollcall_journal_commit_duration_seconds')).toThrow(TypeError)
    expect(() => metrics.observe('rollcall_services', 1)).toThrow(TypeError)
    expect(() => metrics.inform('rollcall_services', {})).toThrow(TypeError)
    expect(() => metrics.set('rollcall_build_info', 1)).toThrow(TypeError)
    expect(() => metrics.set('rollcall_instances', 1)).toThrow('rollcall_instances has a label')
    expect(() => metrics.set('rollcall_services', 1, 'up')).toThrow('rollcall_services has no label')
  })
})

describe('metric names', () => {
  it.each(Object.entries<MetricInfo>(METRICS))('%s follows the convention', (name, info) => {
    expect(name).toMatch(/^(rollcall|process|nodejs)_[a-z0-9]+(_[a-z0-9]+)*$/)
    // Base units only: seconds and bytes, never a part or a multiple of them.
    expect(name).not.toMatch(
      /_(ms|us|ns|millis\w*|micros\w*|minutes|hours|kb|mb|kib|mib|kilobytes|megabytes)(_|$)/,
    )
    expect(name.endsWith('_total')).toBe(info.kind === 'counter')
    expect(name.endsWith('_info')).toBe(info.kind === 'info')
    if (info.kind === 'histogram') expect(name).toMatch(/_seconds$/)
    expect(info.help).toMatch(/^[A-Z0-9].*\.$/)
    expect(info.labels !== undefined).toBe(info.kind === 'info')
    if (info.label !== undefined) expect(info.values?.length).toBeGreaterThan(0)
    expect((info.values ?? []).length).toBeLessThan(64)
  })
})
