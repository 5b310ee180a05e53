/** Time, where an integration has to wait. */
export interface Timing {
  /** Monotonic milliseconds. */
  now(): number
  /** Resolves after `delayMs`; the timer keeps the process alive. */
  sleep(delayMs: number): Promise<void>
  /** Aborts after `delayMs`, without keeping the process alive. */
  deadline(delayMs: number): AbortSignal
}

/** The clock of the process. */
export const SYSTEM_TIMING: Timing = {
  now: () => performance.now(),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
  deadline: (delayMs) => AbortSignal.timeout(delayMs),
}
