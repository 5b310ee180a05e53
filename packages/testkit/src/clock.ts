/** Real time of the launchers. */
import type { Clock } from '@rollcall/core'

/** Real time, for what starts real processes. */
export function createSystemClock(): Clock {
  return {
    now: () => performance.now(),
    wallNow: () => Date.now(),
    setTimer(delayMs, callback) {
      const timer = setTimeout(callback, delayMs).unref()
      return () => clearTimeout(timer)
    },
  }
}
