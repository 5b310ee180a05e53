/**
 * Lists by parts, for a node that does not know the sign of a list that it is shown: each instance belongs to one of some parts
 * by its name, and each part has the sum of its digests, of which 16 bits are enough, because the sign tells in the end whether
 * all was right. A part for each instance costs the least: what is shown and what is sent for nothing are then about the same.
 */
import type { Lanes } from './sign.js'

/** Most parts of a list: their sums fit into a frame many times. */
export const PARTS_MAX = 16_384

/** Hex digits of the sum of one part. */
const DIGITS = 4

/** The part that an instance belongs to: FNV-1a over the characters of group, slash and id, modulo the number of parts. */
export function partOf(group: string, id: string, parts: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < group.length; index++) hash = step(hash, group.charCodeAt(index))
  hash = step(hash, 47)
  for (let index = 0; index < id.length; index++) hash = step(hash, id.charCodeAt(index))
  return (hash >>> 0) % parts
}

function step(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193)
}

/** How many parts a list of so many instances has: as many, rounded up to a power of two. */
export function partsFor(instances: number): number {
  let parts = 1
  while (parts < instances && parts < PARTS_MAX) parts *= 2
  return parts
}

/** The sums of the parts of a list. */
export class PartSums {
  private readonly sums: Uint16Array

  constructor(parts: number) {
    this.sums = new Uint16Array(parts)
  }

  /** Adds the digest of an instance of that part. */
  add(part: number, { lo }: Pick<Lanes, 'lo'>): void {
    this.sums[part] = (this.sums[part] as number) + lo
  }

  /** The sums as they travel: four hex digits for each part, in order. */
  toString(): string {
    let text = ''
    for (const sum of this.sums) text += sum.toString(16).padStart(DIGITS, '0')
    return text
  }

  /** The parts of which another list has other sums. It has as many parts. */
  differing(others: string): number[] {
    const found: number[] = []
    for (let part = 0; part < this.sums.length; part++) {
      const start = part * DIGITS
      if (Number.parseInt(others.slice(start, start + DIGITS), 16) !== this.sums[part]) found.push(part)
    }
    return found
  }
}

/** How many parts the sums of a list are of; undefined where the text is no sums. */
export function partsOf(sums: string): number | undefined {
  const parts = sums.length / DIGITS
  return Number.isInteger(parts) && parts >= 1 && parts <= PARTS_MAX && /^[0-9a-f]+$/.test(sums)
    ? parts
    : undefined
}
