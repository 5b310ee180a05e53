/** Real time. */
import type { Clock } from '../machine/ports.js'

/**
 * The moment of this call as the first incarnation number. Workers of one program are forked within a millisecond and
 * must not have the same number: their process ids follow each other. Not the start of the process: Jest runs many files
 * of tests in one, each in a world of its own that begins to count anew, and would be refused once for numbers of the one before.
 */
export function firstIncarnation(): number {
  return Math.floor(performance.timeOrigin + performance.now()) + (process.pid % 64)
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
