/** Warnings and errors on the console, for programs that pass no logger. */
import type { Logger } from '../machine/ports.js'

/** One line each on the error output; what is not for a person to act on is dropped. */
export const CONSOLE_LOGGER: Logger = {
  error: (fields, message) => console.error(line(fields, message)),
  warn: (fields, message) => console.warn(line(fields, message)),
  info() {},
  debug() {},
}

function line(fields: Readonly<Record<string, unknown>>, message: string): string {
  return `rollcall: ${message} ${JSON.stringify(fields)}`
}
