/** What a node is to other nodes: by itself, or a member of a cluster. The composition root chooses one of them. */
import {
  type Clock,
  createElsewhere,
  type CreatePeerLinks,
  type Elsewhere,
  type EnginePort,
  type Logger,
  type Meter,
} from '@rollcall/core'
import type { ClusterResponse } from '@rollcall/wire'
import type { Sink } from '../driver/commits.js'
import type { NodeDriver } from '../driver/node-driver.js'
import type { ProbePort } from '../driver/probes.js'
import type { Mount } from '../listener/mounts.js'
import type { SystemRandom } from '../random.js'
import { type ClusterClients, createMember, type Member } from './member.js'
import { createPeerAnswers } from './peer-answers.js'
import type { PeerEffects } from './peer-talk.js'

/** Both ends of the links to peers: what makes them, and what answers where they dial. */
export interface LinkNetwork extends Omit<Mount, 'path'> {
  readonly links: CreatePeerLinks
  /** Idempotent. */
  close(): void
}

export interface Membership {
  /** What the rules say to peers; undefined where there are none. */
  readonly effects: PeerEffects | undefined
  /** Where entries go so that other nodes have them. */
  readonly sink: Sink | undefined
  /** The links to peers, as the listener mounts them. */
  readonly network: LinkNetwork | undefined
  /** Asks the other nodes; undefined where there can be none. */
  readonly elsewhere: Elsewhere | undefined
  /** Where the nodes are reached that clients may use: `host:port`. */
  offered(): readonly string[]
  status(): ClusterResponse
  /** Begins once the node listens; `address`: where others reach it. */
  begin(driver: NodeDriver, address: string, clients: ClusterClients): void
  /** Others should not send clients here any more. */
  stop(): void
  /** Leaves. Idempotent. */
  close(): Promise<void>
}

/** A node that no engine joins with others. */
export function createAlone(status: () => ClusterResponse): Membership {
  return {
    effects: undefined,
    sink: undefined,
    network: undefined,
    elsewhere: undefined,
    offered: () => [],
    status,
    begin() {},
    stop() {},
    close: () => Promise.resolve(),
  }
}

export interface JoinedDeps {
  readonly clock: Clock
  readonly random: SystemRandom
  readonly logger: Logger
  readonly meter: Meter
  readonly engine: EnginePort
  readonly network: LinkNetwork
  readonly prober: ProbePort
  /** What is said before the node listens. */
  readonly alone: () => ClusterResponse
}

export interface JoinedOptions {
  readonly node: string
  readonly name?: string
  readonly version: string
  readonly cluster: string
  readonly leaseTtlMs: number
}

/** A node that an engine joins with others. */
export function createJoined(deps: JoinedDeps, options: JoinedOptions): Membership {
  const { network, alone, engine } = deps
  const { cluster, leaseTtlMs, ...self } = options
  let member: Member | undefined
  return {
    effects: {
      tookOver: (record) => member?.effects.tookOver(record),
      passOn: (judge, ref, agoMs) => member?.effects.passOn(judge, ref, agoMs),
      passUnreachable: (judge, refs) => member?.effects.passUnreachable(judge, refs),
      consult: (request) => member?.effects.consult(request),
    },
    sink: { append: (entries) => member?.sink.append(entries) ?? Promise.resolve('memory') },
    network,
    elsewhere: createElsewhere({
      links: () => member?.peers,
      nodes: () => member?.others ?? [],
      now: () => deps.clock.now(),
    }),
    offered: () => member?.offered ?? [],
    status: () => member?.cluster() ?? alone(),
    begin(driver, address, clients) {
      const followed = (): number => member?.followed ?? 0
      const answer = createPeerAnswers({ registry: driver, prober: deps.prober, followed })
      member = createMember(
        { ...deps, driver, clients, links: network.links, answer },
        { self: { ...self, address }, cluster, leaseTtlMs },
      )
      member.start()
    },
    stop: () => member?.stop(),
    async close() {
      if (member === undefined) await engine.close()
      else await member.close()
      network.close()
    },
  }
}
