/** Three nodes on three members of etcd with instances, subscribers and a consumer, to be troubled by tests. */
import { setTimeout as pause } from 'node:timers/promises'
import { connect, type Rollcall } from '@rollcall/client'
import { startBalancer, type Balancer } from './balancer.js'
import { openCensus, type Census } from './census.js'
import { form } from './chaos-form.js'
import { startCluster, type ClusterNodeProcess, type TestCluster } from './cluster.js'
import { startFleet, type Fleet } from './fleet.js'
import { openWay, type Way } from './freezing-proxy.js'
import { startLoad, type Load } from './load.js'
import { endAll, until } from './processes.js'
import { startWatchers, type Watched } from './watchers.js'

const FLEETS = form(2, 10)
const SESSIONS = form(15, 200)
const BEATS = form(5, 100)
const EACH = SESSIONS + BEATS
const SERVICES = Array.from({ length: FLEETS }, (_, index) => `orders-${index}`)
export const SUBSCRIBERS: number = form(10, 300)

/** Everything that these tests share: starting it for each of them would take longer than they do. */
export interface Scene {
  readonly cluster: TestCluster
  readonly ways: readonly Way[]
  readonly balancer: Balancer
  readonly fleets: readonly Fleet[]
  readonly census: Census
  readonly consumer: Rollcall
  readonly load: Load
  readonly watched: () => Promise<Watched>
}

/** Starts it all. */
export async function openScene(program: string): Promise<Scene> {
  const ways: Way[] = []
  // The third node reaches each member by a way of its own, which can be cut.
  const endpoints = (node: number, members: readonly string[]): readonly string[] =>
    node === 2 ? ways.map(({ port }) => `http://127.0.0.1:${port}`) : members
  const cluster = await startCluster({
    program,
    endpoints,
    async prepare({ members }) {
      for (const member of members) ways.push(await openWay({ host: '127.0.0.1', port: member.port }))
    },
  })
  const balancer = await startBalancer(cluster.nodes)
  const { registries } = cluster
  const fleet = {
    registry: balancer.url,
    registries,
    sessions: SESSIONS,
    beats: BEATS,
    backlog: 64,
  }
  const fleets: Fleet[] = []
  for (let index = 0; index < FLEETS; index++)
    fleets.push(
      await startFleet({ ...fleet, service: SERVICES[index]!, registries: rotated(registries, index) }),
    )
  await allAgree(cluster)
  const census = await openCensus(cluster.nodes, ...SERVICES)
  census.expect(fleets.flatMap(({ ids }) => ids))
  const consumer = await connect({ registries, snapshotDir: false, logger: false })
  const targets = SERVICES.map((service) => consumer.service(service))
  let turn = 0
  const load = startLoad(async () => {
    // The callers are to notice troubles, not to be one.
    await pause(10)
    return (await targets[turn++ % targets.length]!.fetch('/')).text()
  })
  await load.more(50)
  const watched = await startWatchers({
    registries,
    subscribers: SUBSCRIBERS,
    services: SERVICES,
    expected: EACH,
  })
  return { cluster, ways, balancer, fleets, census, consumer, load, watched }
}

const rotated = <T>(all: readonly T[], by: number): readonly T[] =>
  all.map((_, index) => all[(index + by) % all.length] as T)

/** Ends it all. */
export async function closeScene(all: Scene): Promise<void> {
  const { cluster, ways, balancer, fleets, census, consumer } = all
  census.close()
  await consumer.close()
  await Promise.all(fleets.map((fleet) => fleet.end()))
  await endAll()
  await cluster.close()
  await balancer.close()
  await Promise.all(ways.map((way) => way.close()))
}

/** Mends whatever a test that failed has left. */
export async function mend({ cluster, ways, census }: Scene): Promise<void> {
  for (const way of ways) way.heal()
  for (const member of cluster.etcd.members) member.resume()
  await cluster.etcd.startAll()
  for (const each of cluster.nodes)
    if (each.isRunning) each.server.process.kill('SIGCONT')
    else await each.start()
  await cluster.ready()
  census.forget()
}

/** What must not be: instances that live and were doubted somewhere, or missing at a subscriber, and calls that failed. */
export async function wrongs(all: Scene): Promise<readonly unknown[]> {
  const { census, load, watched } = all
  const { doubts } = census
  const accounts = await Promise.all(doubts.slice(0, 3).map((doubt) => accountOf(all, doubt.id)))
  return [...doubts, ...accounts.flat(), ...census.faults, ...(await watched()).faults, ...load.failures]
}

/** What each node noted of an instance, for the reader of a failure. */
async function accountOf({ cluster, fleets }: Scene, id: string): Promise<readonly string[]> {
  const index = fleets.findIndex(({ ids }) => ids.includes(id))
  const kind = fleets[index]?.sessions.includes(id) ? 'a session' : 'beats'
  return Promise.all(
    cluster.nodes.map(async ({ name, url }) => {
      const answer = await fetch(`${url}/api/v1/events?service=orders-${index}`)
      const { events } = (await answer.json()) as { events: readonly object[] }
      const own = events.map((event) => JSON.stringify(event)).filter((event) => event.includes(id))
      return `${name} of ${id} (${kind}): ${own.join(' ')}`
    }),
  )
}

/** All nodes list all that live. */
export async function allAgree(cluster: TestCluster): Promise<void> {
  for (const service of SERVICES) await cluster.agree(service, EACH, 60_000)
}

/** Sessions at the other nodes make up for those of a node that is away. */
export function moved({ cluster }: Scene, away: readonly ClusterNodeProcess[]): Promise<number> {
  const others = cluster.nodes.filter((node) => !away.includes(node))
  return until(async () => {
    const own = await Promise.all(others.map(async (node) => (await node.cluster()).nodes[0]?.sessions ?? 0))
    // Those of subscribers, of the consumer and of the census beside them.
    return (
      own.reduce((sum, sessions) => sum + sessions, 0) >= FLEETS * SESSIONS + SUBSCRIBERS + 1 + others.length
    )
  }, 'all sessions are at the other nodes')
}
