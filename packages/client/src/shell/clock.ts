/** Real time. */
import type { Clock } from '../machine/ports.js'

/**
 * Wall-clock moment at which this process started, as the first incarnation number. Workers of one program are forked
 * within a millisecond and must not have the same number: their process ids follow each other.
 */
export function bootMs(): number {
  return Math.floor(performance.timeOrigin) + (process.pid % 64)
}

/** The clock of the process. */
export function createSystemClock(): Clock {
  return {
    now: () => performance.now(),
    wallNow: () => Date.now(),
    setTimer(delayMs, callback) {
      // One more millisecond than asked: Node may fire up to 1 ms early, and a tick before its deadline is wasted.
      const timer = setTimeout(callback, Math.min(Math.ceil(delayMs) + 1, 2_147_483_647))
      return () => clearTimeout(timer)
    },
    soon: (callback) => queueMicrotask(callback),
  }
}
