/** What a balancer is. */
import type { Instance } from '@rollcall/wire'
import type { CallOutcome } from '../machine/events.js'
import type { Random } from '../machine/ports.js'

/**
 * Chooses one of the candidates. `pick` is on the path of every call: it allocates nothing and waits for nothing.
 *
 * `update`, `pick`, `began` and `ended` of one balancer are never called from inside each other.
 */
export interface Balancer {
  /** Takes over a new list of candidates, all equally fit to be called; objects of unchanged instances stay the same. */
  update(candidates: readonly Instance[]): void
  /** The next candidate; undefined when there is none. `key` is what the caller wants to stick to one instance. */
  pick(key?: string): Instance | undefined
  /** An attempt at an instance began; it will end. Not told of a bare `pick()`, whose end is not known. */
  began?(instance: Instance): void
  /** An attempt that began, or a call that was reported, ended. */
  ended?(instance: Instance, end: AttemptReport): void
}

/** How one attempt ended. */
export interface AttemptReport {
  /** Undefined: that says nothing about the instance, such as a call its caller gave up. */
  readonly outcome: CallOutcome | undefined
  /** Milliseconds until the answer began, or until it was given up; undefined when it was not measured. */
  readonly latencyMs: number | undefined
  /** Whether `began` was called for it. */
  readonly wasBegun: boolean
}

/** What a balancer may use. */
export interface BalancerTools {
  /** Uniform in [0, 1). */
  readonly random: Random
  /** Monotonic milliseconds. */
  now(): number
}

/** Makes the balancer of one service. */
export type BalancerFactory = (tools: BalancerTools) => Balancer
