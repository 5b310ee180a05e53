/** The public interfaces of a service: its handle, how it is waited for and picked from, and the shares of its work. */
import type { Instance } from '@rollcall/wire'
import type { Attempt, CallOptions, Work } from './calls/call.js'
import type { FetchInit } from './calls/fetch.js'
import type { CallOutcome, ListChange, ListSource } from './machine/events.js'
import type { Origin, WatchStatus } from './machine/status.js'

/** How to wait for a service. */
export interface ReadyOptions {
  /** Default 5,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** Which instance is wanted. */
export interface PickOptions {
  /** What is to stay with one instance, such as a user's id. Only the balancer `hash` looks at it. */
  readonly key?: string
  /** None of these, such as those a call was refused by. */
  readonly except?: Iterable<Instance>
}

/** A handle of a watched service, or of one group of it. */
export interface Service extends WatchedService {
  /**
   * Ends what was begun with this handle: calls and `ready()` reject with `closed`, `changes()` ends, also that of shards. The
   * watch ends when every handle of the service was closed, and its memory, connections and the node's part in it are given
   * back. A handle that is dropped without it costs nothing, but then the watch stays until the client is closed. Idempotent;
   * `Rollcall.service()` gives a new handle.
   */
  close(): void
  [Symbol.dispose](): void
}

/** A watched service, or one group of it, as its handles share it. */
export interface WatchedService {
  readonly namespace: string
  readonly name: string
  readonly group: string | undefined
  /** Where the current list came from. */
  readonly source: ListSource
  /**
   * Resolves once there is something to call, and, the first time, when those who can be called were warmed up
   * (`ConnectOptions.warmup`) or the deadline has come. Rejects at the deadline with `no_instances` (the service is
   * known and has none), `unreachable` (no registry, snapshot or static list) or `timeout` (a registry that does not
   * tell).
   */
  ready(options?: ReadyOptions): Promise<void>
  /**
   * The next instance to call, from memory; never waits. Throws `no_instances`, or `unreachable` while
   * nothing is known of the service. Order: `up`, `suspect`, `draining`, those that vanished without a word and
   * left less than half of the list, the static list; within it by the balancer.
   */
  pick(options?: PickOptions): Instance
  /**
   * `pick` for a call whose end will be told: it counts as in flight until `end()`, which reports the outcome and
   * the time it took. For libraries with an interface of their own; where you can wrap the call, `call` does it all.
   */
  attempt(options?: PickOptions): Attempt
  /**
   * Says how a call to a picked instance ended; `fetch` does so by itself. `unreachable` leaves the instance out
   * at once, `timeout` and `failure` do so three in a row, for 1 s doubling to 30 s; then it gets one call at a
   * time until one succeeds. Never more than half are left out. Unknown instances are ignored. `latencyMs` tells
   * the balancer `least-loaded` how long it took.
   */
  report(instance: Instance, outcome: CallOutcome, details?: { readonly latencyMs?: number }): void
  /** Where the list came from and how old that is, for each cluster. */
  status(): WatchStatus
  /** Where an instance is listed: first of all where it was taken from. Empty for one that is not listed. */
  origins(instance: Instance): readonly Origin[]
  /** The current list in all states, as the source gave it; of several clusters as they were merged. */
  instances(): readonly Instance[]
  /** The instances that `pick` chooses among at this moment, in no order of preference, for balancers of one's own. */
  candidates(): readonly Instance[]
  /**
   * Calls `listener` after each change of `candidates()`, once whatever caused it is complete; several changes
   * at once are one call. The result ends that, as `close()` does.
   */
  onCandidates(listener: () => void): () => void
  /**
   * A call of any protocol: `ready`, and `work` carried out at one instance after the other until one answers, with
   * deadlines, retries within the budget and, if asked for, a hedge. `work` is given an instance and a signal, and
   * rejects when it fails. Rejects like `fetch`, with `timeout` after `timeoutMs`, and with the error of `work` itself
   * when that is no broken connection and no timeout.
   */
  call<T>(work: Work<T>, options?: CallOptions<T>): Promise<T>
  /**
   * The live instances in a stable order (group, then id), for splitting work: `up` and `suspect`. The same for all
   * clients that have the same list; what failed here does not count.
   */
  members(): readonly Instance[]
  /**
   * Assigns so many numbered shards, 1 to 65,536, to the members, and tells which are this process's own, by its
   * registrations. When a member leaves only its shards move, when one joins they move only to it. Not a lock: see
   * `Shards`. Throws `invalid_argument` for another count.
   */
  shards(count: number): Shards
  /**
   * `ready` and a balanced HTTP request that fails over to other instances when a connection fails. Rejects with
   * `no_instances` or `unreachable` when there is no instance, at once when all have just failed several times.
   */
  fetch(path: string, init?: FetchInit): Promise<Response>
  /** Starts with the current list; a consumer that is behind gets the latest list instead of every step. Ends at `close()` of the handle or the client. */
  changes(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<ListChange>
}

/** What this process is to work on from now on. */
export interface ShardChange {
  /** All shards of this process, ascending. */
  readonly own: readonly number[]
  /** Those that are new, compared with the change before. */
  readonly gained: readonly number[]
  /** Those that are another member's now, or no member's. */
  readonly lost: readonly number[]
  /** Where the list came from by which they were assigned. */
  readonly source: ListSource
}

/**
 * Numbered shards of some work, each assigned to one member of a service. Not a lock: for as long as a change needs to
 * reach all members, two processes may believe that a shard is theirs, or none; a process that has lost the registry
 * goes on with what it knew.
 */
export interface Shards {
  readonly count: number
  /** Those of the registrations of this process, ascending. */
  own(): readonly number[]
  /**
   * The member that has a shard, 0 to count − 1; undefined while there are no members. Throws `invalid_argument` for other numbers.
   */
  owner(shard: number): Instance | undefined
  /**
   * Each change of `own()`, beginning with the present ones once a list is known. A consumer that is behind gets
   * several changes as one. Ends at `close()`: nothing is this process's any more then.
   */
  changes(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<ShardChange>
}
