/** Waits that end early when the engine closes, and how long they grow. */
import type { Clock } from '@rollcall/core'
import type { EtcdTiming } from './options.js'

/** Waits of one owner. */
export interface Pauses {
  readonly closed: boolean
  /** Resolves after `ms`, or at once when everything closes. */
  wait(ms: number): Promise<void>
  /** The wait before attempt number `failed`, from 1: doubled each time, shortened by up to a half at random, and never longer than `msMax`. */
  backoff(failed: number, msMax?: number): Promise<void>
  /** Ends all waits, now and later. Idempotent. */
  close(): void
}

export function createPauses(
  clock: Clock,
  random: () => number,
  timing: Pick<EtcdTiming, 'retryMs' | 'retryMsMax'>,
): Pauses {
  const waiting = new Set<() => void>()
  let closed = false
  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (closed) return resolve()
      const end = (): void => {
        waiting.delete(end)
        cancel()
        resolve()
      }
      const cancel = clock.setTimer(ms, end)
      waiting.add(end)
    })
  return {
    get closed() {
      return closed
    },
    wait,
    backoff(failed, msMax = Infinity) {
      const longest = Math.min(timing.retryMsMax, timing.retryMs * 2 ** Math.min(failed - 1, 16))
      return wait(Math.min(msMax, longest * (1 - random() / 2)))
    },
    close() {
      closed = true
      for (const end of waiting) end()
    },
  }
}
