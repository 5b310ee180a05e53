/** How a call is made, as its caller says it. */
import type { Instance } from '@rollcall/wire'
import type { AttemptEnd, Judgement } from './judgement.js'
import type { HedgeDelay } from './latencies.js'
import { isHedgeDelay } from './latencies.js'
import { invalid } from '../machine/errors.js'
import type { Keys } from '../machine/keys-of-options.js'
import type { CallOutcome } from '../machine/events.js'

/** How a call is made: which attempts, how long, how often. */
export interface CallOptions<T = unknown> {
  /** What is to stay with one instance, such as a user's id. Only the balancer `hash` looks at it. */
  readonly key?: string | undefined
  /** Ends the call with `aborted`: its attempts are aborted, and held against no instance. */
  readonly signal?: AbortSignal | undefined
  /**
   * Time for the whole call: waiting for an instance to be there and all attempts together. Then `timeout`. Default
   * none; the wait for an instance ends after 5 s in any case.
   */
  readonly timeoutMs?: number | undefined
  /** Time for one attempt, so that one instance that hangs does not use up the whole call. Default none. */
  readonly tryTimeoutMs?: number | undefined
  /**
   * Whether it does no harm to execute the call twice. Default false: an attempt that may have been executed is
   * never followed by another. One that certainly was not (a refused connection) always may be.
   */
  readonly idempotent?: boolean | undefined
  /**
   * Most instances tried. Default 3 that may have cost time, and up to 16 in all: a refused connection costs none,
   * and half of a service may have died a moment ago.
   */
  readonly attempts?: number | undefined
  /**
   * Starts a second attempt elsewhere when the first has not ended after this time; the first answer counts and
   * the other attempt is aborted. Only for calls that are idempotent; once per call; counts as a retry. Default
   * none. `p95` and the like: as long as that share of the recent calls to the service took.
   */
  readonly hedgeMs?: HedgeDelay | undefined
  /** What an answer or an error means. Default, and where it returns undefined: `judgeError`, and every answer is good. */
  readonly judge?: (end: AttemptEnd<T>) => Judgement | undefined
  /** Releases an answer that will not be read, because another attempt was faster or follows. */
  readonly discard?: (answer: T) => void
}

/** What an attempt is told. */
export interface AttemptContext {
  /** Aborted when the call no longer waits for this attempt. */
  readonly signal: AbortSignal
  /** 1 for the first of a call. */
  readonly attempt: number
  /** What is left of the deadline as it begins, to be passed on; undefined without one. */
  readonly timeoutMs: number | undefined
  /** What an `observer` wants passed on to the instance, such as the context of a trace. */
  readonly headers: Readonly<Record<string, string>>
}

/** An attempt that counts at the balancer until it ends. */
export interface Attempt {
  readonly instance: Instance
  /** Says how it ended: the first time counts. Without an outcome nothing is said about the instance. */
  end(outcome?: CallOutcome): void
}

/** Carries out one attempt of a call at one instance. */
export type Work<T> = (instance: Instance, context: AttemptContext) => Promise<T> | T

/** The options of a call by name. */
export const CALL_KEYS: Keys<CallOptions> = {
  key: true,
  signal: true,
  timeoutMs: true,
  tryTimeoutMs: true,
  idempotent: true,
  attempts: true,
  hedgeMs: true,
  judge: true,
  discard: true,
}

/** Throws `invalid_argument` for options that cannot be meant. */
export function checkCallOptions(
  options: Pick<CallOptions, 'timeoutMs' | 'tryTimeoutMs' | 'attempts' | 'hedgeMs' | 'signal'>,
): void {
  const { attempts, hedgeMs, signal } = options
  if (signal !== undefined && typeof signal?.addEventListener !== 'function')
    throw invalid('a signal is an AbortSignal', 'signal')
  for (const field of ['timeoutMs', 'tryTimeoutMs'] as const) {
    const value = options[field]
    if (value !== undefined && !(value >= 0 && value < Infinity))
      throw invalid('a time is a number of milliseconds', field)
  }
  if (attempts !== undefined && !(Number.isInteger(attempts) && attempts >= 1))
    throw invalid('a call has at least one attempt', 'attempts')
  if (hedgeMs !== undefined && !isHedgeDelay(hedgeMs))
    throw invalid('the delay of a hedge is a number of milliseconds or p50, p90, p95, p99', 'hedgeMs')
}
