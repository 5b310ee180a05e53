/**
 * Names of other registries as names of ours, and back. A name that is one of ours already stays as it is and reads as itself;
 * any other text is written behind `_.`, with each byte of UTF-8 that has no place in it as `_` and two hex digits. All
 * adapters and bridges use this one, so that a service has one name, whichever of them it came by. Case is a matter of their
 * mappings.
 */
import { ID_PATTERN, NAME_PATTERN } from './limits.js'

/** What an escaped text begins with. A name that would read as an escaped text is escaped itself. */
const PREFIX = '_.'

/** Most bytes of UTF-8 of a text before it is escaped, unless the protocol says less. */
const BYTES_MAX = 512

interface Alphabet {
  /** What is one of ours as it stands. */
  readonly pattern: RegExp
  /** Characters that stand for themselves in an escaped text: all but the underscore. */
  readonly plain: RegExp
}

const NAMES: Alphabet = { pattern: NAME_PATTERN, plain: /[A-Za-z0-9.-]/ }
const IDS: Alphabet = { pattern: ID_PATTERN, plain: /[A-Za-z0-9.:[\]-]/ }

/** The name of ours; undefined for no text, for one that is no Unicode, and for one that is too long, before or after escaping. */
export function escapeName(text: string, bytesMax: number = BYTES_MAX): string | undefined {
  return escape(text, NAMES, bytesMax)
}

/** The text that a name of ours stands for. Every name is one. */
export function readName(name: string): string {
  return read(name, NAMES)
}

/** The same for the id of an instance, which may be longer and has colons and brackets. */
export function escapeId(text: string, bytesMax: number = BYTES_MAX): string | undefined {
  return escape(text, IDS, bytesMax)
}

/** The text that an id of ours stands for. */
export function readId(id: string): string {
  return read(id, IDS)
}

function escape(text: string, alphabet: Alphabet, bytesMax: number): string | undefined {
  // Longer in UTF-16 units means longer in bytes: a text of megabytes is not looked at.
  if (text === '' || text.length > bytesMax) return undefined
  const bytes = utf8Of(text)
  if (bytes === undefined || bytes.length > bytesMax) return undefined
  if (alphabet.pattern.test(text) && read(text, alphabet) === text) return text
  const name = written(bytes, alphabet)
  return alphabet.pattern.test(name) ? name : undefined
}

/** Undefined for what UTF-8 cannot say: lone surrogates. */
function utf8Of(text: string): readonly number[] | undefined {
  let encoded: string
  try {
    encoded = encodeURIComponent(text)
  } catch {
    return undefined
  }
  const bytes: number[] = []
  for (let at = 0; at < encoded.length; at++) {
    if (encoded[at] === '%') {
      bytes.push(Number.parseInt(encoded.slice(at + 1, at + 3), 16))
      at += 2
    } else {
      bytes.push(encoded.charCodeAt(at))
    }
  }
  return bytes
}

/** The escaped form, whether it is needed and fits or not. */
function written(bytes: readonly number[], { plain }: Alphabet): string {
  let name = PREFIX
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    name += byte < 0x80 && plain.test(character) ? character : `_${byte.toString(16).padStart(2, '0')}`
  }
  return name
}

function read(name: string, alphabet: Alphabet): string {
  if (!name.startsWith(PREFIX)) return name
  const text = decoded(name.slice(PREFIX.length))
  if (text === undefined || text === '') return name
  // Only what escaping itself writes is read: one text has one name.
  const isNeeded = !alphabet.pattern.test(text) || read(text, alphabet) !== text
  return isNeeded && written(utf8Of(text) ?? [], alphabet) === name ? text : name
}

function decoded(escaped: string): string | undefined {
  if (/_(?![0-9a-f]{2})/.test(escaped)) return undefined
  try {
    // Every other character of a name is one that may stand there as it is.
    return decodeURIComponent(escaped.replaceAll('%', '%25').replaceAll('_', '%'))
  } catch {
    return undefined
  }
}
