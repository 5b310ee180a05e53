/** What joins a simulated node with the others of its cluster: the real member, over the engine and the network of the world. */
import { type Logger, NO_METER, type ProbeOutcome, type ProbeRequest } from '@rollcall/core'
import { createPeers, type Peers, resolvePeerOptions } from '@rollcall/protocols/peer'
import { type ClusterClients, createMember, type Member, type NodeDriver } from '@rollcall/server'
import { clockOfLife, type SimEngine } from './engine.js'
import type { Network } from './network.js'
import { acceptPeer, createSimDialler, PEER_PORT } from './peer-sockets.js'
import type { SimProcess } from './process.js'
import type { Chance } from './random.js'

/** How long the key of a node outlives it: the default of `nodeLeaseMs`. */
const LEASE_TTL_MS = 6_000

export interface MembershipDeps {
  readonly process: SimProcess
  readonly network: Network
  readonly engine: SimEngine
  readonly chance: Chance
  readonly logger: Logger
  readonly driver: NodeDriver
  /** Id of this boot, what an operator calls the node, and where clients reach it. */
  readonly node: string
  readonly name: string
  readonly address: string
  readonly probe: (request: ProbeRequest, callback: (outcome: ProbeOutcome) => void) => void
  readonly clients: ClusterClients
}

/** Makes the member of one life of a node, which accepts its peers as well. */
export function createMembership(deps: MembershipDeps): Member {
  const { process, network, engine, chance, logger, driver, node, name, address, clients } = deps
  const clock = clockOfLife(process)
  let links: Peers | undefined
  network.listen(PEER_PORT, {
    process,
    accept(end, from) {
      const peers = links
      if (peers === undefined) end.close(1_001, 'not joined')
      else acceptPeer(end, (socket) => peers.accept(socket, from))
    },
  })
  const random = {
    fraction: () => chance.fraction(),
    bootId: () => hex(chance, 16),
    secret: () => hex(chance, 64),
    nonce: () => hex(chance, 64),
  }
  return createMember(
    {
      clock,
      random,
      logger,
      meter: NO_METER,
      engine: engine.connect(process),
      driver,
      links(self, secret, listener, epoch) {
        links = createPeers(
          { clock, random, logger, meter: NO_METER, dial: createSimDialler(process, network) },
          resolvePeerOptions({}),
          { node: self.node, secret, epoch },
          listener,
        )
        return links
      },
      clients,
      answer: (_peer, kind, question) => {
        if (kind !== 'probe') return Promise.reject(new Error(`not simulated: ${kind}`))
        return new Promise((resolve) =>
          deps.probe(question as ProbeRequest, (outcome) => resolve(outcome as never)),
        )
      },
    },
    {
      self: { node, name, address, version: '0.0.0' },
      cluster: 'simulated',
      leaseTtlMs: LEASE_TTL_MS,
    },
  )
}

function hex(chance: Chance, digits: number): string {
  return Array.from({ length: digits }, () => chance.whole(0, 15).toString(16)).join('')
}
