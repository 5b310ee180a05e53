import { setMaxListeners } from 'node:events'
import { RegistryError } from '@rollcall/wire'
import type { Clock } from '../clock.js'
import { abortedError } from '../driver.js'

/** So many calls at once on one signal are a mistake after all. */
const LISTENERS_MAX = 100_000

/** What ends a call before its answer: the time it has, or its caller. */
export interface Deadline {
  /** Aborted when the call is over; undefined when nothing can end it. */
  readonly signal: AbortSignal | undefined
  /** Whether the time is over, rather than the caller's patience. */
  readonly expired: boolean
  /** Milliseconds left; undefined without a deadline. */
  left(): number | undefined
  /** Why the call is over. */
  error(): RegistryError
  /** Lets go of timer and signal. */
  release(): void
}

/** Starts the time of a call. */
export function startDeadline(
  clock: Clock,
  service: string,
  {
    timeoutMs,
    signal,
  }: { readonly timeoutMs?: number | undefined; readonly signal?: AbortSignal | undefined },
): Deadline {
  if (signal !== undefined) share(signal)
  if (timeoutMs === undefined) {
    return {
      signal,
      expired: false,
      left: () => undefined,
      error: () => abortedError(signal ?? AbortSignal.abort()),
      release: () => {},
    }
  }
  const controller = new AbortController()
  const endAt = clock.now() + timeoutMs
  let expired = false
  const cancel = clock.setTimer(timeoutMs, () => {
    expired = true
    controller.abort()
  })
  const follow = (): void => controller.abort(signal?.reason)
  if (signal?.aborted === true) follow()
  else signal?.addEventListener('abort', follow, { once: true })
  return {
    signal: controller.signal,
    get expired() {
      return expired
    },
    left: () => Math.max(0, endAt - clock.now()),
    error: () =>
      expired
        ? new RegistryError('timeout', `${service} did not answer within ${timeoutMs} ms`)
        : abortedError(controller.signal),
    release() {
      cancel()
      signal?.removeEventListener('abort', follow)
    },
  }
}

/** One signal may end any number of calls: as many listeners are no leak, and Node would warn of more than ten. */
function share(signal: AbortSignal): void {
  if (signal instanceof EventTarget) setMaxListeners(LISTENERS_MAX, signal)
}
