/** The shapes of what operators do and ask: overrides, freezes, events, explanations, undoing, settling. */
import type { Durability, InstanceRef, Refused, State } from './types.js'

/** Who does something, and why; free text for those who read it later. */
export interface Signature {
  readonly by?: string
  readonly why?: string
}

/** What an operator wants of instances, against what they say themselves. */
export interface OverrideRequest extends Signature {
  readonly namespace?: string
  readonly instances: readonly InstanceRef[]
  /** No new calls. Binds to the id, also when it registers anew. */
  readonly drain?: boolean
  /** Not to be called at all. Binds to the id, also when it registers anew. */
  readonly disable?: boolean
  /** Weight instead of the registered one, for the present incarnation only. */
  readonly weight?: number
  /** Ends by itself after this long. Starts again when the node restarts. */
  readonly durationMs?: number
}

/** Takes overrides back. */
export interface OverrideClearing extends Signature {
  readonly namespace?: string
  readonly instances: readonly InstanceRef[]
}

/** An override that was set or taken back. */
export interface Overridden {
  readonly ok: true
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
  readonly incarnation: number
  /** What consumers see now; absent while the record is hidden. */
  readonly state?: State
  readonly durability: Durability
}

export interface OverridesResponse {
  /** One per item, in the order of the request. */
  readonly results: readonly (Overridden | Refused)[]
  readonly warnings?: readonly string[]
}

/** An override that stands. */
export interface OverrideSummary extends Signature {
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
  /** The present incarnation of the id. */
  readonly incarnation: number
  readonly state?: State
  readonly drain?: boolean
  readonly disable?: boolean
  /** Ignored under any incarnation but this. */
  readonly weight?: { readonly value: number; readonly incarnation: number }
  readonly durationMs?: number
  /** Until it ends by itself. */
  readonly remainingMs?: number
  /** Version: the higher counter wins, then the higher node. */
  readonly counter: number
  readonly node: string
}

export interface OverridesList {
  /** In order of namespace, service, group and id. */
  readonly overrides: readonly OverrideSummary[]
  /** Give this as `after` to read on; absent on the last page. */
  readonly next?: string
}

/** In place of a namespace: all of them. */
export const ALL_NAMESPACES = '*'

/** Freezes a namespace, or ends that; `*` means all of them. */
export interface FreezeRequest extends Signature {
  readonly namespace?: string
}

/** A freeze that stands. */
export interface FreezeSummary extends Signature {
  readonly namespace: string
  /** How long this node has held it; a restart begins anew. */
  readonly ageMs: number
}

export interface FreezesList {
  /** In order of namespace. */
  readonly freezes: readonly FreezeSummary[]
}

/** Why something may be brought back: another caller deregistered it, or it expired. */
export type RestoreReason = 'deregistered' | 'expired'

/** Brings back what left a service by mistake, while it is remembered. */
export interface RestoreRequest extends Signature {
  readonly namespace?: string
  readonly service: string
  /** All groups when absent. */
  readonly group?: string
  /** Only what left within this long. */
  readonly sinceMs?: number
  /** Only these ids. */
  readonly ids?: readonly string[]
  /** Default both. */
  readonly reasons?: readonly RestoreReason[]
  /** Say what would be brought back, and change nothing. */
  readonly dryRun?: boolean
}

/** An instance that was brought back, or would be. */
export interface Restored {
  readonly ok: true
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
  /** What was deregistered comes back as a new incarnation, what expired as the same. */
  readonly incarnation: number
  readonly host: string
  readonly port: number
  /** Why it had left. */
  readonly was: RestoreReason
  /** How long ago. */
  readonly goneMs: number
}

export interface RestoreResponse {
  readonly dryRun: boolean
  /** In the order in which they left. */
  readonly results: readonly (Restored | (Refused & { readonly id: string; readonly group: string }))[]
  readonly durability: Durability
  readonly warnings?: readonly string[]
}

/** Which subscribers have heard of what happened to a service. */
export interface SubscribersResponse {
  /** Streams and event streams that watch the service, or a group of it that was asked for. */
  readonly subscribers: number
  /** Those of them that have applied what had happened by the publication `seq`. */
  readonly acknowledged: number
  /** How much longer until all pollers have asked again; 0 = nothing polls, or all have. */
  readonly pollersMs: number
  /** Ask with this number again: what happens later then does not count. */
  readonly seq: number
  /** All of them have heard: what was drained before is safe to stop. */
  readonly settled: boolean
  /** Nodes of the cluster that did not answer, so that nothing is known of their subscribers: not settled. Absent where all did. */
  readonly unanswered?: readonly string[]
}

/** Bounds of what operators may say. */
export const OPERATOR_LIMITS = {
  byCharsMax: 256,
  whyCharsMax: 1_024,
  durationMsMin: 1_000,
  /** 31 days. */
  durationMsMax: 2_678_400_000,
} as const
