/**
 * What nodes of a cluster say to each other directly, beside the engine: what they heard of instances that the other one
 * judges, verdicts that should not wait, how they fare, and questions. Everything here survives JSON unchanged.
 */
import type {
  EventKind,
  EventsResponse,
  Explanation,
  ResolvedRef,
  SubscribersResponse,
  ViewName,
} from '@rollcall/wire'
import type { HeardRef, ProbeOutcome, ProbeRequest } from '../ports.js'
import type { Learnable } from '../records/learnable.js'

/** A node as its key in the engine, and its peers, know it. */
export interface PeerNode {
  /** Id, unique per boot. */
  readonly node: string
  /** What the operator called it; the same over all its boots. */
  readonly name?: string
  /** Where clients and peers reach it: `host:port`. */
  readonly address: string
  /** Version of its software. */
  readonly version: string
}

/** How a node fares, as it tells its peers every few seconds. */
export interface PeerReport {
  readonly island: boolean
  readonly stopping: boolean
  /** Instances that it judges. */
  readonly judges: number
  /** Open sessions of clients. */
  readonly sessions: number
  /** Changes that are not in the engine yet. */
  readonly unpublished: number
  /** Age of the oldest of them. */
  readonly lagMs: number
  /** Keys in which it differed from the engine when it compared last. */
  readonly divergence: number
}

/** What is told without being asked. Where it cannot be sent it is lost: nothing depends on it but speed. */
export type PeerMessage =
  /** Heard here by beats or sessions, at most `agoMs` before this was sent; for the node that judges. */
  | { readonly type: 'heard'; readonly agoMs: number; readonly refs: readonly HeardRef[] }
  /** Consumers of the sender could not reach these; for the node that judges. */
  | { readonly type: 'unreachable'; readonly refs: readonly HeardRef[] }
  /** What the receiver should know before the engine says so: who took over from it, and what an island cannot publish. */
  | { readonly type: 'learn'; readonly entries: readonly Learnable[] }
  | { readonly type: 'report'; readonly report: PeerReport }

/** Questions by their kind, each with its answer. */
export interface PeerQuestions {
  /** Asks an instance on behalf of another node that doubts its own ears. */
  readonly probe: { readonly asks: ProbeRequest; readonly answers: ProbeOutcome }
  /** What the node knows of an instance; null if nothing. */
  readonly explain: { readonly asks: ResolvedRef; readonly answers: Explanation | null }
  /** Which of its own subscribers have heard of a service; null for one that it does not know. */
  readonly subscribers: {
    readonly asks: ViewName & AudienceTerms
    readonly answers: (SubscribersResponse & Behind) | null
  }
  /** Whether all of its own subscribers have heard of what happened to these. */
  readonly settled: {
    readonly asks: AudienceTerms & { readonly names: readonly ViewName[] }
    readonly answers: Behind & { readonly settled: boolean; readonly seq: number }
  }
  /** What it remembers of a service, the newest. */
  readonly events: {
    readonly asks: {
      readonly namespace: string
      readonly service: string
      readonly group?: string
      readonly id?: string
      readonly kinds?: readonly EventKind[]
      readonly sinceMs?: number
      readonly untilMs?: number
      readonly limit: number
    }
    readonly answers: EventsResponse
  }
}

/** What subscribers of another node must have heard of. */
export interface AudienceTerms {
  /** Revision of the engine that holds the change: a node that is not that far has not heard of it itself. */
  readonly revision?: number
  /** `seq` of an earlier answer of the same node: what happened later does not count. */
  readonly seq?: number
  /** How long ago the node that is asked had the change. Default 0. */
  readonly ageMs?: number
}

/** The answering node itself does not have the change yet. */
export interface Behind {
  readonly behind?: true
}

export type PeerQuestionKind = keyof PeerQuestions

/** The links of a node to its peers. */
export interface PeerLinks {
  /** Nodes that are linked at present, in both directions proven by the secret. */
  readonly linked: readonly PeerNode[]
  /** Sends, or drops it: false where the peer is not linked or takes no more at present. */
  tell(node: string, message: PeerMessage): boolean
  /** Rejects with RegistryError `timeout` or `unreachable` where there is no answer in time, or the peer is not linked. */
  ask<K extends PeerQuestionKind>(
    node: string,
    kind: K,
    question: PeerQuestions[K]['asks'],
    timeoutMs: number,
  ): Promise<PeerQuestions[K]['answers']>
}

/** What a node does with what its peers say. */
export interface PeerListener {
  /** The peer is linked, or no longer. */
  linked(peer: PeerNode): void
  unlinked(peer: PeerNode): void
  told(peer: PeerNode, message: PeerMessage): void
  answer<K extends PeerQuestionKind>(
    peer: PeerNode,
    kind: K,
    question: PeerQuestions[K]['asks'],
  ): Promise<PeerQuestions[K]['answers']>
}

/** The links as the one who made them steers them. */
export interface PeerLinksControl extends PeerLinks {
  /** From now on these are linked, and no others. Given again and again: only the difference is acted on. */
  keep(peers: readonly PeerNode[]): void
  /** `reason`: for the log, where it is not that the node stops. Idempotent. */
  close(reason?: string): void
}

/** Makes the links of a node whose cluster has this secret; nodes of another epoch are not linked. */
export type CreatePeerLinks = (
  self: PeerNode,
  secret: string,
  listener: PeerListener,
  epoch: string,
) => PeerLinksControl
