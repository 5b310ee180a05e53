/**
 * What the index of a blocking query is made of: a height, which grows with each change a node makes, and a print of what is
 * listed, which is the same on every node that lists the same. So a node can tell from the index of another one, or of its own
 * earlier boot, whether its client has the present list. Pure.
 */

/** Prints: three hex digits. An index stays an exact number in every language until the year 2089. */
const PRINTS = 4_096
/** Heights begin at milliseconds since 2020. */
const EPOCH_MS = Date.UTC(2020, 0, 1)

/** The height at which a boot begins: above all earlier ones, where they made less than a thousand changes a second on average. */
export function heightAt(wallMs: number): number {
  return Math.max(1, Math.floor(wallMs) - EPOCH_MS)
}

/** `sign`: that of what is listed. */
export function indexOf(height: number, sign: string): number {
  return height * PRINTS + Number.parseInt(sign.slice(-3), 16)
}

/**
 * How the index that a client shows stands to the present one: `current`; `alike` = of another node or boot, where the same was
 * listed; `other` = of something else that was listed here or elsewhere; `none` = no node gives out such a number.
 */
export type Relation = 'current' | 'alike' | 'other' | 'none'

export function relationOf(seen: number, current: number): Relation {
  if (seen === current) return 'current'
  if (seen < PRINTS || !Number.isSafeInteger(seen)) return 'none'
  return seen % PRINTS === current % PRINTS ? 'alike' : 'other'
}
