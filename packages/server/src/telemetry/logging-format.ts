/** How log lines look to people, and what is done in both formats to values that may come from outside. */

/** A text that is longer is cut: names, ids and reasons are shorter, and a URL may be 32 KiB. */
const VALUE_CHARS_MAX = 1_024

/** An error as data, its causes included. */
export function plainError(error: Error): Record<string, unknown> {
  const { code } = error as { readonly code?: unknown }
  return {
    name: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause instanceof Error ? { cause: plainError(error.cause) } : {}),
  }
}

/**
 * The fields as they may be written: texts of bounded length, and errors as data, since they have no enumerable members and
 * JSON would show nothing of them.
 */
export function boundFields(fields: Record<string, unknown>): Record<string, unknown> {
  let plain: Record<string, unknown> | undefined
  for (const [key, value] of Object.entries(fields)) {
    const bounded = value instanceof Error ? plainError(value) : bound(value)
    if (bounded === value) continue
    plain ??= { ...fields }
    plain[key] = bounded
  }
  return plain ?? fields
}

function bound(value: unknown): unknown {
  return typeof value === 'string' && value.length > VALUE_CHARS_MAX
    ? `${value.slice(0, VALUE_CHARS_MAX)}…`
    : value
}

/**
 * One line for people: time, level, message, fields. Values that come from outside cannot break out of their line
 * or send control sequences to the terminal. The stack of an error follows, indented.
 */
export function formatTextLine(
  timeMs: number,
  level: string,
  message: string,
  fields: Readonly<Record<string, unknown>>,
): string {
  let line = `${new Date(timeMs).toISOString()} ${level.toUpperCase().padEnd(5)} ${message}`
  let stacks = ''
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue
    line += ` ${key}=${formatValue(value instanceof Error ? value.message : bound(value))}`
    if (value instanceof Error) stacks += formatStack(value)
  }
  return `${line}\n${stacks}`
}

const PLAIN = /^[\w.:/@+[\]-]+$/
/** Control characters but the line feed, ends of lines of other kinds, and marks that turn the direction of what follows. */
const CONTROL =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** A line of JSON that steers no terminal either: JSON escapes fewer characters than a terminal obeys. */
export function escapeInJson(line: string): string {
  return escapeControl(line)
}

function formatValue(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return value
  return escapeControl(stringify(value))
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    // Cycles and big integers, which must not end the node.
    return JSON.stringify(String(value))
  }
}

function formatStack(error: Error): string {
  let text = ''
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    const lines = escapeControl(current.stack ?? `${current.name}: ${current.message}`).split('\n')
    for (const line of lines) text += `    ${line.trimStart()}\n`
  }
  return text
}

function escapeControl(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
