/** What the settings of a node mean to its parts: options of the rules, bounds of peers, names and addresses. */
import { hostname } from 'node:os'
import {
  boundsOfHeap,
  LIVENESS_DEFAULTS,
  NODE_DEFAULTS,
  type NodeOptions,
  type PeerBounds,
  PUBLISHER_DEFAULTS,
} from '@rollcall/core'
import { defined } from '@rollcall/wire'
import type { HostPort } from './config/address.js'
import { type Config, parseHostPort } from './config/config.js'
import { RELEASED_AT } from './version.js'

/** What the rules of a node are told. */
export function nodeOptions(config: Config, nodeId: string, heapLimit: number): NodeOptions {
  const { limits } = config
  return {
    ...NODE_DEFAULTS,
    nodeId,
    releasedAt: RELEASED_AT,
    admission: config.admission,
    limits,
    probes: { otherPorts: config.probeOtherPorts, credentials: config.probeCredentials },
    instancesMax: limits.instancesMax,
    ...boundsOfHeap(heapLimit),
    heapBytesMax: Math.floor((heapLimit * limits.heapPercentMax) / 100),
    ...defined({
      recordBytesMax: limits.recordBytesMax,
      tombstoneBytesMax: limits.tombstoneBytesMax,
      strayBytesMax: limits.strayBytesMax,
      declarationBytesMax: limits.declarationBytesMax,
      watchBytesMax: limits.watchBytesMax,
      historyBytesMax: limits.historyBytesMax,
      eventsMax: limits.eventsMax,
    }),
    watchesMax: limits.watchesMax,
    servicesMax: limits.servicesMax,
    namespacesMax: limits.namespacesMax,
    peers: peerBounds(config),
    namespaces: config.namespaces,
    joined: config.etcd !== undefined,
    liveness: {
      ...LIVENESS_DEFAULTS,
      pingMs: config.pingMs,
      removalMs: config.removalMs,
      retentionMs: config.retentionMs,
    },
    publisher: {
      ...PUBLISHER_DEFAULTS,
      watchesPerSubscriberMax: limits.watchesPerSubscriberMax,
      waitersMax: limits.waitersMax,
    },
  }
}

/** What one peer may hold of each budget. */
export function peerBounds({ limits }: Config): PeerBounds {
  return { share: limits.peerSharePercent / 100, sharedNetworks: limits.sharedNetworks }
}

/** Names under which a node may be called: those that are configured, its own and the machine's. */
export function allowedHostsOf({ allowedHosts, advertise }: Config): readonly string[] {
  const own = advertise === undefined ? undefined : parseHostPort(advertise)
  return [...allowedHosts, hostname(), ...(own === undefined ? [] : [own.host])]
}

/** Where others reach a node: as it was told, else where it listens. */
export function reachedAt(
  { advertise, listen }: Pick<Config, 'advertise' | 'listen'>,
  listening: HostPort | undefined,
): HostPort {
  const told = advertise === undefined ? listening : parseHostPort(advertise)
  return told ?? (parseHostPort(listen) as HostPort)
}
