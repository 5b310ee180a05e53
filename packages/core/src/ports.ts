/**
 * What the core expects of the outside (journal, prober, clock) and what it offers to protocol adapters
 * (RegistryApi). Shells implement these; nothing in here does I/O.
 */
import type {
  Delta,
  DeregisterResponse,
  Durability,
  HeartbeatResponse,
  Instance,
  Intent,
  Liveness,
  NamespaceSettings,
  NamespaceSummary,
  Probe,
  RegisterResult,
  ResolvedRef,
  ServiceSettings,
  ServicesResponse,
  SignsResponse,
  View,
  ViewName,
} from '@rollcall/wire'
import type { OperatorApi } from './operator-ports.js'
import type { Learnable } from './records/learnable.js'
import type { InstanceKey } from './records/record.js'

// ---- time ------------------------------------------------------------------------------------------------

/** Time as shells see it. The core itself receives `now` as an argument. */
export interface Clock {
  /** Monotonic milliseconds; never goes back, says nothing about the date. */
  now(): number
  /** Milliseconds since the epoch; a source of numbers and log lines, never compared between machines. */
  wallNow(): number
  /** Calls `callback` once after `delayMs`; the returned function cancels. Timers do not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): () => void
}

// ---- journal ---------------------------------------------------------------------------------------------

/** One change of durable state. Replaying entries in order, with records merged, gives the state. */
export type JournalEntry =
  | Learnable
  /** The record was forgotten after its retention (only this incarnation of it). */
  | { readonly kind: 'forget'; readonly key: InstanceKey; readonly incarnation: number }

/** Where durable state goes. Never called by heartbeats. */
export interface JournalPort {
  /**
   * Queues entries for the next group commit and resolves when they are as durable as they can be made now:
   * `disk` after the fsync, `memory` while the disk refuses (or with no disk at all). Never rejects before
   * `close`; order is kept. Without entries it tells how durable at present what was committed before is.
   */
  append(entries: readonly JournalEntry[]): Promise<Durability>
  /** Commits what is queued and releases the files. Idempotent. Rejects when entries are lost with it. */
  close(): Promise<void>
}

// ---- probes ----------------------------------------------------------------------------------------------

/** Why a probe is made. Baselines establish that a later refusal means something. */
export type ProbePurpose = 'baseline' | 'evidence'

/** What to ask, as the instance registered it, and whom. */
export interface ProbeRequest extends Omit<Probe, 'port'> {
  readonly key: InstanceKey
  readonly incarnation: number
  readonly host: string
  readonly port: number
  readonly purpose: ProbePurpose
  /** Address the registration came from. */
  readonly peer?: string
  readonly timeoutMs: number
  /** How long to wait before the attempt. */
  readonly delayMs: number
}

/**
 * `succeeded`: it answered as it should; with `http` and `grpc` that was the process, with `tcp` its kernel.
 * `refused`: nobody listens. `failed`: anything else. `skipped`: it is never asked, because the address rule forbids
 * it or it wants no probe. `unable`: this node could not ask just now, which says nothing about the instance.
 */
export type ProbeOutcome = 'succeeded' | 'refused' | 'failed' | 'skipped' | 'unable'

// ---- what adapters call ----------------------------------------------------------------------------------

/** Where a request came from. */
export interface Origin {
  /** IP address of the peer, if there is one. */
  readonly peer?: string
  /** The session that vouches for what is registered. */
  readonly session?: Session
}

/** A registration whose shape is right and whose defaults are filled in; the core checks names and limits. */
export interface RegisterCommand extends InstanceKey {
  readonly host: string
  readonly port: number
  readonly protocol?: string
  readonly weight: number
  readonly zone?: string
  readonly metadata: Readonly<Record<string, string>>
  readonly intent: Intent
  readonly leaseMs: number
  readonly liveness: Liveness
  readonly probe?: Probe
  readonly incarnation?: number
  readonly rev?: number
}

export interface WriteOptions {
  /** Fail with `not_durable` where the write cannot be made this durable. */
  readonly require?: Durability
}

export interface ServicesQuery {
  /** All namespaces when absent. */
  readonly namespace?: string
  readonly prefix?: string
  /** Read on after this `next` token. */
  readonly after?: string
  /** Default 1,000, at most 10,000. */
  readonly limit?: number
}

/** The answer to a subscriber or poller that shows a sign. */
export type Resume =
  | { readonly kind: 'current'; readonly sign: string }
  | { readonly kind: 'delta'; readonly delta: Delta }
  | { readonly kind: 'view'; readonly view: View }

/**
 * One publication. The same object is handed to every subscriber it concerns, so that an adapter can encode
 * it once (keyed weakly by the object) and write the same bytes to all.
 */
export type Update =
  | { readonly kind: 'delta'; readonly seq: number; readonly delta: Delta }
  | { readonly kind: 'view'; readonly seq: number; readonly view: View }

/** A consumer of publications. `deliver` must not throw and must not call back into the registry. */
export interface Subscriber {
  deliver(update: Update): void
}

/** A view to watch, with the sign of the list the consumer holds. */
export interface WatchCommand extends ViewName {
  readonly sign?: string
}

export interface Subscription {
  /**
   * Adds watches and delivers what each needs to be current: nothing, a delta, or the view. A service that
   * nobody registered is the empty view. Throws `limit_exceeded` and adds nothing beyond the node's limit.
   */
  watch(items: readonly WatchCommand[]): void
  unwatch(items: readonly ViewName[]): void
  /** Delivers the full view of each watched item again. */
  resync(items: readonly ViewName[]): void
  /** The consumer has applied every publication up to `seq`. */
  ack(seq: number): void
  /** The consumer's buffer is full: deliver nothing until `drained`, then the full view of what changed. */
  stalled(): void
  drained(): void
  close(): void
}

/** A stream connection that vouches for its registrations. */
export interface Session {
  readonly id: string
  /** Something arrived from the client: evidence for everything the session vouches for. O(1). */
  heard(): void
  /** The connection ended. Its registrations are probed at once. */
  close(): void
}

export interface SessionOptions {
  readonly peer?: string
  /** Nothing was heard for the whole lease of a session: close the connection. */
  onSilent?(): void
  /** Registrations of this session ended by somebody else's doing. */
  onRemoved?(
    refs: readonly (ResolvedRef & {
      readonly incarnation: number
      readonly reason: 'deregistered' | 'superseded'
    })[],
  ): void
}

/** A wait that somebody may lose interest in. */
export interface ChangeWait {
  /** True when there is a change, false after the timeout or `cancel`. Never rejects. */
  readonly changed: Promise<boolean>
  cancel(): void
}

/** The registry as protocol adapters see it. Methods that return a value directly never wait. */
export interface RegistryApi {
  /** Judges each command by itself; results are in the same order. Resolves after the commit. */
  register(
    commands: readonly RegisterCommand[],
    origin: Origin,
    options?: WriteOptions,
  ): Promise<readonly RegisterResult[]>
  heartbeat(refs: readonly ResolvedRef[], origin: Origin): HeartbeatResponse
  /**
   * Consumers could not reach these. Each is asked, unless that is under way or was done within a second; what
   * follows depends on its answer alone.
   */
  hint(refs: readonly ResolvedRef[], origin: Origin): void
  deregister(
    refs: readonly ResolvedRef[],
    origin: Origin,
    options?: WriteOptions,
  ): Promise<DeregisterResponse>
  /**
   * Deregisters everything on a host. Rejects with `needs_confirmation` (details: the list) and changes
   * nothing when it would take at least half and at least 5 instances of a service and is not confirmed.
   */
  deregisterHost(
    request: { readonly namespace: string; readonly host: string; readonly confirm: boolean },
    origin: Origin,
    options?: WriteOptions,
  ): Promise<DeregisterResponse>

