/** The nodes of a cluster and the engine that joins them, as `GET /api/v1/cluster` tells. */

/**
 * What became of a node, as the one that answers sees it: `island` = it lost the engine and serves from memory; `gone` = it is not
 * heard any more, or left; it is remembered for a while.
 */
export type ClusterNodeState = 'ready' | 'island' | 'stopping' | 'gone'

/** One node. Figures are as it told its peers last; 0 where it did not. */
export interface ClusterNode {
  /** Id, unique per boot. */
  readonly node: string
  /** What the operator called it. */
  readonly name?: string
  /** `host:port` where clients and peers reach it. */
  readonly address: string
  readonly state: ClusterNodeState
  readonly version: string
  /** Instances that it judges. */
  readonly judges: number
  /** Open streams of clients. */
  readonly sessions: number
  /** Changes that are not in the engine yet. */
  readonly unpublished: number
  /** Age of the oldest of them. */
  readonly lagMs: number
}

export interface ClusterEngine {
  /** `none`: a node by itself. */
  readonly kind: 'etcd' | 'none'
  readonly state: 'connected' | 'lost'
  readonly endpoints: readonly string[]
  /** Version of the store, where it is known. */
  readonly version?: string
  /** What it complains of, such as `NOSPACE`: an operator must act. */
  readonly alarms?: readonly string[]
}

/** Answer of `GET /api/v1/cluster`. */
export interface ClusterResponse {
  readonly cluster: string
  /** Id of the history that the engine holds, new when it begins with nothing; empty without an engine. */
  readonly epoch: string
  /** The node that answers comes first, the others in order of name and id. */
  readonly nodes: readonly ClusterNode[]
  readonly engine: ClusterEngine
  /** Keys in which the answering node differed from the engine when it compared last; they were repaired. */
  readonly divergence: number
}
