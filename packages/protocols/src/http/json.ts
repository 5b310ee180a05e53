/** Bodies that are JSON. */
import { isUtf8 } from 'node:buffer'
import { RegistryError } from '@rollcall/wire'

/** JSON text as a value. */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new RegistryError('malformed', 'not UTF-8')
  try {
    return JSON.parse(bytes.toString()) as unknown
  } catch (cause) {
    throw new RegistryError('malformed', `not JSON: ${reasonOf(cause)}`, { cause })
  }
}

/** The parser quotes its input; a reader needs no more than the beginning of that. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : 'unreadable'
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
