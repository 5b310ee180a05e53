/** Durations as Consul's clients write them: Go's text, or a number of nanoseconds. Pure. */

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

const WHOLE = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g
/** Longer texts say nothing that fits into a duration of Go. */
const CHARS_MAX = 64

/** The milliseconds of `1m30s`, `0`, `250ms`; undefined for what is no duration of Go. */
export function parseDuration(text: string): number | undefined {
  if (text.length > CHARS_MAX) return undefined
  if (/^[+-]?0$/.test(text)) return 0
  if (!WHOLE.test(text)) return undefined
  let sum = 0
  for (const [, amount, unit] of text.matchAll(PART))
    sum += Number(amount) * (UNITS[unit as string] as number)
  return text.startsWith('-') ? -sum : sum
}

/** The same of a member of a body, where a number counts nanoseconds. */
export function durationOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value / 1e6 : undefined
  return typeof value === 'string' ? parseDuration(value) : undefined
}

/** As Go writes it: `1m30s`, `250ms`; empty for none. */
export function formatDuration(ms: number | undefined): string {
  if (ms === undefined || ms === 0) return ''
  if (ms < 1_000) return `${ms}ms`
  const hours = Math.floor(ms / 3_600_000)
  const minutes = Math.floor((ms % 3_600_000) / 60_000)
  const seconds = (ms % 60_000) / 1_000
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`
}
