/**
 * The public interfaces of the SDK, from `connect` to what a call is followed by. What they are made of (lists, states,
 * outcomes, options of balancers and calls) is passed on at the end.
 */
import type { Instance, Intent, Liveness, Probe, RegistryError } from '@rollcall/wire'
import type { BalancingOptions } from './balancers/balancing.js'
import type { CallObservation } from './calls/observation.js'
import type { ClusterTerms, MergeMode, RegistrationPatch, RegistrationState } from './machine/events.js'
import type { Logger } from './machine/ports.js'
import type { MachineTimes } from './machine/settings.js'
import type { MachineStatus } from './machine/status.js'
import type { TlsOptions } from './calls/tls.js'
import type { ReadyOptions, Service, WatchedService } from './service-api.js'
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
export type ClusterOptions = Pick<ConnectOptions, 'registries' | 'learnNodes' | 'cluster' | 'static' | 'tls'>

/** Options of `connect`. */
export interface ConnectOptions extends WarmUpOptions {
  /** URLs of the nodes of one cluster. Default `[]`: only snapshots and static lists. */
  readonly registries?: readonly string[]
  /**
   * Whether nodes that the cluster names are used beside `registries`, which stay as a way in. Default true. `false` where only
   * those lead anywhere, as behind a balancer or a translation of addresses; without it such a client loses a failed attempt.
   */
  readonly learnNodes?: boolean
  /** For registries with `https` URLs. Instances have their own, `ServiceOptions.tls`. */
  readonly tls?: TlsOptions
  /**
   * Several clusters by name, the preferred one first, instead of `registries`, `learnNodes`, `tls`, `cluster` and `static`, which each
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
  /** Default: warnings and errors go to the console; `false` keeps still. */
  readonly logger?: Logger | false
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
  /** For `fetch` of instances with `protocol: 'https'`. Default: certificates that Node trusts, and names that are hosts. */
  readonly tls?: TlsOptions
  /**
   * For names that others choose, such as host names of requests: the handle, one for all who say so, closes when it was
   * not used for so long. At most 1,000 services are watched like that: beyond it the one used least recently is closed.
   * Ask for it again for each use. Default: it stays until `close()`.
   */
  readonly idleMs?: number
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
  /**
   * A handle of a service; the first one starts to watch it, the last one to be closed ends that. Never waits. Throws
   * `limit_exceeded` beyond 10,000 watched services, or 1,000 with `idleMs` that are all in use.
   */
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
 * changed: another state or incarnation in the ordinary course of things, `standby` among them.
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

/**
 * Follows what a client does, for traces and metrics (`@rollcall/integrations/opentelemetry` is one). Its functions are
 * called as things happen, some of them for every call: they are quick and do not throw; what they throw reaches
 * the caller.
 */
export interface Observer {
  /** A client was made. What this returns is called when it has closed. */
  connected?(client: Rollcall): (() => void) | undefined
  /** A service is watched from now on. What this returns is called when that has ended. */
  opened?(service: WatchedService): (() => void) | void
  /** An instance was handed out, by `pick` or for an attempt. */
  picked?(service: WatchedService, instance: Instance): void
  /** A call begins: `call` or `fetch`. */
  called?(service: WatchedService): CallObservation | undefined
}

export type * from './service-api.js'
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
  LastError,
  LinkStatus,
  ListStatus,
  MachineStatus,
  Origin,
  WatchStatus,
} from './machine/status.js'
export type { TlsOptions } from './calls/tls.js'
export type { WarmUpHook, WarmUpOptions } from './start-up/warm-up.js'
export type { ErrorCode, Guard, Instance, Intent, Liveness, Probe, State } from '@rollcall/wire'
