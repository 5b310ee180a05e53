/**
 * The public interfaces of the SDK, from `connect` to what a call is followed by. What they are made of (lists, states,
 * outcomes, options of balancers and calls) is passed on at the end.
 */
import type { Instance, Intent, Liveness, Probe, RegistryError } from '@rollcall/wire'
import type { BalancingOptions } from './balancers/balancing.js'
import type { Attempt, CallOptions, Work } from './calls/call.js'
import type { FetchInit } from './calls/fetch.js'
import type { CallObservation } from './calls/observation.js'
import type {
  CallOutcome,
  ClusterTerms,
  ListChange,
  ListSource,
  MergeMode,
  RegistrationPatch,
  RegistrationState,
} from './machine/events.js'
import type { Logger } from './machine/ports.js'
import type { MachineTimes } from './machine/settings.js'
import type { MachineStatus, Origin, WatchStatus } from './machine/status.js'
import type { WarmUpHook, WarmUpOptions } from './start-up/warm-up.js'

/** An instance of a static list. */
export interface StaticInstance {
  readonly host: string
  readonly port: number
  /** Default `host:port`. */
  readonly id?: string
  readonly group?: string
  readonly protocol?: string
  readonly weight?: number
  readonly zone?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** One of several clusters. */
export type ClusterOptions = Pick<ConnectOptions, 'registries' | 'cluster' | 'static'>

/** Options of `connect`. */
export interface ConnectOptions extends WarmUpOptions {
  /** URLs of the nodes of one cluster. Default `[]`: only snapshots and static lists. */
  readonly registries?: readonly string[]
  /**
   * Several clusters by name, the preferred one first, instead of `registries`, `cluster` and `static`, which each
   * of them has for itself. At most 16; more are refused.
   */
  readonly clusters?: Readonly<Record<string, ClusterOptions>>
  /** How the lists of several clusters become one where a service does not say it. Default `union`. */
  readonly merge?: MergeMode
  /** Default `default`. */
  readonly namespace?: string
  /**
   * The zone of this process: registrations carry it, and services are called in it first, unless they say otherwise.
   * Default none.
   */
  readonly zone?: string
  /** Names the cluster in snapshot files. Default: derived from `registries`, so set it if that list changes often. */
  readonly cluster?: string
  /**
   * Where snapshots are kept; `false` keeps none. Default: `rollcall` in the user's cache directory
   * (XDG_CACHE_HOME, LOCALAPPDATA or ~/.cache), or `rollcall-<uid>` in the temporary directory where there is no home.
   */
  readonly snapshotDir?: string | false
  /** Last resort by service, in the namespace of this client. */
  readonly static?: Readonly<Record<string, readonly StaticInstance[]>>
  /** Default: nothing is logged. */
  readonly logger?: Logger
  /** Follows calls and lists, for traces and metrics. Default: none. */
  readonly observer?: Observer
  /** Closes the client when aborted. */
  readonly signal?: AbortSignal
  /** How the own address is found where a registration names no host. */
  readonly address?: AddressOptions
  /** Times and bounds other than the defaults. */
  readonly times?: Partial<MachineTimes>
}

/** One registration. */
export interface RegisterOptions {
  readonly service: string
  readonly port: number
  /** Default: the own address, see `ConnectOptions.address`. */
  readonly host?: string
  /** Default `host:port`. */
  readonly id?: string
  readonly namespace?: string
  /** Default `default`. */
  readonly group?: string
  readonly protocol?: string
  /** 0 to 65,535, default 100. */
  readonly weight?: number
  /** Default: `ConnectOptions.zone`. */
  readonly zone?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Default `up`. */
  readonly state?: Intent
  readonly leaseMs?: number
  readonly liveness?: Liveness
  readonly probe?: Probe
  /**
   * Only these of several clusters; by name, or with what is different there, such as
   * `{ east: {}, west: { liveness: 'static' } }`. Default all that have registries.
   */
  readonly clusters?: readonly string[] | Readonly<Record<string, ClusterTerms>>
}

/** Options of `service`; those of its first use count. */
export interface ServiceOptions extends BalancingOptions {
  /** Only this group; default all. */
  readonly group?: string
  readonly namespace?: string
  /** Instead of `ConnectOptions.warmup`. */
  readonly warmup?: WarmUpHook | false
  /** Only these of several clusters, the preferred one first. Default all as `connect` has them. Counts at the first use. */
  readonly clusters?: readonly string[]
  /** Default that of `connect`. Counts at the first use. */
  readonly merge?: MergeMode
}

/** How the own address is found when a registration names no host. */
export interface AddressOptions {
  /** Used as it is. */
  readonly host?: string
  /** CIDR blocks such as `10.0.0.0/8`; the first that holds an address of this host wins. */
  readonly prefer?: readonly string[]
}

/** A client of one cluster, or of several. It keeps the process alive until `close()`. */
export interface Rollcall {
  /**
   * Registers one or several instances. Resolves when a registry has accepted them, or with state `pending`
   * after 3 s without any, and keeps them registered from then on. A refusal rejects; then nothing of this
   * call stays registered. Of several clusters the first that accepts decides; the others go on being tried.
   */
  register(options: RegisterOptions, call?: { readonly signal?: AbortSignal }): Promise<Registration>
  register(
    options: readonly RegisterOptions[],
    call?: { readonly signal?: AbortSignal },
  ): Promise<Registration[]>
  /** The handle of a service; the first call starts to watch it. Never waits. */
  service(name: string, options?: ServiceOptions): Service
  /**
   * Watches services in one message and waits for all of them at once: the start of a program takes as long as its
   * slowest service. Rejects when each one is ready or is not, naming those that are not in `details.services`.
   */
  ready(services: readonly (string | Service)[], options?: ReadyOptions): Promise<Service[]>
  /** Connections, lists and registrations, by cluster; where each answer came from, and how old it is. */
  status(): MachineStatus
  /**
   * Drains and deregisters all registrations of this client, then ends everything. At most 5 s, whatever
   * happens; idempotent.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A registration of this process. It is kept up until `deregister()` or `close()`, through every outage. */
export interface Registration {
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
  readonly host: string
  readonly port: number
  /** Number of this registration intent; it rises when the registration has to be made anew. Of several clusters the highest. */
  readonly incarnation: number
  /** Of several clusters that of one that has acknowledged it, if any. */
  readonly state: RegistrationState
  /** How it stands in each of its clusters. */
  readonly clusters: readonly ClusterRegistration[]
  /**
   * Changes what is registered; resolves when a registry has it (with none in reach it waits: give a signal).
   * A refused change rejects and what was registered before stays. Of several clusters the first decides, and
   * those out of reach follow when they are back.
   */
  update(patch: RegistrationPatch, options?: { readonly signal?: AbortSignal }): Promise<void>
  setState(state: Intent, options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Asks consumers to choose others, without leaving: `setState('draining')`. */
  drain(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Takes it back for good, in all clusters at once; rejects with `timeout` after 5 s without an answer, and is still tried then. */
  deregister(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Calls `listener` at each change of state or incarnation, and with what others do to it; the result ends that. */
  onEvent(listener: (event: RegistrationEvent) => void): () => void
  /** `deregister()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** How a registration stands in one cluster. */
export interface ClusterRegistration {
  readonly cluster: string
  readonly state: RegistrationState
  readonly incarnation: number
  /** Why it is not as it was asked for. */
  readonly error?: RegistryError
}

/**
 * A change in the life of a registration. All but `changed` come from outside this process and say why in `error`;
 * none ends the registration, which goes on being tried.
 * changed: another state or incarnation in the ordinary course of things.
 * deregistered: an operator or another process took it out of the registry; registered anew after a minute.
 * superseded: another process took over the id with a higher incarnation; asked for again every 30 s.
 * conflict: a live process holds the id; asked for again every 30 s.
 * refused: the registry does not take it at present; asked for again every 30 s.
 */
export type RegistrationEvent =
  | {
      readonly type: 'changed'
      /** Where it happened; the state and the incarnation are those there. */
      readonly cluster: string
      readonly state: RegistrationState
      readonly incarnation: number
    }
  | {
      readonly type: 'deregistered' | 'superseded' | 'conflict' | 'refused'
      readonly cluster: string
      readonly state: RegistrationState
      /** The incarnation it happened to. */
      readonly incarnation: number
      readonly error: RegistryError
    }

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

/** A watched service, or one group of it. */
export interface Service {
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
  /** Starts with the current list; a consumer that is behind gets the latest list instead of every step. Ends at `close()`. */
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

/**
 * Follows what a client does, for traces and metrics (`@rollcall/integrations/opentelemetry` is one). Its functions are
 * called as things happen, some of them for every call: they are quick and do not throw; what they throw reaches
 * the caller.
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

export type { AttemptReport, Balancer, BalancerFactory, BalancerTools } from './balancers/balancer.js'
export type { BalancerChoice, BalancerName, BalancingOptions } from './balancers/balancing.js'
export type { HashOptions } from './balancers/consistent-hash.js'
export type { LeastLoadedOptions } from './balancers/least-loaded.js'
export type { SubsetOptions } from './balancers/subset.js'
export type { FetchBody } from './calls/body.js'
export type { Attempt, AttemptContext, CallOptions, Work } from './calls/call.js'
export type { FetchInit } from './calls/fetch.js'
export type { AttemptEnd, Judgement, Phase } from './calls/judgement.js'
export type { HedgeDelay } from './calls/latencies.js'
export type { AttemptBegin, AttemptObservation, CallObservation } from './calls/observation.js'
export type {
  CallOutcome,
  ClusterTerms,
  ListChange,
  ListSource,
  MergeMode,
  RegistrationPatch,
  RegistrationState,
  Removed,
} from './machine/events.js'
export type { Logger } from './machine/ports.js'
export type { MachineTimes } from './machine/settings.js'
export type {
  ClusterStatus,
  LinkStatus,
  ListStatus,
  MachineStatus,
  Origin,
  WatchStatus,
} from './machine/status.js'
export type { WarmUpHook, WarmUpOptions } from './start-up/warm-up.js'
export type { ErrorCode, Guard, Instance, Intent, Liveness, Probe, State } from '@rollcall/wire'
