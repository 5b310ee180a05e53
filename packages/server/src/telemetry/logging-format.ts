/** How log lines look to people, and how errors look in both formats. */

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
    line += ` ${key}=${formatValue(value instanceof Error ? value.message : value)}`
    if (value instanceof Error) stacks += formatStack(value)
  }
  return `${line}\n${stacks}`
}

const PLAIN = /^[\w.:/@+[\]-]+$/
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/g

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
