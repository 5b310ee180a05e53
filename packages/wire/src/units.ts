/** Times and sizes as people write them. One reader and one writer for settings, options and texts. */

/** Units of times in milliseconds, the largest first. */
const TIMES = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

/** Units of sizes in bytes: powers of 1,024, and of 1,000 for those who write MB. Case does not matter. */
const SIZES: Readonly<Record<string, number>> = {
  b: 1,
  kib: 1_024,
  mib: 1_048_576,
  gib: 1_073_741_824,
  tib: 1_099_511_627_776,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
}

/** Written sizes, the largest first. */
const WRITTEN = ['TiB', 'GiB', 'MiB', 'KiB'] as const

/** Examples of times and sizes, for texts that ask for one. */
export const TIME_EXAMPLES = '500ms, 10s, 5m or 1h30m'
export const SIZE_EXAMPLES = '512B, 64KiB or 8MiB'

/**
 * Milliseconds of `500ms`, `10s`, `1.5h`, `1h30m` or `7d`: units from the largest to the smallest, a fraction in the last
 * one only. Undefined for anything else, also for what is no whole number of milliseconds. `bare`: the unit of a number
 * without one, which is refused where there is none.
 */
export function parseDuration(text: string, bare?: keyof typeof TIMES): number | undefined {
  if (bare !== undefined && /^\d+(?:\.\d+)?$/.test(text)) return parseDuration(`${text}${bare}`)
  let total = 0
  let above = Infinity
  let rest = text
  while (rest !== '') {
    const [part, whole = '', fraction = '', unit = ''] =
      /^(\d{1,15})(?:\.(\d{1,9}))?(ms|[smhd])/.exec(rest) ?? []
    if (part === undefined) return undefined
    const size = TIMES[unit as keyof typeof TIMES]
    rest = rest.slice(part.length)
    if (size >= above || (fraction !== '' && rest !== '')) return undefined
    above = size
    total += multiple(whole, fraction, size)
  }
  return text !== '' && Number.isSafeInteger(total) ? total : undefined
}

/** A whole number of milliseconds in the largest units that say it exactly: `3s`, `500ms`, `1.5s`, `1h30m`. */
export function formatDuration(ms: number): string {
  const parts: string[] = []
  let rest = ms
  for (const unit of ['d', 'h', 'm'] as const) {
    const count = Math.floor(rest / TIMES[unit])
    rest -= count * TIMES[unit]
    if (count > 0) parts.push(`${count}${unit}`)
  }
  if (rest > 0 && rest < 1_000 && parts.length === 0) return `${rest}ms`
  if (rest > 0 || parts.length === 0) parts.push(`${rest / 1_000}s`)
  return parts.join('')
}

/**
 * Bytes of `512B`, `64KiB`, `8MiB`, `1.5GiB` or `8MB`; a number without a unit counts bytes. Undefined for anything else,
 * also for what is no whole number of bytes.
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15})(?:\.(\d{1,9}))?([kmgt]?i?b)?$/i.exec(text)
  if (match === null) return undefined
  const [, whole = '', fraction = '', unit = 'b'] = match
  const size = SIZES[unit.toLowerCase()]
  if (size === undefined) return undefined
  const bytes = multiple(whole, fraction, size)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** Bytes in the largest unit that says them exactly: `8MiB`, `1536KiB`, `1000B`. */
export function formatSize(bytes: number): string {
  const unit = WRITTEN.find((each) => bytes > 0 && bytes % (SIZES[each.toLowerCase()] as number) === 0)
  return unit === undefined ? `${bytes}B` : `${bytes / (SIZES[unit.toLowerCase()] as number)}${unit}`
}

/** A time of day: so long ago by whichever clock it is held against, or a date in milliseconds since the epoch. */
export type Moment = { readonly agoMs: number } | { readonly atMs: number }

const TWO = { month: '(?:0[1-9]|1[0-2])', day: '(?:0[1-9]|[12][0-9]|3[01])', hour: '(?:[01][0-9]|2[0-3])' }
const CLOCK = `${TWO.hour}:[0-5][0-9]`

/** ISO 8601: a date, or a date with a time; without a zone it is UTC, as in the event log. */
export const DATE_PATTERN: RegExp = new RegExp(
  `^[0-9]{4}-${TWO.month}-${TWO.day}(?:T${CLOCK}(?::[0-5][0-9](?:\\.[0-9]{1,9})?)?(?:Z|[+-]${CLOCK})?)?$`,
)

/** `10m` and `1h30m` are so long ago; else a date as `DATE_PATTERN` has it. Undefined for anything else. */
export function parseMoment(text: string): Moment | undefined {
  const agoMs = parseDuration(text)
  if (agoMs !== undefined) return { agoMs }
  if (!DATE_PATTERN.test(text)) return undefined
  const zoned = !text.includes('T') || /(?:Z|[+-][0-9:]{5})$/.test(text.slice(11))
  return { atMs: Date.parse(zoned ? text : `${text}Z`) }
}

/** Exact where the result is a whole number: `1.005` thousands are 1005. */
function multiple(whole: string, fraction: string, unit: number): number {
  return Number(whole) * unit + (Number(fraction) * unit) / 10 ** fraction.length
}
