/** Readers of option values. Each throws what the parser words as a mistake of the command line. */
import { isIPv6 } from 'node:net'
import { InvalidArgumentError } from 'commander'
import {
  formatDuration,
  LIMITS,
  type Moment,
  OPERATOR_LIMITS,
  parseDuration,
  parseMoment,
} from '@rollcall/wire'

const HOUR_MS = 3_600_000

/** Milliseconds of `500ms`, `5s`, `1m30s` or a number of seconds; more than zero, at most an hour. */
export function readDuration(text: string): number {
  const ms = parseDuration(text, 's') ?? 0
  if (!(ms > 0 && ms <= HOUR_MS))
    throw new InvalidArgumentError('Write a time such as 500ms, 5s or 2m, at most 1h.')
  return ms
}

/** Milliseconds of `30s`, `10m`, `1h30m` or `1d`; from a second to 31 days. */
export function readSpan(text: string): number {
  const ms = parseDuration(text) ?? 0
  const { durationMsMin, durationMsMax } = OPERATOR_LIMITS
  if (!(ms >= durationMsMin && ms <= durationMsMax)) {
    throw new InvalidArgumentError(
      `Write a time such as 30s, 10m, 1h30m or 1d, from ${formatDuration(durationMsMin)} to ${formatDuration(durationMsMax)}.`,
    )
  }
  return ms
}

/** `10m` or `1h30m` ago, or a date of ISO 8601, without a zone in UTC. */
export function readMoment(text: string): Moment {
  const moment = parseMoment(text)
  if (moment === undefined) {
    throw new InvalidArgumentError(
      'Write how long ago, such as 10m, 2h or 1d, or a date such as 2026-01-31T12:00:00Z (without a zone UTC).',
    )
  }
  return moment
}

/** As readDuration, and zero. */
export function readDelay(text: string): number {
  return parseDuration(text, 's') === 0 ? 0 : readDuration(text)
}

/** Where to listen: `127.0.0.1:7490`, `[::1]:7490`, `localhost:7490`. */
export function readListen(text: string): { readonly host: string; readonly port: number } {
  const [, inBrackets, plain, port = ''] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? []
  const host = inBrackets ?? plain
  if (host === undefined) throw new InvalidArgumentError('Write HOST:PORT, such as 127.0.0.1:7490.')
  return { host, port: readPort(port) }
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
