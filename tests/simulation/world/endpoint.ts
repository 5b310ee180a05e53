/** One endpoint of a program, and what excuses it from being listed. */
import type { InstanceKey } from '@rollcall/core'
import type { Intent } from '@rollcall/wire'
import type { SimProcess } from './process.js'
import type { Trouble } from './trouble.js'

/** What speaks for an instance. */
export type Vouch = 'session' | 'beats' | 'probe' | 'static'

/** What an endpoint is made from. */
export interface EndpointGiven extends Pick<
  Endpoint,
  | 'cluster'
  | 'key'
  | 'vouch'
  | 'leaseMs'
  | 'named'
  | 'probed'
  | 'contested'
  | 'process'
  | 'trouble'
  | 'host'
  | 'port'
> {
  readonly probing: Trouble | undefined
}

/** What is true of an instance, whatever anybody believes. */
export class Endpoint {
  /** The cluster whose registry it is registered in: a program that registers in two has two of each. */
  readonly cluster: number
  readonly key: InstanceKey
  readonly vouch: Vouch
  readonly leaseMs: number
  /** Whether its registrations carry an incarnation. */
  readonly named: boolean
  /** Whether probes are made. */
  readonly probed: boolean
  /** Another program claims the same id: nothing is owed to either. */
  readonly contested: boolean
  /** Who listens on its port. */
  readonly process: SimProcess
  /** Disturbances of its host, shared by all on that host. */
  readonly trouble: Trouble
  /** Disturbances of probes, for who lives by them. */
  private readonly probing: Trouble | undefined
  host: string
  port: number
  /** The incarnation it registered last, as far as it knows. */
  incarnation: number | undefined
  intent: Intent = 'up'
  /** The incarnation that another caller took out last. */
  dismissedAs: number | undefined
  /** Whether its process wants it to be registered and called, and no other caller has taken it out for good. */
  wanted = false
  /** Its registration may be demanded from this moment on. */
  owedFrom: number = Infinity
  private conflictLife = 0
  private conflictAt = 0

  constructor(given: EndpointGiven) {
    this.cluster = given.cluster
    this.key = given.key
    this.vouch = given.vouch
    this.leaseMs = given.leaseMs
    this.named = given.named
    this.probed = given.probed
    this.contested = given.contested
    this.process = given.process
    this.trouble = given.trouble
    this.probing = given.probing
    this.host = given.host
    this.port = given.port
  }

  /** Whether it lives and everybody may be expected to know it by now. */
  owed(now: number): boolean {
    return this.intent === 'up' && this.settled(now)
  }

  /** Whether it lives and everybody may be expected to know by now what it says of itself. */
  settled(now: number): boolean {
    if (!this.alive || !this.wanted || this.contested) return false
    return now >= Math.max(this.owedFrom, this.trouble.calmFrom, this.probing?.calmFrom ?? 0)
  }

  get alive(): boolean {
    return this.process.alive && !this.process.paused
  }

  /** Nothing may be demanded for a while. */
  excuse(until: number): void {
    this.owedFrom = Math.max(this.owedFrom, until)
  }

  /** Its id is held by another process. That excuses `ms`, from `since` or from when it was first told so in this life. */
  conflicts(now: number, since: number, ms: number): void {
    if (this.conflictLife !== this.process.life) this.conflictAt = now
    this.conflictLife = this.process.life
    this.excuse(Math.max(this.conflictAt, since) + ms)
  }
}

/** One string per instance. */
export function keyText(key: InstanceKey): string {
  return `${key.namespace}/${key.service}/${key.group}/${key.id}`
}

/** One that died, for what must not be called any more. */
export interface Obituary {
  readonly endpoint: Endpoint
  readonly incarnation: number | undefined
  readonly host: string
  readonly port: number
  readonly at: number
  /** It hangs; when it goes on, this is void. */
  readonly hung: boolean
}
