/** The keys of the port and those in etcd: the same, but for the prefix. */
import { isUtf8 } from 'node:buffer'

export interface PrefixKeys {
  /** Name of the key of the charter, as etcd holds it. */
  readonly charter: string
  /** The first key of the prefix, and the first one after it. */
  readonly first: Uint8Array
  readonly end: Uint8Array
  /** As etcd holds it. */
  stored(key: string): string
  /** As the port names it; undefined for the charter, and for what is no text, which is not ours. */
  named(key: Uint8Array): string | undefined
  isCharter(key: Uint8Array): boolean
}

export const CHARTER = 'charter'

export function createPrefixKeys(prefix: string): PrefixKeys {
  const charter = prefix + CHARTER
  const charterBytes = Buffer.from(charter)
  const isCharter = (key: Uint8Array): boolean => charterBytes.equals(key)
  return {
    charter,
    first: Buffer.from(prefix),
    // A slash is the last byte of a prefix, and this the byte after it.
    end: Buffer.from(`${prefix.slice(0, -1)}0`),
    stored: (key) => prefix + key,
    named(key) {
      if (!isUtf8(key) || isCharter(key)) return undefined
      return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('utf8', prefix.length)
    },
    isCharter,
  }
}

/** The first key after this one. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}
