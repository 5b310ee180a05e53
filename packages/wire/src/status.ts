/** How one node does, on one screen. Each part says its own matter, so that a later one stands beside the others. */
import type { ClusterEngine } from './cluster.js'
import type { FreezeSummary } from './operators.js'
import type { State } from './types.js'

/** How much of a bounded amount is held. */
export interface BudgetStatus {
  /** The setting that bounds it, such as `watchesMax`. */
  readonly quota: string
  readonly used: number
  readonly max: number
}

/** What the rules of a node know of it. */
export interface RegistryStatus {
  /** What is listed. */
  readonly registry: {
    /** Namespaces with a listed service. */
    readonly namespaces: number
    readonly services: number
    readonly instances: Readonly<Record<State, number>>
    /** Lists may lack what lives: the node began with nothing less than a lease ago, or is behind its peers. */
    readonly stale: boolean
  }
  readonly guards: {
    /** Services that keep silent instances in their lists, and how many they keep together. */
    readonly services: number
    readonly kept: number
    /** Zones in which the node doubts its own ears. */
    readonly zones: number
  }
  readonly freezes: {
    readonly total: number
    /** The oldest, at most ten. */
    readonly oldest: readonly FreezeSummary[]
  }
  /** Overrides that stand; one may want several things. */
  readonly overrides: {
    readonly total: number
    readonly drain: number
    readonly disable: number
    readonly weight: number
  }
  readonly memory: {
    /** Bytes of the heap that are alive, as far as is known, and how many may be. */
    readonly heapBytes: number
    readonly heapBytesMax: number
    /** The bounded amounts of the node. */
    readonly budgets: readonly BudgetStatus[]
  }
}

/** Where durable state goes. */
export interface JournalStatus {
  /** What a write is acknowledged as at present. */
  readonly durability: 'memory' | 'disk'
  /** Memory holds accepted entries that no file holds. */
  readonly failing: boolean
  /** What that began with, and what the disk said last. */
  readonly fault?: string
  readonly error?: string
  /** Bytes of the files that a restart reads. */
  readonly bytes?: number
  /** Entries that wait for the disk. */
  readonly queuedEntries?: number
  /** How long ago the last commit was; absent where there was none since the start. */
  readonly lastCommitMs?: number
}

/** What the process around the rules of a node says of itself. */
export interface ProcessFacts {
  /** `host:port` under which others reach the node. */
  readonly address: string
  /** ISO 8601, by the clock of the node. */
  readonly startedAt: string
  readonly uptimeMs: number
  readonly journal: JournalStatus
  /** Memory of the whole process. */
  readonly residentBytes: number
}

/** How a node that others have joined fares among them. */
export interface JoinedStatus {
  /** Nodes that are there, this one included. */
  readonly nodes: number
  readonly engine: ClusterEngine['state']
  /** It lost the engine: it serves from memory, and what it accepts reaches only the nodes that it is linked with. */
  readonly island: boolean
  /** Changes that are not in the engine yet, and the age of the oldest. */
  readonly unpublished: number
  readonly lagMs: number
}

/** Answer of `GET /api/v1/status`. It costs the node the same, however much is registered. */
export interface NodeStatus extends Omit<RegistryStatus, 'memory'>, Omit<ProcessFacts, 'residentBytes'> {
  /** Id of the node, unique per boot. */
  readonly node: string
  readonly version: string
  readonly cluster: string
  /** Absent for a node by itself. */
  readonly joined?: JoinedStatus
  readonly readiness: {
    readonly ready: boolean
    /** Why not. */
    readonly reason?: string
  }
  /** Who is connected. */
  readonly clients: {
    /** Open streams. */
    readonly sessions: number
    /** Open server-sent event streams. */
    readonly eventStreams: number
    /** Requests that wait for a change. */
    readonly longPolls: number
    /** Views that streams and event streams watch, summed over them. */
    readonly watches: number
  }
  readonly memory: RegistryStatus['memory'] & Pick<ProcessFacts, 'residentBytes'>
}
