/** Uniform in [0, 1). */
export type Random = () => number

/** The random source of the process; it spreads load and retries, so it need not be unpredictable. */
export function createSystemRandom(): Random {
  return () => Math.random()
}
