/** Instances as a bridge sees them in either registry, and what it puts into the other one. */
import type { Mark } from './mark.js'

/** What a registry says of an instance: it takes calls, not yet, no longer by its own or an operator's word, or it fell silent. */
export type SeenStanding = 'up' | 'starting' | 'out' | 'lost'

/** What both registries can say of an instance. */
export interface BridgedEndpoint {
  /** A name of ours, as adapters write names of other registries. */
  readonly service: string
  /** Undefined where the registry has no groups. */
  readonly group?: string
  /** Where it is called. */
  readonly host: string
  readonly port: number
  /** Such as `https`. */
  readonly protocol?: string
  /** Undefined is the usual weight. */
  readonly weight?: number
  readonly zone?: string
  readonly tags?: readonly string[]
  /** Without the mark. */
  readonly metadata: Readonly<Record<string, string>>
  readonly standing: SeenStanding
}

/** An instance that a registry lists. */
export interface SeenInstance extends BridgedEndpoint {
  readonly id: string
  /** Other hosts that mean the same machine. */
  readonly aliases?: readonly string[]
  /** Present where a bridge put it there. */
  readonly mark?: Mark
}

/** An instance that a bridge puts into a registry. */
export interface MirroredInstance extends BridgedEndpoint {
  /** The same for the same instance at each start of the same bridge. */
  readonly id: string
  readonly mark: Mark
}

/** What a registry listed. */
export interface SideListing {
  readonly instances: readonly SeenInstance[]
  /** Of instances that it lists and that no other registry can hold. */
  readonly unreadable: number
  /** It says itself that something may be missing. */
  readonly stale: boolean
}

/** Hosts and port under a service: the same in both registries means the same process, whatever its ids are. */
export function addressesOf({
  service,
  host,
  port,
  aliases = [],
}: Pick<SeenInstance, 'service' | 'host' | 'port' | 'aliases'>): string[] {
  const name = service.toLowerCase()
  return [host, ...aliases].map((each) => `${name} ${each.toLowerCase()} ${port}`)
}
