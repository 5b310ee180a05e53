/** Shape of how one node does. */
import type { BudgetStatus, JoinedStatus, JournalStatus, NodeStatus } from '../status.js'
import { boolean, choice, count, list, object, optional, text, type Shape } from '../shape/shape.js'
import type { State } from '../types.js'
import { freezeSummaryShape } from './namespaces.js'

const statesShape: Shape<NodeStatus['registry']['instances']> = object<Record<State, number>>({
  up: count(),
  starting: count(),
  draining: count(),
  suspect: count(),
  down: count(),
  disabled: count(),
})

const journalStatusShape: Shape<JournalStatus> = object<JournalStatus>({
  durability: choice(['memory', 'disk'], { description: 'What a write is acknowledged as at present.' }),
  failing: boolean({ description: 'Memory holds accepted entries that no file holds.' }),
  fault: optional(text({ description: 'What that began with.' })),
  error: optional(text({ description: 'What the disk said last.' })),
  bytes: optional(count('Bytes of the files that a restart reads.')),
  queuedEntries: optional(count('Entries that wait for the disk.')),
  lastCommitMs: optional(count('How long ago the last commit was.')),
})

const budgetStatusShape: Shape<BudgetStatus> = object<BudgetStatus>({
  quota: text({ description: 'The setting that bounds it.' }),
  used: count(),
  max: count(),
})

const joinedStatusShape: Shape<JoinedStatus> = object<JoinedStatus>({
  nodes: count('Nodes that are there, this one included.'),
  engine: choice(['connected', 'lost']),
  island: boolean({
    description: 'It lost the engine: what it accepts reaches only nodes that it is linked with.',
  }),
  unpublished: count('Changes that are not in the engine yet.'),
  lagMs: count('Age of the oldest of them.'),
})

export const nodeStatusShape: Shape<NodeStatus> = object<NodeStatus>({
  node: text({ description: 'Id of the node, unique per boot.' }),
  version: text(),
  cluster: text(),
  joined: optional(joinedStatusShape),
  address: text({ description: 'Where others reach the node, `host:port`.' }),
  startedAt: text({ description: 'ISO 8601, by the clock of the node.' }),
  uptimeMs: count(),
  readiness: object<NodeStatus['readiness']>({ ready: boolean(), reason: optional(text()) }),
  registry: object<NodeStatus['registry']>({
    namespaces: count('Those with a listed service.'),
    services: count(),
    instances: statesShape,
    stale: boolean({ description: 'Lists may lack what lives.' }),
  }),
  clients: object<NodeStatus['clients']>({
    sessions: count('Open streams.'),
    eventStreams: count('Open server-sent event streams.'),
    longPolls: count('Requests that wait for a change.'),
    watches: count('Watched views, summed over those who watch.'),
  }),
  guards: object<NodeStatus['guards']>({
    services: count('Services that keep silent instances.'),
    kept: count('Instances that they keep.'),
    zones: count('Zones in which the node doubts its ears.'),
  }),
  freezes: object<NodeStatus['freezes']>({
    total: count(),
    oldest: list(freezeSummaryShape, { maxItems: 10 }),
  }),
  overrides: object<NodeStatus['overrides']>({
    total: count(),
    drain: count(),
    disable: count(),
    weight: count(),
  }),
  journal: journalStatusShape,
  memory: object<NodeStatus['memory']>({
    residentBytes: count('Memory of the process.'),
    heapBytes: count('Bytes of the heap that are alive, as far as is known.'),
    heapBytesMax: count('Beyond it the node refuses what would add to them.'),
    budgets: list(budgetStatusShape),
  }),
})
