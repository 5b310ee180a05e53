/** How a value stands as text in a URL: its JSON schema and its reader, made from the same bounds. */
import {
  ID_FORM,
  ID_WORDS,
  NAME_FORM,
  NAME_OR_ALL_FORM,
  NAME_WORDS,
  type Limits,
  type TextForm,
} from '../../limits.js'
import { SIGN_PATTERN } from '../../sign.js'
import type { JsonSchema } from '../../shape/json-schema.js'
import { DATE_PATTERN, parseMoment, type Moment } from '../../units.js'

/** One kind of text. `read` accepts exactly what `schema` describes; a test holds the two against each other. */
export interface Text<T> {
  /** Schema of the value; `limits` are those of the node that reads it. */
  schema(limits: Limits): JsonSchema
  /** The value, or undefined when the text is none. */
  read(text: string, limits: Limits): T | undefined
  /** What a text must be, for the error about one that is not; it follows the name and `must be`. */
  expected(limits: Limits): string
  /** The text that is read as this value. */
  write(value: T): string
}

/** A text that a pattern describes. */
function patterned(
  { pattern, not }: { readonly pattern: string; readonly not?: TextForm['not'] },
  expected: string,
  more: JsonSchema = {},
): Text<string> {
  const form = new RegExp(pattern)
  const none = not === undefined ? undefined : new RegExp(not.pattern)
  return {
    schema: () => ({ type: 'string', pattern, ...(not === undefined ? {} : { not }), ...more }),
    read: (text) => (form.test(text) && none?.test(text) !== true ? text : undefined),
    expected: () => expected,
    write: (value) => value,
  }
}

/** Name of a namespace, service, group or zone. `more` is added to the schema. */
export function name(more?: JsonSchema): Text<string> {
  return patterned(NAME_FORM, NAME_WORDS, more)
}

/** Name of a namespace, or `*` for all of them. */
export function nameOrAll(more?: JsonSchema): Text<string> {
  return patterned(NAME_OR_ALL_FORM, `* or ${NAME_WORDS}`, more)
}

/** Id of an instance. */
export const id: Text<string> = patterned(ID_FORM, ID_WORDS)

/** Any text but the empty one. */
export const words: Text<string> = {
  schema: () => ({ type: 'string', minLength: 1 }),
  read: (text) => (text === '' ? undefined : text),
  expected: () => 'a text that is not empty',
  write: (value) => value,
}

/** Sign of a list. */
export const sign: Text<string> = patterned(
  { pattern: SIGN_PATTERN.source },
  'a sign: 16 lower-case hex digits',
)

/** `true` or `false`. */
export const flag: Text<boolean> = {
  schema: () => ({ type: 'boolean' }),
  read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  expected: () => 'true or false',
  write: String,
}

/** A whole number in decimal digits. Without a maximum it is at most the largest exact one. */
export function whole(bounds: {
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: number
}): Text<number> {
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = bounds
  const above = maximum === Number.MAX_SAFE_INTEGER ? ` from ${minimum} on` : ` from ${minimum} to ${maximum}`
  return {
    schema: () => ({ type: 'integer', ...bounds, minimum, maximum }),
    read(text) {
      const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
      return value >= minimum && value <= maximum ? value : undefined
    },
    expected: () => `an integer${above}`,
    write: String,
  }
}

/** One of these. */
export function choice<const T extends string>(all: readonly T[]): Text<T> {
  return {
    schema: () => ({ type: 'string', enum: all }),
    read: (text) => all.find((each) => each === text),
    expected: () => `one of ${all.join(', ')}`,
    write: (value) => value,
  }
}

/** Some of these, separated by commas. */
export function choices<const T extends string>(all: readonly T[]): Text<readonly T[]> {
  return {
    schema: () => ({ type: 'array', items: { type: 'string', enum: all }, minItems: 1 }),
    read(text) {
      const some = text.split(',').map((part) => all.find((each) => each === part))
      return some.includes(undefined) ? undefined : (some as T[])
    },
    expected: () => `some of ${all.join(', ')}, separated by commas`,
    write: (values) => values.join(','),
  }
}

const ONE_NAME = NAME_FORM.pattern.slice(1, -1)
const oneOrTwo = patterned(
  { pattern: `^${ONE_NAME}(?::${ONE_NAME})?$`, not: { pattern: '^\\.+(?::|$)|:\\.+$' } },
  `NAME or NAME:GROUP, each ${NAME_WORDS}`,
)

/** A service, or one group of it: `NAME` or `NAME:GROUP`. */
export const serviceAndGroup: Text<{ readonly service: string; readonly group?: string }> = {
  ...oneOrTwo,
  read(text, limits) {
    const [service = '', group] = oneOrTwo.read(text, limits)?.split(':') ?? []
    if (service === '') return undefined
    return group === undefined ? { service } : { service, group }
  },
  write: ({ service, group }) => (group === undefined ? service : `${service}:${group}`),
}

/** Milliseconds of `500ms`, `30s` or a number of seconds. The value is at most what the limits of the node say. */
export function span(msMax: (limits: Limits) => number): Text<number> {
  return {
    schema: (limits) => ({ type: 'string', pattern: spanPattern(msMax(limits)).source }),
    read(text, limits) {
      const match = spanPattern(msMax(limits)).exec(text)
      if (match === null) return undefined
      return match[1] === undefined ? Number.parseFloat(text) * 1_000 : Number(match[1])
    },
    expected: (limits) =>
      `a time such as 500ms or 30s, a bare number counts seconds, and at most ${msMax(limits) / 1_000}s`,
    write: (value) => `${value}ms`,
  }
}

/** So long ago (`10m`), or a date of ISO 8601. */
export const moment: Text<Moment> = {
  schema: () => ({ type: 'string', pattern: MOMENT.source }),
  read: (text) => (MOMENT.test(text) ? parseMoment(text) : undefined),
  expected: () => 'a time such as 30s, 10m, 2h or 1d ago, or a date such as 2026-01-31T12:00:00Z',
  write: (value) => ('agoMs' in value ? `${value.agoMs}ms` : new Date(value.atMs).toISOString()),
}
const MOMENT = new RegExp(`^(?:[0-9]{1,15}ms|[0-9]{1,6}[smhd])$|${DATE_PATTERN.source}`)

const spanPatterns = new Map<number, RegExp>()

/** Group 1 is the number of milliseconds where they are given as such. A bound within a second is given in `ms`. */
function spanPattern(msMax: number): RegExp {
  let pattern = spanPatterns.get(msMax)
  if (pattern === undefined) {
    pattern = new RegExp(`^(?:(${atMost(msMax)})ms|${atMost(Math.floor(msMax / 1_000))}s?)$`)
    spanPatterns.set(msMax, pattern)
  }
  return pattern
}

/** Pattern of the decimal numbers from 0 to a whole one. */
function atMost(max: number): string {
  const digits = String(max)
  const below = Array.from(digits).flatMap((digit, at) => {
    if (digit === '0') return []
    const first = digit === '1' ? '0' : `[0-${Number(digit) - 1}]`
    const rest = digits.length - at - 1
    return [`${digits.slice(0, at)}${first}${rest === 0 ? '' : `[0-9]{${rest}}`}`]
  })
  const shorter = digits.length === 1 ? [] : [`[0-9]{1,${digits.length - 1}}`]
  const less = [...shorter, ...below]
  const exact = `${digits}(?:\\.0+)?`
  return `0*(?:${less.length === 0 ? '' : `(?:${less.join('|')})(?:\\.[0-9]+)?|`}${exact})`
}
