/** Why an instance is, or is not, in the list of its service. */
import type { RegistryEvent } from './events.js'
import type { FreezeSummary, Signature } from './operators.js'
import type { Guard, Intent, Liveness, Probe, State } from './types.js'

/** The provider's register. */
export interface ExplainedContent {
  readonly intent: Intent | 'gone'
  readonly rev: number
  /** Who took it out; only with intent `gone`. */
  readonly by?: string
  /** The rest says what is offered, or what was offered last, where that is remembered. */
  readonly host?: string
  readonly port?: number
  readonly weight?: number
  readonly zone?: string
  readonly leaseMs?: number
  readonly liveness?: Liveness
  readonly probe?: Probe
  readonly peer?: string
  /** Protocol of another registry by which it was registered; absent where that was the native one. */
  readonly via?: string
  /** An operator brought it back, and its provider has not registered since. */
  readonly restored?: true
}

/** The judge's register. */
export interface ExplainedVerdict {
  readonly value: 'up' | 'suspect' | 'down' | 'expired'
  readonly reason: string
  /** Version: claim, node and seq, compared in this order. */
  readonly claim: number
  readonly node: string
  readonly seq: number
}

/** The operator's register. */
export interface ExplainedOverride extends Signature {
  readonly drain?: boolean
  readonly disable?: boolean
  /** Ignored under any incarnation but this. */
  readonly weight?: { readonly value: number; readonly incarnation: number }
  readonly durationMs?: number
  readonly remainingMs?: number
  /** Version: the higher counter wins, then the higher node. */
  readonly counter: number
  readonly node: string
}

/** What this node itself knows. All ages by the clock that stands still while the node stalls. */
export interface ExplainedEvidence {
  /** How long this node has watched this incarnation. */
  readonly watchedMs: number
  /** When this node last heard it, and by what; absent = never. */
  readonly heardMs?: number
  readonly heardBy?: 'session' | 'beat' | 'registration' | 'probe'
  /** When another node heard it last, as that told this one; absent = never. */
  readonly toldMs?: number
  /** The session that vouches, or did last. */
  readonly session?: { readonly open: boolean; readonly silentMs: number; readonly closedMs?: number }
  /** Whether this node once connected to the address, so that a refusal means something. */
  readonly baseline: boolean
  /** Whether this node may and can probe the address. */
  readonly probeAllowed: boolean
  readonly probeUnderWay: boolean
  /** The last answer to a probe, unless something was heard since. */
  readonly probe?: {
    readonly outcome: 'succeeded' | 'refused' | 'failed' | 'skipped' | 'unable'
    readonly ageMs: number
  }
}

/** Which node judges an instance: it alone looks at its silence. */
export interface ExplainedJudge {
  readonly node: string
  /** Raised by each node that takes over. */
  readonly claim: number
  /** It is the node that explains. */
  readonly own: boolean
  /** For how long that has been known here, or been so. */
  readonly sinceMs?: number
}

/** What another node of the cluster has heard of an instance. Its ages are by its own clock. */
export interface HeardElsewhere {
  readonly node: string
  /** What the operator called it. */
  readonly name?: string
  /** Absent = never. */
  readonly heardMs?: number
  readonly heardBy?: ExplainedEvidence['heardBy']
  /** A session vouches for it there. */
  readonly session?: boolean
  /** It judges the instance, by its own word. */
  readonly judges?: true
}

/** What holds verdicts back. */
export interface ExplainedGuards {
  /** What holds back a verdict that judgement wanted. */
  readonly held?: 'watcher_doubt' | 'island' | 'service_breaker' | 'freeze'
  /** How long the node has doubted its ears where the instance is. */
  readonly watcherDoubtMs?: number
  /** The guard of the service. */
  readonly service: Guard
  readonly freezes: readonly FreezeSummary[]
  /** How long it still has to behave, because it flapped. */
  readonly dampedMs?: number
}

export interface Explanation {
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
  readonly incarnation: number
  /** The answer in words. */
  readonly summary: string
  readonly listed: boolean
  /** Absent where it is not listed. */
  readonly state?: State
  /** Since it entered its state, or left the list. */
  readonly stateAgeMs: number
  readonly content: ExplainedContent
  readonly verdict: ExplainedVerdict
  /** Nodes before there were several do not say. */
  readonly judge?: ExplainedJudge
  readonly override?: ExplainedOverride
  /** Absent where this node does not watch it. */
  readonly evidence?: ExplainedEvidence
  /** What other nodes have heard, those that answered; absent where there is none. */
  readonly elsewhere?: readonly HeardElsewhere[]
  /** Other nodes that did not answer. Absent where all did. */
  readonly unanswered?: readonly string[]
  readonly guards: ExplainedGuards
  /** What judgement would do, and when, if nothing more is heard and a probe fails; guards may hold it back. */
  readonly next?: {
    readonly verdict: 'up' | 'suspect' | 'down' | 'expired'
    readonly reason: string
    readonly inMs: number
  }
  /** When this node forgets what is hidden; absent where it is listed, or kept because of an override. */
  readonly forgottenInMs?: number
  /** What happened to it last, oldest first. */
  readonly events: readonly RegistryEvent[]
}
