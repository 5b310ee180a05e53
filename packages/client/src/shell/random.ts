/** Real chance. */
import type { Random } from '../machine/ports.js'

/** The random source of the process; it spreads load and retries, so it need not be unpredictable. */
export function createSystemRandom(): Random {
  return () => Math.random()
}
