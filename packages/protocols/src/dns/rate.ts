/** How many datagrams of a source are answered in full. Its memory does not depend on how many sources there are. */
import type { Clock } from '@rollcall/core'
import { isLoopback, sourceOf } from './sources.js'

/** Places for sources. Those that share one share its rate, which with a few thousand at a time is rare. */
const PLACES = 65_536

/**
 * Tells whether a source may be answered in full now. A source may send as much at once as in a second. `seed` decides which
 * sources share a place, so that none can choose whose place it fills.
 */
export function createRate(
  clock: Pick<Clock, 'now'>,
  perSecond: number,
  seed: number,
): (address: string) => boolean {
  if (perSecond === 0) return () => true
  // What is left of the second's amount, and when that was so.
  const left = new Float64Array(PLACES).fill(perSecond)
  const at = new Float64Array(PLACES)
  return (address) => {
    if (isLoopback(address)) return true
    const place = hash(sourceOf(address), seed) % PLACES
    const now = clock.now()
    const grown = (left[place] as number) + ((now - (at[place] as number)) * perSecond) / 1_000
    const amount = Math.min(perSecond, grown)
    at[place] = now
    left[place] = amount >= 1 ? amount - 1 : amount
    return amount >= 1
  }
}

/** FNV-1a with a seed, and the avalanche of murmur3 behind it. */
function hash(text: string, seed: number): number {
  let value = (0x811c9dc5 ^ seed) >>> 0
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b) >>> 0
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35) >>> 0
  return (value ^ (value >>> 16)) >>> 0
}
