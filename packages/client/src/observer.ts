import type { Instance } from '@rollcall/wire'
import type { Rollcall } from './client.js'
import type { Service } from './service.js'
import type { CallOutcome } from './machine/events.js'

/**
 * Follows what a client does, for traces and metrics (`@rollcall/integrations/opentelemetry` is one). Its functions are
 * called as things happen, some of them for every call: they are quick and do not throw; what they throw reaches
 * whoever called.
 */
export interface Observer {
  /** A client was made. What this returns is called when it has closed. */
  connected?(client: Rollcall): (() => void) | undefined
  /** A service is used for the first time. */
  opened?(service: Service): void
  /** An instance was handed out, by `pick` or for an attempt. */
  picked?(service: Service, instance: Instance): void
  /** A call begins: `call` or `fetch`. */
  called?(service: Service): CallObservation | undefined
}

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
  /** It is over. Without an outcome nothing is said about the instance: nobody waits any more, or the caller erred. */
  end(outcome: CallOutcome | undefined, error?: unknown): void
}
