/**
 * How deep and how wide JSON may be, seen before it is parsed: the parser takes seconds for one object with half a million
 * keys, or for brackets a million deep. Neither says anything to a registry.
 */
import { RegistryError } from '@rollcall/wire'

/** Deepest nesting. What the API takes is six deep; the rest is for fields that this version does not know. */
const DEPTH_MAX = 64
/** Most members of one object. */
const MEMBERS_MAX = 20_000
/** Most values, those of arrays included: some 100 for each item of the largest batch by default. */
const VALUES_MAX = 1_000_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a

/** Members so far of the object at each depth. One for all checks: a typed array costs a beat more than its own check does. */
const members = new Uint32Array(DEPTH_MAX + 2)

/** Throws `malformed` for JSON beyond the bounds. What is no JSON passes: the parser says what is wrong with it. */
export function checkJsonBounds(bytes: Uint8Array): void {
  // Too short to break any of them, as a single beat is.
  if (bytes.length <= DEPTH_MAX) return
  members[0] = 0
  let depth = 0
  let values = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) {
      at = endOfText(bytes, at)
    } else if (byte === COMMA) {
      if (++values > VALUES_MAX) throw tooMuch(`of more than ${VALUES_MAX} values`)
    } else if (byte === COLON) {
      const count = (members[depth] as number) + 1
      members[depth] = count
      if (count > MEMBERS_MAX) throw tooMuch(`an object of more than ${MEMBERS_MAX} members`)
    } else if ((byte | 0x20) === 0x7b) {
      // { and [ differ in this bit, and so do } and ].
      if (++depth > DEPTH_MAX) throw tooMuch(`nested more than ${DEPTH_MAX} deep`)
      members[depth] = 0
    } else if ((byte | 0x20) === 0x7d && depth > 0) {
      depth--
    }
  }
}

/** The place of the quote that ends the text which begins at `start`. */
function endOfText(bytes: Uint8Array, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at
}

function tooMuch(what: string): RegistryError {
  return new RegistryError('malformed', `the JSON is ${what}`)
}
