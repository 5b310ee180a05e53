/** Readers of option values. Each throws what the parser words as a mistake of the command line. */
import { isIPv6 } from 'node:net'
import { InvalidArgumentError } from 'commander'
import { LIMITS, OPERATOR_LIMITS } from '@rollcall/wire'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }

/** Milliseconds of `500ms`, `5s`, `2m` or a number of seconds; more than zero, at most an hour. */
export function readDuration(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m)?$/.exec(text)
  const ms = match === null ? NaN : Number(match[1]) * (UNITS[match[2] ?? 's'] ?? NaN)
  if (!(ms > 0 && ms <= 3_600_000)) throw new InvalidArgumentError('Write a time such as 500ms, 5s or 2m.')
  return ms
}

const LONG_UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `30s`, `10m`, `2h` or `1d`; from a second to 31 days. */
export function readSpan(text: string): number {
  const match = /^(\d{1,7})([smhd])$/.exec(text)
  const ms = match === null ? NaN : Number(match[1]) * (LONG_UNITS[match[2] ?? ''] ?? NaN)
  const { durationMsMin, durationMsMax } = OPERATOR_LIMITS
  if (!(ms >= durationMsMin && ms <= durationMsMax)) {
    throw new InvalidArgumentError('Write a time such as 30s, 10m, 2h or 1d, at most 31d.')
  }
  return ms
}

/** As readDuration, and zero. */
export function readDelay(text: string): number {
  return /^0(ms|s|m)?$/.test(text) ? 0 : readDuration(text)
}

/** A port others can connect to. */
export function readPort(text: string): number {
  return readInteger(text, 1, 65_535)
}

/** A host that others can reach; what programs listen at, such as 0.0.0.0, is none. */
export function readHost(text: string): string {
  const host = text.replace(/^\[|\]$/g, '')
  const isBindAddress = isIPv6(host)
    ? ['[::]', '[::ffff:0:0]'].includes(new URL(`http://[${host}]`).hostname)
    : host === '*' || /^[0.]+$/.test(host)
  if (isBindAddress)
    throw new InvalidArgumentError(
      `A program may listen at ${text}, but others cannot reach it there: name an address of this machine, or leave --host out.`,
    )
  return isIPv6(host) ? host : text
}

/** A weight; 0 gets no calls. */
export function readWeight(text: string): number {
  return readInteger(text, 0, LIMITS.weightMax)
}

/** Adds one `key=value`; the option may be repeated and later values win. */
export function readPair(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Write key=value.')
  return Object.fromEntries([...Object.entries(before), [text.slice(0, at), text.slice(at + 1)]])
}

/** Adds the URLs of one `--registry URL[,URL]`; the option may be repeated. */
export function readRegistries(text: string, before: readonly string[] = []): readonly string[] {
  const urls = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  if (urls.length === 0) throw new InvalidArgumentError('Write a URL such as http://127.0.0.1:7400.')
  return [...before, ...urls.map(readUrl)]
}

function readUrl(text: string): string {
  // People type what `serve` was told: 127.0.0.1:7400.
  const full = text.includes('://') ? text : `http://${text}`
  const url = URL.canParse(full) ? new URL(full) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    throw new InvalidArgumentError(`'${text}' is not a URL such as http://127.0.0.1:7400.`)
  }
  return (url.origin + url.pathname).replace(/\/+$/, '')
}

function readInteger(text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN
  if (!(value >= min && value <= max)) throw new InvalidArgumentError(`Write a number from ${min} to ${max}.`)
  return value
}
