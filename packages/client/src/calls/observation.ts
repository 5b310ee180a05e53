/** How a call is followed from outside, for traces and metrics. */
import type { Instance } from '@rollcall/wire'
import type { CallOutcome } from '../machine/events.js'

/** One call. */
export interface CallObservation {
  /** An attempt begins. */
  attempt(begin: AttemptBegin): AttemptObservation
  /** It is over, with its answer or this error. */
  end(error?: unknown): void
}

/** What is known of an attempt before it is made. */
export interface AttemptBegin {
  readonly instance: Instance
  /** 1 for the first of a call. */
  readonly attempt: number
}

/** One attempt of a call. */
export interface AttemptObservation {
  /** To be passed on to the instance, such as the context of a trace; `fetch` does so. */
  readonly headers: Readonly<Record<string, string>>
  /** Carries out `work`, with whatever is to be current meanwhile. */
  run<T>(work: () => T): T
  /** It is over. Without an outcome nothing is said about the instance: the call no longer waits, or the caller erred. */
  end(outcome: CallOutcome | undefined, error?: unknown): void
}
