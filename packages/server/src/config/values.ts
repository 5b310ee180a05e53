/** Values of settings as text: read from flags and variables, and written for people. */
import { formatDuration, formatSize, parseDuration, parseSize } from '@rollcall/wire'
import type { SettingKind } from './fields.js'
import type { Setting } from './schema.js'

type Kind = Pick<Setting, 'kind'>
type Read = Pick<Setting, 'kind' | 'bare'>

/** The value that a text stands for; a text that stands for none stays as it is, and the setting refuses it. */
const READERS: Readonly<Record<SettingKind, (text: string) => unknown>> = {
  text: (text) => text,
  integer: (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : text),
  duration: (text) => parseDuration(text, 'ms') ?? text,
  size: (text) => parseSize(text) ?? text,
  switch: (text) =>
    text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text,
  list: splitList,
  json: parseJson,
}

/** The value of a flag or a variable, which is text, or a list of texts where a flag may be repeated. */
export function readValue({ kind, bare }: Read, value: unknown): unknown {
  if (bare !== undefined && (value === true || value === 'true')) return bare
  if (kind === 'list' && Array.isArray(value)) return value.flatMap((item) => splitList(item))
  return typeof value === 'string' ? READERS[kind](value) : value
}

/** The value of a file, which has types of its own, but none for times and sizes. */
export function readUnits({ kind, bare }: Read, value: unknown): unknown {
  if (bare !== undefined && value === true) return bare
  return typeof value === 'string' && (kind === 'duration' || kind === 'size') ? READERS[kind](value) : value
}

/** A value as people read it; what flags and variables take means the same. `-` where there is none. */
export function writeValue({ kind }: Kind, value: unknown): string {
  if (value === undefined) return '-'
  if (typeof value === 'string') return value
  if (kind === 'duration' && typeof value === 'number') return formatDuration(value)
  if (kind === 'size' && typeof value === 'number') return formatSize(value)
  return JSON.stringify(value)
}

function splitList(value: unknown): unknown[] {
  if (typeof value !== 'string') return [value]
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
