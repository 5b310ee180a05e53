/**
 * A record as it is stored: one incarnation of one instance, in three registers with one writer each.
 * Everything here is plain readonly data that survives JSON unchanged.
 */
import type { Intent, Liveness, Probe } from '@rollcall/wire'
import type { Register } from './register.js'

/** Names one instance: unique by namespace, service, group and id. */
export interface InstanceKey {
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
}

/**
 * What a client of another registry's protocol said beside what every instance has. The core keeps it and does not look
 * into it; only the adapter of the protocol does.
 */
export interface Foreign {
  /** Name of the protocol, such as `eureka`. */
  readonly protocol: string
  /** JSON text of the adapter's own shape, at most `FOREIGN_BYTES_MAX` of UTF-8. */
  readonly document: string
}

/** A registration of another protocol with ample metadata has a twentieth of this. */
export const FOREIGN_BYTES_MAX = 16_384

/** The provider's register: what it offers, as long as it is there. */
export interface LiveContent {
  readonly intent: Intent
  /** Counted by the provider; the higher one wins within an incarnation. */
  readonly rev: number
  readonly host: string
  readonly port: number
  readonly protocol?: string
  readonly weight: number
  readonly zone?: string
  readonly metadata: Readonly<Record<string, string>>
  readonly leaseMs: number
  readonly liveness: Liveness
  readonly probe?: Probe
  /** Whether the provider named its incarnation itself; only then is a deregistration promised to be final. */
  readonly named: boolean
  /** Address the registration came from; probes go only there or to allow-listed networks. */
  readonly peer?: string
  /** An operator brought it back; cleared by the first registration of the provider itself. */
  readonly restored?: true
  /** The registration came by the protocol of another registry. */
  readonly foreign?: Foreign
  /** Content digest: 16 hex digits, computed once by the node that accepted the content. */
  readonly digest: string
}

/** The final value: this incarnation was deregistered and never returns. */
export interface GoneContent {
  readonly intent: 'gone'
  /** Of what it offered, at least 1; 0 where nothing was ever registered under this id here: a stray. */
  readonly rev: number
  /** Who took it out: the provider itself, a call by host, or an operator. */
  readonly by: 'provider' | 'host' | 'operator'
  /** What it offered last, where that was known: a mistaken removal can be undone while this is remembered. */
  readonly last?: LiveContent
}

export type Content = LiveContent | GoneContent

export type VerdictValue = 'up' | 'suspect' | 'down' | 'expired'

/** The judging node's register. */
export interface Verdict {
  readonly value: VerdictValue
  /** Raised by a node that takes over from another. */
  readonly claim: number
  /** Id of the judging node, unique per boot. */
  readonly node: string
  readonly seq: number
  readonly reason: string
}

/** What an operator wants of an instance; at least one of them. */
export interface Wishes {
  readonly drain?: boolean
  readonly disable?: boolean
  /** Binds to the incarnation it names and is ignored under any other. */
  readonly weight?: { readonly value: number; readonly incarnation: number }
  /** Ends by itself after this long, counted by each node that holds it on its own monotonic clock. */
  readonly durationMs?: number
}

/** The operator's register. */
export type Override = Register<Wishes>

/** A record: the three registers travel together under one key. */
export interface StoredRecord extends InstanceKey {
  readonly incarnation: number
  readonly content: Content
  readonly verdict: Verdict
  readonly override?: Override
}
