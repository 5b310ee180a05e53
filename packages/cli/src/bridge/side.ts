/** A registry as a bridge uses it: what a bridge reads from it, and writes into it. */
import type { MirrorOutcome } from './direction.js'
import type { SideListing, MirroredInstance, SeenInstance } from './records.js'

/** Each call rejects with a RegistryError where the registry is away or does not answer like one. */
export interface Side {
  /** Its kind, as people and marks have it. */
  readonly kind: string
  /** It forgets what is registered when it restarts. */
  readonly forgets: boolean
  /** How often registrations are renewed; a third of their lease. */
  readonly renewMs: number
  /** What it lists. `isWanted`: of other services nothing need be read. */
  list(isWanted: (service: string) => boolean): Promise<SideListing>
  /** Brings an instance into what it can hold; undefined where it cannot. Pure. */
  fit(seen: SeenInstance): SeenInstance | undefined
  /**
   * Each calls back for every item as it is done. Once `late` says so nothing is begun: the rest is left for the next round, so
   * that the leases of others do not wait.
   */
  register(items: readonly MirroredInstance[], late: Late, done: ItemDone): Promise<void>
  renew(items: readonly MirroredInstance[], late: Late, done: ItemDone): Promise<void>
  remove(items: readonly MirroredInstance[], late: Late, done: ItemDone): Promise<void>
}

export type ItemDone = (mirror: MirroredInstance, outcome: MirrorOutcome) => void

export type Late = () => boolean
