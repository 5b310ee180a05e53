/** The way in: a client over the real world, or over another. */
import { DEFAULTS } from '@rollcall/wire'
import type { AddressSources } from './shell/address.js'
import { createSystemAddresses } from './shell/address.js'
import { createClient } from './client.js'
import { checkKnown } from './known-options.js'
import { checkConnectTypes } from './option-types.js'
import { createSystemClock } from './shell/clock.js'
import type { Incarnations } from './machine/incarnation.js'
import { machineSettings } from './machine/settings.js'
import { checkAddress, checkName, checkTimes, defaultSnapshotDir, clustersOf, lookupOf } from './options.js'
import { CONSOLE_LOGGER } from './shell/console-logger.js'
import { incarnationsOfProcess } from './shell/process-wide.js'
import { createSystemRandom } from './shell/random.js'
import type { Requester } from './calls/requester.js'
import { createRequester } from './calls/requester.js'
import type { NodeTls } from './calls/tls.js'
import type { SnapshotOptions, SnapshotStore } from './shell/snapshots.js'
import { createSnapshotStore } from './shell/snapshots.js'
import type { Transport } from './shell/transport.js'
import { createWebSocketTransport } from './shell/transport.js'
import { createWarmUps } from './start-up/warm-up.js'
import type { Clock, Logger, Random } from './machine/ports.js'
import { NO_LOGGER } from './machine/ports.js'
import type { Rollcall, ConnectOptions } from './api.js'

/** What a client needs of the world around it. */
export interface ClientPorts {
  readonly clock: Clock
  readonly random: Random
  readonly incarnations: Incarnations
  readonly transport: Transport
  readonly addresses: AddressSources
  /** Where no other is given. Default: one that keeps nothing. */
  readonly logger?: Logger
  /** For the HTTP calls to one service. */
  readonly createRequester: (tls: NodeTls) => Requester
  /** Of one cluster. */
  readonly openSnapshots: (options: SnapshotOptions, logger: Logger) => SnapshotStore
}

/**
 * Creates a client and starts connecting. Never waits for a registry; rejects with `invalid_argument` for
 * options that cannot work, and with nothing else.
 */
export async function connect(options: ConnectOptions = {}): Promise<Rollcall> {
  const clock = createSystemClock()
  return connectOver(
    {
      clock,
      random: createSystemRandom(),
      logger: CONSOLE_LOGGER,
      incarnations: incarnationsOfProcess(),
      transport: createWebSocketTransport(clock),
      addresses: createSystemAddresses(clock),
      createRequester: (tls) => createRequester(clock, tls),
      openSnapshots: (where, logger) => createSnapshotStore({ clock, logger }, where),
    },
    options,
  )
}

/** `connect` in another world than the real one. */
export function connectOver(ports: ClientPorts, options: ConnectOptions): Rollcall {
  const { clock, random, openSnapshots } = ports
  checkKnown(options, 'connect')
  checkConnectTypes(options)
  const namespace = checkName(options.namespace ?? DEFAULTS.namespace, 'namespace')
  const clusters = clustersOf(options, namespace)
  const address = checkAddress(options.address ?? {})
  const times = checkTimes(options.times)
  const warmUps = createWarmUps({ clock, random }, options)
  const { logger: given = ports.logger ?? NO_LOGGER } = options
  const logger = given === false ? NO_LOGGER : given
  const dir = options.snapshotDir ?? defaultSnapshotDir(process.env)
  const snapshots = new Map<string, SnapshotStore>()
  if (dir !== false) {
    for (const { name, snapshotName: cluster } of clusters)
      snapshots.set(name, openSnapshots({ dir, cluster }, logger))
  }
  const settings = clusters.map(({ name, urls, learnNodes, statics }) =>
    machineSettings({
      cluster: name,
      urls,
      learnNodes,
      namespace,
      agent: `rollcall-client node/${process.versions.node}`,
      random,
      incarnations: ports.incarnations,
      statics,
      snapshots: dir !== false,
      times,
    }),
  )
  const tls = new Map(clusters.map((cluster) => [cluster.name, cluster.tls]))
  return createClient(
    { ...ports, tls, logger, observer: options.observer, snapshots, warmUps },
    {
      clusters: settings,
      merge: lookupOf({}, [], options.merge ?? 'union').merge,
      namespace,
      zone: options.zone,
      random,
      address,
      signal: options.signal,
    },
  )
}
