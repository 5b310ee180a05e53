/**
 * The composition root: the one file that names every adapter and store. It turns a configuration into a
 * running node, and takes it apart in the order that loses nothing.
 */
import { ANONYMOUS, type Clock, type JournalPort, type RefusalLog } from '@rollcall/core'
import { createDns } from '@rollcall/protocols/dns'
import { createGate, headersOf } from '@rollcall/protocols/http'
import { createNativeProtocol, type HttpBudgets, type NativeProtocol } from '@rollcall/protocols/native'
import { createPeerNetwork, PEER_PATH } from '@rollcall/protocols/peer'
import { createPrometheusDiscovery } from '@rollcall/protocols/prometheus'
import { createDisk, createEtcdEngine, createMemoryJournal, openJournal } from '@rollcall/storage'
import { type ClusterResponse, defined, type ProcessFacts, RegistryError } from '@rollcall/wire'
import { createSystemClock } from './clock.js'
import { readEngineAccess } from './cluster/engine-access.js'
import { createMeteredEngine } from './cluster/metered-engine.js'
import { createLoneStatus } from './cluster/lone-status.js'
import { createAlone, createJoined, type Membership } from './cluster/membership.js'
import type { HostPort } from './config/address.js'
import { type Config, parseHostPort } from './config/config.js'
import { type Connections, createConnections } from './listener/connections.js'
import { planDescriptors, readDescriptorLimit } from './descriptors.js'
import { createForeign, type ForeignServer } from './foreign.js'
import { createHttpBudgets } from './http-budgets.js'
import { type HealthDeps, healthMounts } from './listener/health.js'
import { createListeners, type Listeners, type OtherListener } from './listener/listeners.js'
import type { Mount } from './listener/mounts.js'
import { createDnsListener } from './dns/listener.js'
import { beginFigures, renderFigures } from './telemetry/figures.js'
import { createLogger, type ProcessLogger } from './telemetry/logging.js'
import { createMetricsRegistry, type MetricsRegistry } from './telemetry/metrics-registry.js'
import type { ProcessMetrics } from './telemetry/process-metrics.js'
import { createNodeLogs } from './telemetry/node-logs.js'
import { createHeapReader } from './driver/heap-watch.js'
import { createNodeDriver, type NodeDriver } from './driver/node-driver.js'
import { createNodeFacts, type JournalReading } from './node-facts.js'
import { allowedHostsOf, nodeOptions, peerBounds, reachedAt } from './node-settings.js'
import { createProber, type Prober } from './prober/prober.js'
import { createSystemRandom, type SystemRandom } from './random.js'
import type { ShutdownStep } from './shutdown.js'
import { stopSteps } from './stop-steps.js'
import { SOFTWARE_VERSION } from './version.js'

/** A journal of some million entries is read in less; a directory that hangs never answers. */
const SLOW_START_MS = 5_000

/** How all of the registry looks to clients of Consul: defaults of its adapter. */
const CONSUL_NAMES = { datacenter: 'dc1', node: 'rollcall' }

/** A node that serves. */
export interface ComposedNode {
  /** Unique per boot. */
  readonly nodeId: string
  readonly address: HostPort
  /** Where the protocols of other registries are served, by their names. */
  readonly foreign: Readonly<Record<string, HostPort>>
  readonly logger: ProcessLogger
  readonly clock: Clock
  /** What an orderly stop does, one after the other. */
  readonly stopSteps: readonly ShutdownStep[]
}

interface Parts {
  readonly clock: Clock
  readonly random: SystemRandom
  readonly logger: ProcessLogger
  readonly metrics: MetricsRegistry
  readonly figures: ProcessMetrics
  readonly prober: Prober
  readonly driver: NodeDriver
  readonly budgets: HttpBudgets
  readonly connectionsMax: number
  readonly refusals: RefusalLog
  readonly membership: Membership
}

