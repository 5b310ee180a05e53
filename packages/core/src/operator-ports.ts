/** What the core offers to operators, through protocol adapters. */
import type {
  Durability,
  EventKind,
  EventsResponse,
  Explanation,
  FreezeSummary,
  Overridden,
  OverridesList,
  Refused,
  ResolvedRef,
  RestoreReason,
  RestoreResponse,
  Signature,
  SubscribersResponse,
  ViewName,
} from '@rollcall/wire'
import type { InstanceKey } from './records/record.js'

/** Where a request came from: the IP address of the peer, if there is one. */
export interface OperatorOrigin {
  readonly peer?: string
}

/** Fail with `not_durable` where the write cannot be made this durable. */
export interface OperatorWrite {
  readonly require?: Durability
}

/** What an operator wants of instances. The whole override is replaced: what is not said is not wanted. */
export interface OverrideCommand extends Signature {
  readonly refs: readonly ResolvedRef[]
  readonly drain?: boolean
  readonly disable?: boolean
  /** Binds to the present incarnation. */
  readonly weight?: number
  readonly durationMs?: number
}

/** Which overrides are taken back. */
export interface OverrideClearance extends Signature {
  readonly refs: readonly ResolvedRef[]
}

/** How one item was taken. */
export type OverrideResult = Overridden | Refused

export interface OverridesQuery {
  /** All namespaces when absent. */
  readonly namespace?: string
  readonly service?: string
  /** Read on after this `next` token. */
  readonly after?: string
  /** Default 1,000, at most 10,000. */
  readonly limit?: number
}

export interface EventsQuery {
  readonly namespace?: string
  readonly service?: string
  readonly group?: string
  readonly id?: string
  readonly kinds?: readonly EventKind[]
  /** Only later ones than this number; without it, the newest. */
  readonly after?: number
  /** Default 100, at most 1,000. */
  readonly limit?: number
}

/** What is to be brought back. */
export interface RestoreCommand extends Signature {
  readonly namespace: string
  readonly service: string
  readonly group?: string
  readonly sinceMs?: number
  readonly ids?: readonly string[]
  readonly reasons?: readonly RestoreReason[]
  readonly dryRun?: boolean
}

export interface AudienceQuery {
  /** The number of an earlier answer: what happened later does not count. */
  readonly seq?: number
  /** How long ago the change was that the caller waits for; default 0. */
  readonly ageMs?: number
}

/** What operators do and ask. Methods that return a value directly never wait. */
export interface OperatorApi {
  /** Judges each reference by itself; rejects with `invalid_argument` where the command as a whole makes no sense. */
  override(
    command: OverrideCommand,
    origin: OperatorOrigin,
    options?: OperatorWrite,
  ): Promise<readonly OverrideResult[]>
  clearOverrides(
    clearance: OverrideClearance,
    origin: OperatorOrigin,
    options?: OperatorWrite,
  ): Promise<readonly OverrideResult[]>
  /** Freezes a namespace, or all of them (`*`). Rejects with `invalid_argument` or `limit_exceeded`. */
  freeze(namespace: string, signature: Signature, origin: OperatorOrigin): Promise<Durability>
  /** Ends the freeze of this very name. Resolves false when there was none. */
  unfreeze(namespace: string, signature: Signature, origin: OperatorOrigin): Promise<boolean>
  freezes(): readonly FreezeSummary[]
  /** Who has heard of what happened to a service, or one group of it; undefined for one that is not known. */
  audience(name: ViewName, query: AudienceQuery): SubscribersResponse | undefined
  /** Somebody who does not subscribe asked for the list of a service, and announced how often it does. */
  polled(name: ViewName, everyMs?: number): void
  /** Why an instance is, or is not, in the list; undefined for one that is not known (any more). */
  explain(key: InstanceKey): Explanation | undefined
  /**
   * Brings back what left a service by mistake: what somebody else deregistered as a new incarnation, what expired
   * as the same. Rejects with `unknown_service`, or `batch_too_large` where it is more than a batch.
   */
  restore(command: RestoreCommand, origin: OperatorOrigin, options?: OperatorWrite): Promise<RestoreResponse>
  /** What happened, as far as it is remembered. */
  events(query: EventsQuery): EventsResponse
  /** Calls `listener` soon after something happened, until the returned function is called. It must not throw. */
  follow(listener: () => void): () => void
  /** The overrides that stand. */
  overrides(query: OverridesQuery): OverridesList
}

/** What is answered about a write before it is known how durable it is. */
export type Undurable<T> = T extends { readonly durability: Durability } ? Omit<T, 'durability'> : T
