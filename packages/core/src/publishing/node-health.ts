/** How a node fares beside its peers: what views, pings and readiness tell of it. */
export interface NodeHealth {
  /** What it lists may be behind: it knows it from its journal, and its peers may know better. */
  readonly stale: boolean
  /** It lost the engine that joins it with its peers. */
  readonly island: boolean
}

/** The health of a node that is joined with its peers, or has none. */
export const WELL: NodeHealth = { stale: false, island: false }