  namespaces(): readonly NamespaceSummary[]
  /** Services in order of namespace and name, with a sign over the whole answer for conditional requests. */
  services(query: ServicesQuery): ServicesResponse & { readonly sign: string }
  /** The view, or undefined when nobody registered or declared the service. */
  view(name: ViewName): View | undefined
  /** The sign of a view; the empty sign for an unknown service. O(1). */
  sign(name: ViewName): string
  /** Whether the service (or group) is known at all. */
  knows(name: ViewName): boolean
  resume(name: ViewName, sign: string): Resume
  instance(key: InstanceKey): Instance | undefined
  compareSigns(items: readonly (ViewName & { readonly sign: string })[]): SignsResponse

  /**
   * Waits until the sign of the view is no longer `sign`; over at once if that is so already. Also for
   * services nobody registered yet. Throws `limit_exceeded` when the node holds as many waiters as it may.
   */
  waitForChange(name: ViewName, sign: string, timeoutMs: number): ChangeWait
  /** The same for the list of services. */
  waitForServices(query: ServicesQuery, sign: string, timeoutMs: number): ChangeWait

  settings(namespace: string, service: string): ServiceSettings | undefined
  /** Declares a service (or replaces its declaration). */
  declare(namespace: string, service: string, settings: ServiceSettings): Promise<Durability>
  /** Takes a declaration back; instances stay. Resolves false when there was none. */
  undeclare(namespace: string, service: string): Promise<boolean>
  namespaceSettings(namespace: string): NamespaceSettings | undefined
  declareNamespace(namespace: string, settings: NamespaceSettings): Promise<Durability>
  undeclareNamespace(namespace: string): Promise<boolean>

  /** What operators do and ask. */
  readonly operators: OperatorApi

  /**
   * Whether every subscriber has acknowledged all that happened to these views until now, or until the publication
   * `seq` of an earlier answer: whoever drained is safe to stop. A group is asked for together with its whole
   * service. Pollers are not waited for.
   */
  settled(names: readonly ViewName[], seq?: number): { readonly settled: boolean; readonly seq: number }

  openSession(options: SessionOptions): Session
  subscribe(subscriber: Subscriber): Subscription

  readiness(): Readiness
}

/**
 * Whether a node should be asked, and if not, why: `loading` = it does not know yet what it should know;
 * `stopping` = it knows, and will be gone in a moment; `closed` = it is gone.
 */
export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: 'loading' | 'stopping' | 'closed' }

// ---- logs ------------------------------------------------------------------------------------------------

/**
 * Structured logs: fields first, then a short constant message.
 * error = somebody must act; warn = it heals itself but somebody should know; info = life of the node;
 * debug = for finding faults.
 */
export interface Logger {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** A logger that keeps nothing. */
export const NO_LOGGER: Logger = { error() {}, warn() {}, info() {}, debug() {} }
