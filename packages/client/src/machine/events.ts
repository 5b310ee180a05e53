/** What goes into the client machine and what comes out: plain data, so that tests and simulation can carry it. */
import type {
  ClientMessage,
  ErrorBody,
  Guard,
  Instance,
  Intent,
  Liveness,
  Probe,
  Remove,
  RegistryError,
  ServerMessage,
  ViewName,
} from '@rollcall/wire'

/** Pairs an API call with the effect that settles it; chosen by the caller, never used twice. */
export type Token = number

/** One registration as the machine keeps it: complete, with the id settled. */
export interface RegistrationSpec {
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
  readonly host: string
  readonly port: number
  readonly protocol?: string
  readonly weight?: number
  readonly zone?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly leaseMs?: number
  readonly liveness?: Liveness
  readonly probe?: Probe
}

/** What a provider may change about a registration while it lives. */
export interface RegistrationPatch {
  readonly weight?: number
  readonly zone?: string
  readonly protocol?: string
  /** Replaces all metadata. */
  readonly metadata?: Readonly<Record<string, string>>
}

/**
 * Where a registration stands. `pending`: no registry has acknowledged it yet. `starting up draining`: the
 * provider's intent, acknowledged. `standby`: another process at the same address holds the id; this one takes over when
 * that one goes. `conflict`: another live process holds the id. `removed`: an operator or
 * another process deregistered it; it returns after the hold-off. `refused`: the registry does not want it at present.
 * `deregistered`: this process took it back. All but the last go on being tried.
 */
export type RegistrationState =
  | 'pending'
  | Intent
  | 'standby'
  | 'conflict'
  | 'removed'
  | 'refused'
  | 'deregistered'

/** A list as it was kept on disk. */
export interface StoredList {
  readonly sign: string
  readonly instances: readonly Instance[]
  /** Milliseconds since a registry last confirmed it. */
  readonly ageMs: number
}

/** How the lists of several clusters become one: of all, or of the first in order that has an instance to call. */
export type MergeMode = 'union' | 'preferred'

/** What a registration has of its own in one cluster: the address at which its callers reach this process, how it is watched. */
export type ClusterTerms = Partial<Pick<RegistrationSpec, 'host' | 'liveness' | 'leaseMs' | 'probe'>>

/** Where a list came from. */
export type ListSource = 'none' | 'registry' | 'snapshot' | 'static'

/** An instance that left a list. */
export interface Removed {
  readonly instance: Instance
  /** Absent when the instance is merely missing from a full view: no registry said that it left. */
  readonly reason?: Remove['reason']
}

/** A list and how it differs from the one before. */
export interface ListChange {
  /** `view`: take `instances` as the list; `delta`: the same list, reached by `upserts` and `removes`. */
  readonly type: 'view' | 'delta'
  readonly source: ListSource
  readonly sign: string
  readonly instances: readonly Instance[]
  readonly upserts: readonly Instance[]
  readonly removes: readonly Removed[]
  readonly guard?: Guard
  /** The node cannot vouch for its list: it is cut off, or began with nothing less than a lease (15 s) ago. */
  readonly stale?: boolean
}

/**
 * How a call failed. `unreachable`: no connection, or one that broke before the answer. `timeout`: no answer
 * in time. `failure`: an answer that its caller counts as a failure.
 */
export type FailureKind = 'unreachable' | 'timeout' | 'failure'

/** How a call ended. */
export type CallOutcome = 'success' | FailureKind

/** Which instances may be called now. */
export interface Choice {
  /** In no order of preference. */
  readonly candidates: readonly Instance[]
  /** Those of the candidates that failed and may be given one call each, to see whether they are back. */
  readonly trials: readonly Instance[]
  /** All others that are `up` or `suspect`: out for what happened here, or doubted by the registry. */
  readonly spare: readonly Instance[]
  /** Every candidate failed again and again, the last time a moment ago: callers should hold back. */
  readonly hopeless: boolean
}

/** The choice when there is no instance. */
export const NO_CHOICE: Choice = { candidates: [], trials: [], spare: [], hopeless: false }

