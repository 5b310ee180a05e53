/** Time as commands see it; tests replace it. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Milliseconds since the epoch, to show to people. */
  wallNow(): number
  /** Calls `callback` once after `delayMs`; the result cancels. */
  setTimer(delayMs: number, callback: () => void): () => void
}

/** The clock of the process. Timers keep it alive: a command that waits is not over. */
export function createSystemClock(): Clock {
  return {
    now: () => performance.now(),
    wallNow: () => Date.now(),
    setTimer(delayMs, callback) {
      const timer = setTimeout(callback, delayMs)
      return () => clearTimeout(timer)
    },
  }
}

/** Resolves after a time, or at once when the signal is aborted; never rejects. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const end = (): void => {
      cancel()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.setTimer(delayMs, end)
    signal?.addEventListener('abort', end, { once: true })
  })
}
