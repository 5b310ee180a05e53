/** What a node may be told, and what it does when it is told nothing. */
import { LIMITS, type Limits, type NamespaceSettings } from '@rollcall/wire'
import type { AdmissionMode } from './admission/admission.js'
import { PROBE_RULES, type ProbeRules } from './admission/probe.js'
import { type BudgetBounds, boundsOfHeap, type HeapBounds } from './budgets/node-budgets.js'
import { PEER_DEFAULTS } from './budgets/peer.js'
import type { ListingBounds } from './directory/listing-room.js'
import { LIVENESS_DEFAULTS, type LivenessOptions } from './liveness/options.js'
import { PUBLISHER_DEFAULTS, type PublisherOptions } from './publishing/options.js'

export interface NodeOptions extends BudgetBounds, HeapBounds, ListingBounds {
  /** Unique per boot. */
  readonly nodeId: string
  /** When this release was made, in milliseconds since the epoch: a clock that is behind it is wrong. Default 0, unknown. */
  readonly releasedAt: number
  readonly admission: AdmissionMode
  readonly limits: Limits
  readonly probes: ProbeRules
  /** Namespaces whose settings come from the configuration and cannot be declared otherwise. */
  readonly namespaces: Readonly<Record<string, NamespaceSettings>>
  readonly liveness: LivenessOptions
  readonly publisher: PublisherOptions
  /** An engine joins this node with others. */
  readonly joined: boolean
}

export const NODE_DEFAULTS: Omit<NodeOptions, 'nodeId'> = {
  releasedAt: 0,
  admission: 'open',
  limits: LIMITS,
  probes: PROBE_RULES,
  instancesMax: 1_000_000,
  watchesMax: 1_000_000,
  ...boundsOfHeap(4 * 1024 ** 3),
  heapBytesMax: Infinity,
  servicesMax: 100_000,
  namespacesMax: 10_000,
  peers: PEER_DEFAULTS,
  namespaces: {},
  liveness: LIVENESS_DEFAULTS,
  publisher: PUBLISHER_DEFAULTS,
  joined: false,
}
