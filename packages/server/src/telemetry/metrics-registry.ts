/** Metrics of a node, by the catalogue, in Prometheus’ text format. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { METRICS } from '@rollcall/core'
import type { Meter, MetricInfo, MetricName } from '@rollcall/core'

/** The figures of this process at one moment. */
export interface ProcessFigures {
  readonly residentBytes: number
  readonly heapBytes: number
  readonly eventLoopDelayP99Ms: number
  readonly uptimeMs: number
}

export interface MetricsRegistryDeps {
  /** Asked at each rendering. Default: this process, with the event loop delay since the previous question. */
  readonly processFigures?: () => ProcessFigures
}

/** Holds the figures of a node. */
export interface MetricsRegistry extends Meter {
  /** Everything in Prometheus' text format (version 0.0.4), in the order of the catalogue. */
  render(): string
}

/** Upper bounds of histogram buckets, in the milliseconds of their metrics. */
const BUCKETS_MS: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
]

/** Most label values of a metric; further ones are counted together as `other`. */
const LABEL_VALUES_MAX = 64
const OVERFLOW_LABEL = 'other'

interface Series {
  /** Value without label: all there is for metrics that have none. */
  plain: { value: number }
  plainUsed: boolean
  readonly labelled: Map<string, { value: number }>
}

interface Histogram {
  /** Observations per bucket, not yet cumulative; the last is for what exceeds every bound. */
  readonly counts: Float64Array
  sum: number
}

/** Creates a registry in which every metric of the catalogue exists from the start. */
export function createMetricsRegistry(deps: MetricsRegistryDeps = {}): MetricsRegistry {
  const processFigures = deps.processFigures ?? createProcessFigures()
  const series = new Map<MetricName, Series>()
  const histograms = new Map<MetricName, Histogram>()
  for (const name of Object.keys(METRICS) as MetricName[]) {
    if (METRICS[name].kind === 'histogram') {
      histograms.set(name, { counts: new Float64Array(BUCKETS_MS.length + 1), sum: 0 })
    } else {
      // A labelled metric has no line until it has a label; the others begin at zero, so that rates are right.
      series.set(name, {
        plain: { value: 0 },
        plainUsed: METRICS[name].label === undefined,
        labelled: new Map(),
      })
    }
  }

  function cell(name: MetricName, label: string | undefined): { value: number } {
    const own = series.get(name)
    if (own === undefined) throw new TypeError(`${name} is a histogram`)
    if (label === undefined) {
      own.plainUsed = true
      return own.plain
    }
    return own.labelled.get(label) ?? newCell(own.labelled, label)
  }

  function set(name: MetricName, value: number, label?: string): void {
    cell(name, label).value = value
  }

  return {
    count(name, by = 1, label) {
      cell(name, label).value += by
    },
    set,
    observe(name, value) {
      const histogram = histograms.get(name)
      if (histogram === undefined) throw new TypeError(`${name} is not a histogram`)
      let bucket = 0
      while (bucket < BUCKETS_MS.length && value > (BUCKETS_MS[bucket] ?? Infinity)) bucket++
      histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1
      histogram.sum += value
    },
    render() {
      const figures = processFigures()
      set('rollcall_process_resident_bytes', figures.residentBytes)
      set('rollcall_process_heap_bytes', figures.heapBytes)
      set('rollcall_process_event_loop_delay_p99_ms', figures.eventLoopDelayP99Ms)
      set('rollcall_process_uptime_ms', figures.uptimeMs)
      const lines: string[] = []
      for (const name of Object.keys(METRICS) as MetricName[]) {
        const info: MetricInfo = METRICS[name]
        lines.push(`# HELP ${name} ${escapeHelp(info.help)}`, `# TYPE ${name} ${info.kind}`)
        const histogram = histograms.get(name)
        const own = series.get(name)
        if (histogram !== undefined) renderHistogram(name, histogram, lines)
        else if (own !== undefined) renderSeries(name, info.label ?? 'label', own, lines)
      }
      return `${lines.join('\n')}\n`
    },
  }
}

/** Makes room for a new label value, or gives the one that stands for all beyond the limit. */
function newCell(labelled: Map<string, { value: number }>, label: string): { value: number } {
  const key = labelled.size < LABEL_VALUES_MAX - 1 ? label : OVERFLOW_LABEL
  const known = labelled.get(key)
  if (known !== undefined) return known
  const fresh = { value: 0 }
  labelled.set(key, fresh)
  return fresh
}

function renderSeries(name: string, labelName: string, series: Series, lines: string[]): void {
  if (series.plainUsed) lines.push(`${name} ${series.plain.value}`)
  for (const [label, { value }] of series.labelled)
    lines.push(`${name}{${labelName}="${escapeLabel(label)}"} ${value}`)
}

function renderHistogram(name: string, histogram: Histogram, lines: string[]): void {
  let total = 0
  for (const [index, count] of histogram.counts.entries()) {
    total += count
    lines.push(`${name}_bucket{le="${BUCKETS_MS[index] ?? '+Inf'}"} ${total}`)
  }
  lines.push(`${name}_sum ${histogram.sum}`, `${name}_count ${total}`)
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}

/** How often the delay of the event loop is sampled. Its timer does not keep the process alive. */
const SAMPLE_MS = 20

function createProcessFigures(): () => ProcessFigures {
  const delay = monitorEventLoopDelay({ resolution: SAMPLE_MS })
  delay.enable()
  return () => {
    const memory = process.memoryUsage()
    // What is sampled is the time between two ticks of the sampler, so an idle loop shows its interval; in nanoseconds.
    const p99Ms = delay.count === 0 ? 0 : Math.max(0, delay.percentile(99) / 1e6 - SAMPLE_MS)
    delay.reset()
    return {
      residentBytes: memory.rss,
      heapBytes: memory.heapUsed,
      eventLoopDelayP99Ms: Math.round(p99Ms * 1_000) / 1_000,
      uptimeMs: Math.round(process.uptime() * 1_000),
    }
  }
}
