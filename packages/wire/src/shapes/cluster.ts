/** Shape of the nodes of a cluster and of the engine that joins them. */
import type { ClusterEngine, ClusterNode, ClusterResponse } from '../cluster.js'
import { choice, count, list, object, optional, text, type Shape } from '../shape/shape.js'

const clusterNodeShape: Shape<ClusterNode> = object<ClusterNode>({
  node: text({ description: 'Id of the node, unique per boot.' }),
  name: optional(text({ description: 'What the operator called it.' })),
  address: text({ description: 'Where clients and other nodes reach it, `host:port`.' }),
  state: choice(['ready', 'island', 'stopping', 'gone'], {
    description: '`island`: it lost the engine and serves from memory. `gone`: it is remembered for a while.',
  }),
  version: text(),
  judges: count('Instances that it judges.'),
  sessions: count('Open streams of clients.'),
  unpublished: count('Changes that are not in the engine yet.'),
  lagMs: count('Age of the oldest of them.'),
})

const clusterEngineShape: Shape<ClusterEngine> = object<ClusterEngine>({
  kind: choice(['etcd', 'none'], { description: '`none`: the node is a registry by itself.' }),
  state: choice(['connected', 'lost'], { description: 'As the node that answers sees it.' }),
  endpoints: list(text()),
  version: optional(text({ description: 'Version of the store.' })),
  alarms: optional(list(text(), { description: 'What it complains of: an operator must act.' })),
})

export const clusterResponseShape: Shape<ClusterResponse> = object<ClusterResponse>({
  cluster: text({ description: 'Name of the registry.' }),
  epoch: text({ description: 'Id of the history that the engine holds; empty without an engine.' }),
  nodes: list(clusterNodeShape, {
    description: 'The node that answers comes first, the others in order of name and id.',
  }),
  engine: clusterEngineShape,
  divergence: count('Keys in which the node that answers differed from the engine when it compared last.'),
})
