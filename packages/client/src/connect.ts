import { DEFAULTS } from '@rollcall/wire'
import { createSystemAddresses } from './shell/address.js'
import { createClient } from './client.js'
import { bootMs, createSystemClock } from './shell/clock.js'
import type { Incarnations } from './machine/incarnation.js'
import { createIncarnations } from './machine/incarnation.js'
import { machineSettings } from './machine/settings.js'
import { checkAddress, checkName, defaultSnapshotDir, clustersOf, lookupOf } from './options.js'
import { createSystemRandom } from './shell/random.js'
import { createRequester } from './calls/requester.js'
import type { SnapshotStore } from './shell/snapshots.js'
import { createSnapshotStore } from './shell/snapshots.js'
import { createWebSocketTransport } from './shell/transport.js'
import { createWarmUps } from './start-up/warm-up.js'
import { NO_LOGGER } from './machine/ports.js'
import type { Rollcall, ConnectOptions } from './api.js'

/** One sequence for the whole process: two clients of it never use the same number. */
let incarnations: Incarnations | undefined

/**
 * Creates a client and starts connecting. Never waits for a registry; rejects with `invalid_argument` for
 * options that cannot work, and with nothing else.
 */
export async function connect(options: ConnectOptions = {}): Promise<Rollcall> {
  const namespace = checkName(options.namespace ?? DEFAULTS.namespace, 'namespace')
  const clusters = clustersOf(options, namespace)
  const address = checkAddress(options.address ?? {})
  const clock = createSystemClock()
  const random = createSystemRandom()
  const warmUps = createWarmUps({ clock, random }, options)
  const logger = options.logger ?? NO_LOGGER
  const dir = options.snapshotDir ?? defaultSnapshotDir(process.env)
  const snapshots = new Map<string, SnapshotStore>()
  if (dir !== false) {
    for (const { name, snapshotName: cluster } of clusters)
      snapshots.set(name, createSnapshotStore({ clock, logger }, { dir, cluster }))
  }
  const numbers = (incarnations ??= createIncarnations(bootMs()))
  const settings = clusters.map(({ name, urls, statics }) =>
    machineSettings({
      cluster: name,
      urls,
      namespace,
      agent: `rollcall-client node/${process.versions.node}`,
      random,
      incarnations: numbers,
      statics,
      snapshots: dir !== false,
      ...(options.times === undefined ? {} : { times: options.times }),
    }),
  )
  return createClient(
    {
      transport: createWebSocketTransport(clock),
      clock,
      logger,
      observer: options.observer,
      snapshots,
      createRequester: () => createRequester(clock),
      addresses: createSystemAddresses(clock),
      warmUps,
    },
    {
      clusters: settings,
      merge: lookupOf({}, [], options.merge ?? 'union').merge,
      namespace,
      zone: options.zone,
      random,
      registries: clusters.flatMap(({ registries }) => registries),
      address,
      signal: options.signal,
    },
  )
}
