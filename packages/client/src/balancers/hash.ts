/** Spreads the bits of a 32-bit number over all of them (the finaliser of MurmurHash3). */
export function mix(value: number): number {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A 32-bit hash of a text (FNV-1a over its code units, mixed); another `seed` is another hash. */
export function hashText(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return mix(hash)
}

/** Two hashes of an instance's identity, the same over restarts: equal in both only if the instances are. */
export class Identity {
  private readonly first: number
  private readonly second: number

  constructor(text: string) {
    this.first = hashText(text)
    this.second = hashText(text, 0x9e3779b9)
  }

  /** A number in [0, 2^32) that belongs to this identity and that place. */
  at(place: number): number {
    return mix(Math.imul(this.first ^ place, 0x9e3779b1) + (this.second ^ (place >>> 15)))
  }
}
