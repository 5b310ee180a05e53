/** A logger whose lines a test can read: level, message, fields. */
import type { Logger } from '@rollcall/core'

export function linesOf(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = []
  const at =
    (level: string): Logger['info'] =>
    (fields, message) =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields)}`)
  return { logger: { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') }, lines }
}