/** One registration that is asked for. */
export interface RegisterItem {
  readonly handle: number
  readonly spec: RegistrationSpec
  readonly intent: Intent
  /** In which clusters, and on which terms. Default all. */
  readonly clusters?: ReadonlyMap<string, ClusterTerms>
}

/** Inputs of the machine. Events of connections it no longer knows are ignored. */
export type ClientEvent =
  | { readonly type: 'start' }
  /** `deadline()` has come, or may have. */
  | { readonly type: 'tick' }
  | { readonly type: 'opened'; readonly connection: number }
  | { readonly type: 'message'; readonly connection: number; readonly message: ServerMessage }
  | {
      readonly type: 'closed'
      readonly connection: number
      readonly code?: number
      readonly reason: string
      /** The node's answer where it refused the connection. */
      readonly refusal?: ErrorBody
    }
  | {
      readonly type: 'register'
      /** Absent: no call waits, and a refusal is a state like any other. */
      readonly token?: Token
      readonly items: readonly RegisterItem[]
    }
  | {
      readonly type: 'update'
      readonly token: Token
      readonly handle: number
      readonly patch: RegistrationPatch
      readonly intent?: Intent
    }
  | { readonly type: 'deregister'; readonly token: Token; readonly handles: readonly number[] }
  /** The caller of `register` lost interest: take its registrations back. */
  | { readonly type: 'abandon'; readonly token: Token }
  | {
      readonly type: 'watch'
      readonly names: readonly ViewName[]
      /** In which clusters, the best first. Default all. */
      readonly clusters?: readonly string[]
      /** Default `union`. */
      readonly merge?: MergeMode
    }
  /** A list is no longer wanted: calls that wait for it are rejected with `error`. */
  | { readonly type: 'unwatch'; readonly key: string; readonly error: RegistryError }
  | {
      readonly type: 'snapshot'
      readonly cluster: string
      readonly key: string
      readonly stored?: StoredList
    }
  | {
      readonly type: 'ready'
      readonly token: Token
      readonly key: string
      readonly timeoutMs: number
      /** A call waits: not for a service whose last instance was deregistered, or not for long. */
      readonly call?: boolean
    }
  /** A call failed; `unreachable` unless it says otherwise. */
  | {
      readonly type: 'failed'
      readonly key: string
      readonly instance: Instance
      readonly kind?: FailureKind
    }
  /** An instance on trial was given a call. */
  | { readonly type: 'trying'; readonly key: string; readonly instance: Instance }
  | { readonly type: 'succeeded'; readonly key: string; readonly instance: Instance }
  | { readonly type: 'close'; readonly token: Token }

/** Outputs of the machine, to be carried out in order. */
export type ClientEffect =
  | { readonly type: 'dial'; readonly cluster: string; readonly connection: number; readonly url: string }
  | { readonly type: 'send'; readonly connection: number; readonly message: ClientMessage }
  /** Close; a `closed` event for it is neither needed nor harmful. */
  | { readonly type: 'drop'; readonly connection: number; readonly code: number; readonly reason: string }
  | { readonly type: 'resolve'; readonly token: Token }
  | { readonly type: 'reject'; readonly token: Token; readonly error: RegistryError }
  | {
      readonly type: 'registration'
      readonly cluster: string
      readonly handle: number
      readonly state: RegistrationState
      readonly incarnation: number
      readonly error?: RegistryError
    }
  | { readonly type: 'list'; readonly key: string; readonly change: ListChange }
  | ({ readonly type: 'candidates'; readonly key: string } & Choice)
  | {
      readonly type: 'loadSnapshot'
      readonly cluster: string
      readonly key: string
      readonly name: ViewName
    }
  | {
      readonly type: 'saveSnapshot'
      readonly cluster: string
      readonly key: string
      readonly name: ViewName
      readonly stored: StoredList
    }
  | {
      readonly type: 'log'
      readonly level: 'warn' | 'info' | 'debug'
      readonly fields: Readonly<Record<string, unknown>>
      readonly message: string
    }

/** One turn of the machine: the moment, and where effects go. */
export interface Turn {
  readonly now: number
  emit(effect: ClientEffect): void
}
