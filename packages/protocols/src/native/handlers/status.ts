/** How the node does: what the rules know, who is connected, what the process says of itself; and its cluster. */
import { defined, type ClusterResponse, type JoinedStatus, type NodeStatus } from '@rollcall/wire'
import type { HandlerDeps, Handlers } from './deps.js'

/** Who is connected by this protocol. */
export type Connected = Pick<NodeStatus['clients'], 'sessions' | 'eventStreams' | 'longPolls'>

/** Handlers of the status and of the cluster. They answer in every phase of a node's life. */
export function createStatus(
  { registry, node, options }: HandlerDeps,
  connected: () => Connected,
): Handlers<'status' | 'cluster'> {
  return {
    status(exchange) {
      const { watches, memory, ...registered } = registry.read(exchange.caller).status()
      const { residentBytes, journal, ...facts } = node.facts()
      const status: NodeStatus = {
        node: node.id,
        version: options.version,
        cluster: node.cluster,
        ...defined({ joined: joinedStatus(node.clusterStatus()) }),
        ...facts,
        readiness: node.readiness(),
        ...registered,
        clients: { ...connected(), watches },
        journal,
        memory: { residentBytes, ...memory },
      }
      exchange.json(200, status)
    },
    cluster(exchange) {
      exchange.json(200, node.clusterStatus())
    },
  }
}

/** The part of the status that is about the cluster: undefined for a node by itself. */
function joinedStatus({ nodes, engine }: ClusterResponse): JoinedStatus | undefined {
  const [own] = nodes
  if (engine.kind === 'none' || own === undefined) return undefined
  return {
    nodes: nodes.filter(({ state }) => state !== 'gone').length,
    engine: engine.state,
    island: own.state === 'island',
    unpublished: own.unpublished,
    lagMs: own.lagMs,
  }
}
