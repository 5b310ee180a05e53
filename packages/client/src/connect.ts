import { DEFAULTS } from '@rollcall/wire'
import { createSystemAddresses } from './address.js'
import type { Rollcall } from './client.js'
import { createClient } from './client.js'
import { bootMs, createSystemClock } from './clock.js'
import type { Incarnations } from './incarnation.js'
import { createIncarnations } from './incarnation.js'
import { NO_LOGGER } from './logger.js'
import { machineSettings } from './machine/settings.js'
import type { ConnectOptions } from './options.js'
import {
  checkAddress,
  checkName,
  clusterName,
  defaultSnapshotDir,
  staticLists,
  streamUrls,
} from './options.js'
import { createSystemRandom } from './random.js'
import { createRequester } from './calls/requester.js'
import { createSnapshotStore } from './snapshots.js'
import { createWebSocketTransport } from './transport.js'
import { createWarmUps } from './warm-up.js'

/** One sequence for the whole process: two clients of it never use the same number. */
let incarnations: Incarnations | undefined

/**
 * Creates a client and starts connecting. Never waits for a registry; rejects with `invalid_argument` for
 * options that cannot work, and with nothing else.
 */
export async function connect(options: ConnectOptions = {}): Promise<Rollcall> {
  const registries = options.registries ?? []
  const namespace = checkName(options.namespace ?? DEFAULTS.namespace, 'namespace')
  const urls = streamUrls(registries)
  const address = checkAddress(options.address ?? {})
  const clock = createSystemClock()
  const random = createSystemRandom()
  const warmUps = createWarmUps({ clock, random }, options)
  const logger = options.logger ?? NO_LOGGER
  const cluster =
    options.cluster === undefined ? clusterName(registries) : checkName(options.cluster, 'cluster')
  const dir = options.snapshotDir ?? defaultSnapshotDir(process.env)
  const snapshots = dir === false ? undefined : createSnapshotStore({ clock, logger }, { dir, cluster })
  incarnations ??= createIncarnations(bootMs())
  const settings = machineSettings({
    urls,
    namespace,
    agent: `rollcall-client node/${process.versions.node}`,
    random,
    incarnations,
    statics: staticLists(options.static, namespace),
    snapshots: snapshots !== undefined,
    ...(options.times === undefined ? {} : { times: options.times }),
  })
  return createClient(
    {
      transport: createWebSocketTransport(clock),
      clock,
      logger,
      snapshots,
      requester: createRequester(clock),
      addresses: createSystemAddresses(clock),
      warmUps,
    },
    { settings, registries, address, signal: options.signal },
  )
}