/** Builds a node from its configuration and starts it. Rejects, with everything released, when it cannot serve. */
export async function composeNode(config: Config): Promise<ComposedNode> {
  const clock = createSystemClock()
  const random = createSystemRandom()
  const boot = random.bootId()
  const nodeId = config.nodeId === undefined ? boot : `${config.nodeId}.${boot}`
  const logger = createLogger({ clock }, { level: config.logLevel, format: config.logFormat })
  const metrics = createMetricsRegistry()
  const heap = createHeapReader()
  const descriptors = planDescriptors(readDescriptorLimit(), heap.limit, config.limits.connectionsMax)
  const { limit, connectionsMax } = descriptors
  if (descriptors.scarce)
    logger.warn({ limit, connectionsMax }, 'the limit of open files (ulimit -n) is small')
  const prober = createProber(
    { clock, random, logger: logger.child({ component: 'prober' }), meter: metrics },
    { networks: config.probeNetworks, concurrencyMax: descriptors.probesMax },
  )
  const { refusals, audit, health } = createNodeLogs({ clock, logger }, config)
  let listening: HostPort | undefined
  const membership = createMembership(config, nodeId, { clock, random, logger, metrics, prober }, () =>
    createLoneStatus(config, nodeId, { driver, facts, sessions: () => native.stats().streams }),
  )
  const driver = createNodeDriver(
    { clock, heap, prober, meter: metrics, audit, health, ...defined({ effects: membership.effects }) },
    nodeOptions(config, nodeId, heap.limit),
  )
  const budgets = createHttpBudgets({ bounds: peerBounds(config), meter: metrics }, config.limits, heap.limit)
  const begun = { clock, random, logger, metrics, prober, driver, budgets, connectionsMax, refusals }
  const { journal, read } = await openStorage(config, begun)
  driver.attach(journal)
  if (membership.sink !== undefined) driver.attach(membership.sink, { behind: true })
  const facts = createNodeFacts(
    { clock, journal: read, residentBytes: () => process.memoryUsage.rss() },
    () => reachedAt(config, listening),
  )
  const parts: Parts = { ...begun, membership, figures: beginFigures(begun, config, nodeId) }
  const native: NativeProtocol = createNative(config, nodeId, parts, facts)
  const foreign = createForeign(config, { ...parts, reached: () => reachedAt(config, listening) })
  const reported = { clusterStatus: () => membership.status(), journalFault: () => read()?.fault }
  const listeners = openAddresses(config, parts, { native, foreign }, reported)
  try {
    const [address, ...others] = await listeners.start()
    listening = address
    const served = Object.fromEntries(foreign.map(({ setting }, at) => [setting, others[at] as HostPort]))
    driver.start()
    membership.begin(driver, facts().address, {
      sessions: () => native.stats().streams,
      nodesChanged: () => native.nodesChanged(),
      rebalance: (count, to) => native.rebalance(count, to),
    })
    for (const adapter of foreign) adapter.start?.()
    logReady(logger, config, {
      node: nodeId,
      ...address,
      ...(foreign.length === 0 ? {} : { foreign: served }),
    })
    const steps = stopSteps({ ...parts, native, foreign, listeners, journal })
    return { nodeId, address, foreign: served, logger, clock, stopSteps: steps }
  } catch (error) {
    await membership.close()
    await native.close()
    for (const adapter of foreign) adapter.close()
    release(parts)
    await journal.close()
    throw error
  }
}

function release({ driver, prober, figures }: Parts): void {
  driver.close()
  prober.close()
  figures.close()
}

function logReady(logger: ProcessLogger, config: Config, { node, ...where }: Record<string, unknown>): void {
  const { cluster, memory, data } = config
  logger.info({ node, version: SOFTWARE_VERSION, cluster, ...where, data: memory ? 'memory' : data }, 'ready')
}

/** Where durable state goes, and whether it is behind there. */
interface Storage {
  readonly journal: JournalPort
  /** How the journal does; undefined where nothing is kept on disk. */
  readonly read: () => JournalReading | undefined
}

async function openStorage(
  config: Config,
  { driver, clock, logger, metrics }: Pick<Parts, 'driver' | 'clock' | 'logger' | 'metrics'>,
): Promise<Storage> {
  if (config.memory) {
    driver.load([])
    return { journal: createMemoryJournal(), read: () => undefined }
  }
  const beganAt = clock.now()
  const cancel = clock.setTimer(SLOW_START_MS, () =>
    logger.warn({ data: config.data }, 'still waiting for the data directory'),
  )
  const { journal, recovered } = await openJournal(
    {
      disk: createDisk(),
      clock,
      logger: logger.child({ component: 'journal' }),
      meter: metrics,
      snapshotSource: () => driver.snapshot(),
    },
    { directory: config.data, ...config.journal },
  ).finally(cancel)
  const refused = driver.load(recovered.entries)
  if (refused.length > 0) {
    const [first] = refused
    logger.warn(
      { entries: refused.length, first: first?.error.message },
      'the journal has numbers that nothing could exceed: these entries were left out',
    )
  }
  logger.info(
    { data: config.data, entries: recovered.entryCount, durationMs: Math.round(clock.now() - beganAt) },
    'journal read',
  )
  return { journal, read: () => journal.health() }
}

function createNative(
  config: Config,
  nodeId: string,
  { driver, clock, logger, metrics, budgets, connectionsMax, refusals, membership }: Parts,
  facts: () => ProcessFacts,
): NativeProtocol {
  return createNativeProtocol(
    {
      registry: driver,
      clock,
      logger: logger.child({ component: 'native' }),
      meter: metrics,
      refusals,
      node: {
        id: nodeId,
        cluster: config.cluster,
        readiness: () => driver.readiness(),
        facts,
        clusterStatus: () => membership.status(),
        nodes: () => membership.offered(),
        ...defined({ elsewhere: membership.elsewhere }),
      },
      budgets,
    },
    {
      version: SOFTWARE_VERSION,
      limits: config.limits,
      allowedHosts: allowedHostsOf(config),
      pingMs: config.pingMs,
      bufferBytesMax: config.limits.subscriberBufferBytesMax,
      streamsMax: connectionsMax,
      eventStreamsMax: connectionsMax,
    },
  )
}

