/** Chance as commands use it: it spreads retries, so it need not be unpredictable. */

/** From 0 up to 1. */
export type Chance = () => number

export function createSystemRandom(): Chance {
  return () => Math.random()
}
