/** The clock of a node’s process. */
import type { Clock } from '@rollcall/core'

/** Longest delay Node keeps; a longer one would silently become 1 ms. */
const DELAY_MS_MAX = 2_147_483_647

/**
 * The time of this process. Timers are unref'd: what keeps a node alive is its listener, never a timer.
 * Negative delays mean as soon as possible; one beyond 24.8 days is a mistake of ours and throws.
 */
export function createSystemClock(): Clock {
  return {
    now: () => performance.now(),
    wallNow: () => Date.now(),
    setTimer(delayMs, callback) {
      if (!(delayMs <= DELAY_MS_MAX)) throw new RangeError(`timer delay out of range: ${delayMs} ms`)
      if (delayMs <= 0) {
        const immediate = setImmediate(callback)
        immediate.unref()
        return () => clearImmediate(immediate)
      }
      const timer = setTimeout(callback, delayMs)
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
