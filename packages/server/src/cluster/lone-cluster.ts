/** The cluster of a node that no engine joins with others: one node, which judges everything that it lists. */
import type { Readiness } from '@rollcall/core'
import { type ClusterNode, type ClusterResponse, type NodeStatus, STATES } from '@rollcall/wire'

export interface LoneClusterDeps {
  readonly readiness: () => Readiness
  /** Listed instances by their state. */
  readonly instances: () => NodeStatus['registry']['instances']
  /** Open streams. */
  readonly sessions: () => number
  /** `host:port` where clients reach the node, once it listens. */
  readonly address: () => string
}

/** Creates the answer of `GET /api/v1/cluster` for a node by itself. */
export function createLoneCluster(
  { readiness, instances, sessions, address }: LoneClusterDeps,
  cluster: string,
  self: Pick<ClusterNode, 'node' | 'name' | 'version'>,
): () => ClusterResponse {
  return () => {
    const standing = readiness()
    const states = instances()
    return {
      cluster,
      epoch: '',
      nodes: [
        {
          ...self,
          address: address(),
          state: standing.ready || standing.reason === 'loading' ? 'ready' : 'stopping',
          judges: STATES.reduce((sum, state) => sum + states[state], 0),
          sessions: sessions(),
          unpublished: 0,
          lagMs: 0,
        },
      ],
      engine: { kind: 'none', state: 'connected', endpoints: [] },
      divergence: 0,
    }
  }
}
