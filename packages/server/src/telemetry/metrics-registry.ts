/** Metrics of a node, by the catalogue, in Prometheus’ text format. */
import { METRICS } from '@rollcall/core'
import type { Meter, MetricInfo, MetricName } from '@rollcall/core'

/** Holds the figures of a node. */
export interface MetricsRegistry extends Meter {
  /** Says what an `info` of the catalogue says: a value for each of its labels. */
  inform(name: MetricName, labels: Readonly<Record<string, string>>): void
  /**
   * Everything in Prometheus' text format (version 0.0.4), in the order of the catalogue. A metric that has no series is
   * left out: the system does not tell that figure, or nothing with that label has happened.
   */
  render(): string
}

/** Upper bounds of the buckets of latencies, in seconds. */
const LATENCY_BUCKETS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** Most label values of a metric; further ones are counted together as `other`. */
const LABEL_VALUES_MAX = 64
const OVERFLOW_LABEL = 'other'
/** The series of a metric that has no label. */
const PLAIN = ''

/** One series of a counter or gauge. */
interface Cell {
  value: number
}

/** One series of a histogram. */
interface Histogram {
  /** Observations per bucket, not yet cumulative; the last is for what exceeds every bound. */
  readonly counts: Float64Array
  sum: number
}

/** The series of one metric, by label value. */
interface Family<T> {
  readonly name: string
  readonly hasLabel: boolean
  readonly series: Map<string, T>
  readonly create: () => T
}

/** Creates a registry in which each series that is known beforehand exists from the start, counters at zero. */
export function createMetricsRegistry(): MetricsRegistry {
  const cells = new Map<string, Family<Cell>>()
  const histograms = new Map<string, Family<Histogram>>()
  const infos = new Map<string, string>()
  for (const [name, info] of Object.entries<MetricInfo>(METRICS)) {
    if (info.kind === 'histogram')
      histograms.set(
        name,
        createFamily(name, info, () => createHistogram(info)),
      )
    else if (info.kind !== 'info')
      cells.set(
        name,
        createFamily(name, info, () => ({ value: 0 })),
      )
  }

  function cell(name: MetricName, label: string): Cell {
    const family = cells.get(name)
    if (family === undefined) throw new TypeError(`${name} is neither a counter nor a gauge`)
    return seriesOf(family, label)
  }

  return {
    count(name, by = 1, label = PLAIN) {
      cell(name, label).value += by
    },
    set(name, value, label = PLAIN) {
      cell(name, label).value = value
    },
    observe(name, value, label = PLAIN) {
      const family = histograms.get(name)
      if (family === undefined) throw new TypeError(`${name} is not a histogram`)
      const bounds = bucketsOf(METRICS[name])
      const histogram = seriesOf(family, label)
      let bucket = 0
      while (bucket < bounds.length && value > (bounds[bucket] ?? Infinity)) bucket++
      histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1
      histogram.sum += value
    },
    inform(name, labels) {
      if (METRICS[name].kind !== 'info') throw new TypeError(`${name} is no info`)
      const pairs = (METRICS[name].labels ?? []).map((label) => pair(label, labels[label] ?? ''))
      infos.set(name, pairs.join())
    },
    render() {
      const lines: string[] = []
      for (const [name, info] of Object.entries<MetricInfo>(METRICS)) {
        const from = lines.length
        const said = infos.get(name)
        if (said !== undefined) lines.push(`${name}{${said}} 1`)
        for (const [label, { value }] of cells.get(name)?.series ?? [])
          lines.push(`${name}${braces(labelPair(info, label))} ${numberText(value)}`)
        for (const [label, histogram] of histograms.get(name)?.series ?? [])
          renderHistogram(name, info, labelPair(info, label), histogram, lines)
        const type = info.kind === 'info' ? 'gauge' : info.kind
        if (lines.length > from)
          lines.splice(from, 0, `# HELP ${name} ${escapeHelp(info.help)}`, `# TYPE ${name} ${type}`)
      }
      return `${lines.join('\n')}\n`
    },
  }
}

/** What is counted begins at zero for every label value that is known, so that rates are right; a labelled gauge when it is set. */
function createFamily<T>(name: string, info: MetricInfo, create: () => T): Family<T> {
  const { kind, label, values = [], optional = false } = info
  const known = label === undefined ? (optional ? [] : [PLAIN]) : kind === 'gauge' ? [] : values
  return {
    name,
    hasLabel: label !== undefined,
    series: new Map(known.map((value) => [value, create()])),
    create,
  }
}

/** The series of a label value, or the one that stands for all beyond the limit. */
function seriesOf<T>(family: Family<T>, label: string): T {
  const { series, create } = family
  const known = series.get(label)
  if (known !== undefined) return known
  if (family.hasLabel === (label === PLAIN))
    throw new TypeError(`${family.name} has ${family.hasLabel ? 'a' : 'no'} label`)
  const key = series.size < LABEL_VALUES_MAX - 1 ? label : OVERFLOW_LABEL
  const found = series.get(key)
  if (found !== undefined) return found
  const fresh = create()
  series.set(key, fresh)
  return fresh
}

function bucketsOf({ buckets = LATENCY_BUCKETS }: MetricInfo): readonly number[] {
  return buckets
}

function createHistogram(info: MetricInfo): Histogram {
  return { counts: new Float64Array(bucketsOf(info).length + 1), sum: 0 }
}

function renderHistogram(
  name: string,
  info: MetricInfo,
  label: string | undefined,
  histogram: Histogram,
  lines: string[],
): void {
  const bounds = bucketsOf(info)
  let total = 0
  for (const [index, count] of histogram.counts.entries()) {
    total += count
    lines.push(`${name}_bucket${braces(label, pair('le', String(bounds[index] ?? '+Inf')))} ${total}`)
  }
  lines.push(`${name}_sum${braces(label)} ${histogram.sum}`, `${name}_count${braces(label)} ${total}`)
}

function labelPair({ label }: MetricInfo, value: string): string | undefined {
  return label === undefined ? undefined : pair(label, value)
}

function pair(label: string, value: string): string {
  return `${label}="${escapeHelp(value).replaceAll('"', String.raw`\"`)}"`
}

function braces(...pairs: readonly (string | undefined)[]): string {
  const given = pairs.filter((each) => each !== undefined)
  return given.length === 0 ? '' : `{${given.join()}}`
}

/** Infinity is all that a limit can be besides a number. */
function numberText(value: number): string {
  return value === Infinity ? '+Inf' : String(value)
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)
}
