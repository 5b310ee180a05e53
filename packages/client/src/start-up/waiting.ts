/** Waits that end in time. */
import type { Clock } from '../machine/ports.js'
import { abortedError } from '../machine/errors.js'
import { onAbort } from '../calls/signals.js'

/** Waits for something that never rejects, no longer than this; rejects with `aborted` on abort only. */
export function waitWithin(
  work: Promise<void>,
  clock: Pick<Clock, 'setTimer'>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal?.aborted === true) return Promise.reject(abortedError(signal))
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      cancel()
      if (signal !== undefined) reject(abortedError(signal))
    }
    const end = (): void => {
      cancel()
      letGo()
      resolve()
    }
    const cancel = clock.setTimer(Math.max(0, timeoutMs), end)
    const letGo = onAbort(signal, abort)
    void work.then(end)
  })
}
