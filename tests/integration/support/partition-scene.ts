/**
 * Three nodes, three members of etcd and all clients, on hosts of their own between which packets can be lost. The lists of all
 * nodes are followed by way of cables that are never cut.
 */
import { startCaller, type Called } from './caller.js'
import { openCensus, type Census } from './census.js'
import { form } from './chaos-form.js'
import { startCluster, type ClusterNodeProcess, type TestCluster } from './cluster.js'
import { startFleet, type Fleet } from './fleet.js'
import { connects, createNetwork, type NetworkHost, type TestNetwork, type Way } from './network.js'
import { endAll } from './processes.js'
import { startWatchers, type Watched } from './watchers.js'

const FLEETS = form(2, 10)
const SESSIONS = form(15, 200)
const BEATS = form(5, 100)
const EACH = SESSIONS + BEATS
const SUBSCRIBERS = form(9, 300)
const SERVICES = Array.from({ length: FLEETS }, (_, index) => `orders-${index}`)

/** The hosts by what runs there. */
export interface Hosts {
  readonly nodes: readonly NetworkHost[]
  readonly members: readonly NetworkHost[]
  /** Providers, subscribers and callers. */
  readonly clients: NetworkHost
}

export interface PartitionScene {
  readonly network: TestNetwork
  readonly hosts: Hosts
  readonly cluster: TestCluster
  /** The nodes as the clients reach them. */
  readonly registries: readonly string[]
  readonly fleets: readonly Fleet[]
  readonly census: Census
  readonly watched: () => Promise<Watched>
  readonly called: () => Promise<Called>
}

/** Starts it all. */
export async function openPartitionScene(program: string): Promise<PartitionScene> {
  const network = createNetwork('n1', 'n2', 'n3', 'm1', 'm2', 'm3', 'clients')
  try {
    const { hosts: all } = network
    const hosts = { nodes: all.slice(0, 3), members: all.slice(3, 6), clients: all[6]! }
    const cluster = await startCluster({ program, hosts: hosts.nodes, memberHosts: hosts.members })
    const registries = cluster.nodes.map(({ port }, index) => `http://${hosts.nodes[index]!.address}:${port}`)
    const { command } = hosts.clients
    const fleets: Fleet[] = []
    for (const [index, service] of SERVICES.entries())
      fleets.push(await startClients({ hosts, registries }, service, SESSIONS, BEATS, index))
    for (const service of SERVICES) await cluster.agree(service, EACH, 60_000)
    const census = await openCensus(cluster.nodes, ...SERVICES)
    census.expect(fleets.flatMap(({ ids }) => ids))
    const called = await startCaller({ registries, services: SERVICES, callers: 4 }, command)
    const watching = { registries, subscribers: SUBSCRIBERS, services: SERVICES, expected: EACH }
    const watched = await startWatchers(watching, command)
    return { network, hosts, cluster, registries, fleets, census, watched, called }
  } catch (error) {
    await endAll()
    network.close()
    throw error
  }
}

/** Starts instances on the host of the clients; those in sessions begin at one node each, the others beat at all in turn. */
export function startClients(
  { hosts, registries }: Pick<PartitionScene, 'hosts' | 'registries'>,
  service: string,
  sessions: number,
  beats: number,
  first = 0,
): Promise<Fleet> {
  const turned = registries.map((_, at) => registries[(at + first) % registries.length]!)
  const { address: host, command } = hosts.clients
  return startFleet(
    { registry: turned[0]!, registries: turned, beatAt: turned, service, host, sessions, beats, backlog: 64 },
    command,
  )
}

/** Ends it all. */
export async function closePartitionScene({
  network,
  cluster,
  fleets,
  census,
}: PartitionScene): Promise<void> {
  census.close()
  network.heal()
  await Promise.all(fleets.map((fleet) => fleet.end()))
  await endAll()
  await cluster.close()
  network.close()
}

/** All nodes list all that live. */
export async function allListed({ cluster }: PartitionScene): Promise<void> {
  for (const service of SERVICES) await cluster.agree(service, EACH, 60_000)
}

/** A port on which a host listens. */
function portOf({ cluster, hosts, fleets }: PartitionScene, host: NetworkHost): number {
  const { nodes, members } = hosts
  if (nodes.includes(host)) return cluster.nodes[nodes.indexOf(host)]!.port
  if (members.includes(host)) return cluster.etcd.members[members.indexOf(host)]!.port
  return Number(fleets[0]!.ids[0]!.split(':')[1])
}

/** Which of the ways lead somewhere. */
export async function openWays(scene: PartitionScene, ways: readonly Way[]): Promise<readonly string[]> {
  const open = await Promise.all(ways.map((way) => connects(way, portOf(scene, way.to))))
  return ways.filter((_, index) => open[index]).map(({ from, to }) => `${from.name} to ${to.name}`)
}

/** Mends what a test that failed has left. */
export async function mendPartitions(scene: PartitionScene): Promise<void> {
  scene.network.heal()
  await scene.cluster.ready(60_000)
  await allListed(scene)
  scene.census.forget()
  await Promise.all([scene.watched(), scene.called()])
}

/**
 * What must not be: instances that live and were doubted, or missing at a subscriber, and calls that failed. So many of them
 * may have been suspect for a while, where that is promised to no one.
 */
export async function wrongsOf(scene: PartitionScene, mayDoubt = 0): Promise<readonly unknown[]> {
  const { census, watched, called } = scene
  const { doubts, faults } = census
  const ids = [...new Set(doubts.map(({ id }) => id))]
  const accounts = await Promise.all(ids.slice(0, 3).map((id) => accountOf(scene, id)))
  const isAllowed = ids.length <= mayDoubt && doubts.every(({ state }) => state === 'suspect')
  const seen = await watched()
  return [
    ...(isAllowed ? [] : [...doubts, ...accounts.flat()]),
    ...(seen.fewest < EACH - mayDoubt ? seen.faults : []),
    ...faults,
    ...(await called()).failures,
  ]
}

/** What each node noted of an instance, for the reader of a failure. */
async function accountOf({ cluster, fleets }: PartitionScene, id: string): Promise<readonly string[]> {
  const index = fleets.findIndex(({ ids }) => ids.includes(id))
  const kind = fleets[index]?.sessions.includes(id) ? 'a session' : 'beats'
  const tell = async ({ name, url }: ClusterNodeProcess): Promise<string> => {
    const answer = await fetch(`${url}/api/v1/events?service=${SERVICES[index]}`)
    const { events } = (await answer.json()) as { events: readonly object[] }
    const own = events.map((event) => JSON.stringify(event)).filter((event) => event.includes(id))
    return `${name} of ${id} (${kind}): ${own.join(' ')}`
  }
  return Promise.all(cluster.nodes.map(tell))
}