/** What joins the node with others, where something does. */
function createMembership(
  config: Config,
  nodeId: string,
  {
    clock,
    random,
    logger,
    metrics,
    prober,
  }: Pick<Parts, 'clock' | 'logger' | 'metrics' | 'prober'> & { readonly random: SystemRandom },
  alone: () => ClusterResponse,
): Membership {
  const { cluster, nodeLeaseMs, etcd } = config
  if (etcd === undefined) return createAlone(alone)
  const log = logger.child({ component: 'cluster' })
  const etcdEngine = createEtcdEngine(
    { clock, random: () => random.fraction(), logger: logger.child({ component: 'engine' }) },
    readEngineAccess(etcd),
  )
  const engine = createMeteredEngine({ clock, meter: metrics, engine: etcdEngine })
  const network = createPeerNetwork(
    { clock, random, logger: log, meter: metrics },
    { allowedHosts: allowedHostsOf(config) },
  )
  return createJoined(
    { clock, random, logger: log, meter: metrics, engine, network, alone, prober },
    {
      node: nodeId,
      ...defined({ name: config.nodeId }),
      version: SOFTWARE_VERSION,
      cluster,
      leaseTtlMs: nodeLeaseMs,
    },
  )
}

/** The addresses of a node, each with what answers there. */
function openAddresses(
  config: Config,
  parts: Parts,
  { native, foreign }: { readonly native: NativeProtocol; readonly foreign: readonly ForeignServer[] },
  {
    clusterStatus,
    journalFault,
  }: Pick<HealthDeps, 'journalFault'> & { readonly clusterStatus: () => ClusterResponse },
): Listeners {
  const listen = parseHostPort(config.listen)
  if (listen === undefined)
    throw new RegistryError('invalid_argument', `${config.listen} is no address`, { field: 'listen' })
  const { clock, logger, metrics, driver, budgets, connectionsMax, refusals, membership } = parts
  const read = driver.read({ principal: ANONYMOUS })
  const allowedHosts = allowedHostsOf(config)
  const gate = createGate(allowedHosts)
  const health = healthMounts({
    readiness: () => driver.readiness(),
    health: () => read.health(),
    heap: () => driver.heap(),
    frozen: () => read.freezes().map(({ namespace }) => namespace),
    engine: () => clusterStatus().engine,
    journalFault,
    refusals,
    checkHost: (request) => gate.checkHost(headersOf(request), request.httpVersion),
    metrics: () => renderFigures(parts, clusterStatus()),
  })
  const prometheus = createPrometheusDiscovery(
    {
      registry: driver,
      node: driver,
      clock,
      logger: logger.child({ component: 'prometheus' }),
      meter: metrics,
      refusals,
      budgets,
    },
    { allowedHosts },
  )
  const { network } = membership
  const mounts: readonly Mount[] = [
    ...health,
    ...(network === undefined ? [] : [{ path: PEER_PATH, ...network }]),
    { path: '/prometheus/sd', ...prometheus },
    { path: '/', ...native },
  ]
  const log = logger.child({ component: 'listener' })
  const connections = createConnections(
    { clock, logger: log, meter: metrics, bounds: peerBounds(config) },
    connectionsMax,
  )
  return createListeners(
    { clock, logger: log, meter: metrics, refusals, connections },
    [{ ...listen, mounts }, ...foreign],
    openDns(config, parts, connections),
  )
}

/** DNS at its address, where it is on. */
function openDns(
  { dns, consul, advertise }: Config,
  parts: Parts,
  connections: Connections,
): readonly OtherListener[] {
  const address = dns === undefined ? undefined : parseHostPort(dns.listen)
  if (dns === undefined || address === undefined) return []
  const { clock, random, metrics: meter, driver } = parts
  const logger = parts.logger.child({ component: 'dns' })
  const { domain, ttlMs, udpBytesMax, queriesPerSourceMax, connectionsMax } = dns
  const answers = createDns(
    { registry: driver, node: driver, clock, chance: () => random.fraction(), logger, meter },
    {
      domain,
      ttlSeconds: Math.floor(ttlMs / 1_000),
      udpBytesMax,
      queriesPerSourceMax,
      address: reachedAt({ advertise, listen: dns.listen }, undefined).host,
      ...(consul === undefined ? {} : { consul: CONSUL_NAMES }),
    },
  )
  const deps = { dns: answers, clock, logger, meter, connections }
  return [createDnsListener(deps, { ...address, connectionsMax })]
}
