/** Followers of the event log. */
import type { Clock } from '@rollcall/core'

/** Events are collected for this long before anybody is woken. */
const WINDOW_MS = 20

/** Those who want to know when something happened. Each holds its own place in the log. */
export interface EventFollowers {
  /** Calls `listener` soon after something happened, until the returned function is called. */
  follow(listener: () => void): () => void
  /** Tells the number of the newest event. O(1) without followers. */
  reached(newest: number): void
  close(): void
}

/** Creates an empty set of followers. */
export function createEventFollowers(clock: Clock): EventFollowers {
  const listeners = new Set<() => void>()
  let seen = 0
  let cancelTimer: (() => void) | undefined
  return {
    follow(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    reached(newest) {
      if (newest === seen) return
      seen = newest
      if (listeners.size === 0) return
      cancelTimer ??= clock.setTimer(WINDOW_MS, () => {
        cancelTimer = undefined
        for (const listener of [...listeners]) listener()
      })
    },
    close() {
      cancelTimer?.()
      cancelTimer = undefined
      listeners.clear()
    },
  }
}
