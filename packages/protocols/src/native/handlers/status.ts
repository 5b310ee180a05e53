/** How the node does: what the rules know, who is connected, and what the process says of itself. */
import type { NodeStatus } from '@rollcall/wire'
import type { HandlerDeps, Handlers } from './deps.js'

/** Who is connected by this protocol. */
export type Connected = Pick<NodeStatus['clients'], 'sessions' | 'eventStreams' | 'longPolls'>

/** Handler of the status. It is answered in every phase of a node's life. */
export function createStatus(
  { registry, node, options }: HandlerDeps,
  connected: () => Connected,
): Handlers<'status'> {
  return {
    status(exchange) {
      const { watches, memory, ...registered } = registry.read(exchange.caller).status()
      const { residentBytes, journal, ...facts } = node.facts()
      const status: NodeStatus = {
        node: node.id,
        version: options.version,
        cluster: node.cluster,
        ...facts,
        readiness: node.readiness(),
        ...registered,
        clients: { ...connected(), watches },
        journal,
        memory: { residentBytes, ...memory },
      }
      exchange.json(200, status)
    },
  }
}
