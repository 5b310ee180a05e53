/** A clock that moves when a test says so. */
import type { Clock } from '@rollcall/core'

export interface HandClock extends Clock {
  /** Moves on and runs what is due, in order. */
  advance(ms: number): void
}

export function createHandClock(): HandClock {
  let now = 0
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>()
  return {
    now: () => now,
    wallNow: () => 1_700_000_000_000 + now,
    setTimer(delayMs, callback) {
      const timer = { at: now + delayMs, callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance(ms) {
      const end = now + ms
      for (;;) {
        const due = [...timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
        if (due === undefined) break
        timers.delete(due)
        now = due.at
        due.callback()
      }
      now = end
    },
  }
}
