/** The time that a call has. */
import { RegistryError } from '@rollcall/wire'
import type { Clock } from '../machine/ports.js'
import { abortedError } from '../machine/errors.js'
import { onAbort } from './signals.js'

/** What ends a call before its answer: the time it has, its caller, or the end of the client. */
export interface Deadline {
  /** Aborted, with a RegistryError as the reason, when the call is over. */
  readonly signal: AbortSignal
  /** Whether the time is over. */
  readonly expired: boolean
  /** Milliseconds left; undefined where time is not limited. */
  left(): number | undefined
  /** Ends the call now. The first reason counts. */
  end(reason: RegistryError): void
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
  const controller = new AbortController()
  const endAt = timeoutMs === undefined ? undefined : clock.now() + timeoutMs
  let expired = false
  const end = (reason: RegistryError): void => {
    if (!controller.signal.aborted) controller.abort(reason)
  }
  const runOut = (): void => {
    expired = !controller.signal.aborted
    end(new RegistryError('timeout', `${service} did not answer within ${timeoutMs} ms`))
  }
  const follow = (): void => {
    if (signal !== undefined) end(abortedError(signal))
  }
  const cancel = timeoutMs === undefined ? undefined : clock.setTimer(timeoutMs, runOut)
  if (signal?.aborted === true) follow()
  const letGo = onAbort(signal, follow)
  return {
    signal: controller.signal,
    get expired() {
      return expired
    },
    left: () => (endAt === undefined ? undefined : Math.max(0, endAt - clock.now())),
    end,
    release() {
      cancel?.()
      letGo()
    },
  }
}
