/** Bodies that are JSON. */
import { isUtf8 } from 'node:buffer'
import { RegistryError } from '@rollcall/wire'
import { checkJsonBounds } from './json-bounds.js'

/** What some systems put in front of UTF-8, which RFC 8259 section 8.1 lets a reader ignore. */
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** JSON text as a value. */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new RegistryError('malformed', 'not UTF-8')
  checkJsonBounds(bytes)
  const marked = bytes[0] === BYTE_ORDER_MARK[0] && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)
  try {
    return JSON.parse(bytes.toString('utf8', marked ? BYTE_ORDER_MARK.length : 0)) as unknown
  } catch (cause) {
    throw new RegistryError('malformed', `not JSON: ${reasonOf(cause)}`, { cause })
  }
}

/** The parser quotes its input; a reader needs no more than the beginning of that. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : 'unreadable'
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
