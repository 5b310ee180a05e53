/**
 * Three nodes and three members of etcd between which everything takes 200 ms in each direction, now more and now less: nodes to
 * nodes, nodes to etcd, clients to nodes. Members reach each other as ever, because what they bear is their own affair.
 */
import { connect, type Rollcall } from '@rollcall/client'
import { afterAll, expect, it } from 'vitest'
import { openCensus } from './support/census.js'
import { form, inProof, measured } from './support/chaos-form.js'
import { startCluster, type TestCluster } from './support/cluster.js'
import { startFleet, type Fleet } from './support/fleet.js'
import { openWay, type Way } from './support/freezing-proxy.js'
import { ETCD_MS_MAX, findEtcd } from './support/guests/etcd.js'
import { endAll, until } from './support/processes.js'

const SLOW_MS = form(15_000, 90_000)
const [SESSIONS, BEATS] = [form(10, 200), form(5, 100)]
/** Delays in milliseconds, one after the other, each for so long. */
const [DELAYS_MS, EACH_MS] = [[200, 150, 240, 180, 250, 160, 210], 40]

const runs = inProof('nodes on a slow network')

let cluster: TestCluster | undefined
let consumer: Rollcall | undefined
const ways: Way[] = []
const fleets: Fleet[] = []

afterAll(async () => {
  await consumer?.close()
  await Promise.all(fleets.map((fleet) => fleet.end()))
  await endAll()
  await cluster?.close()
  await Promise.all(ways.map((way) => way.close()))
}, 60_000)

async function wayTo(port: number): Promise<string> {
  const way = await openWay({ host: '127.0.0.1', port })
  ways.push(way)
  return `${way.host}:${way.port}`
}

/** Changes the delay of all ways until told to stop. */
function slow(): () => void {
  let turn = 0
  const next = (): void => {
    turn += 1
    for (const way of ways) way.delay(DELAYS_MS[turn % DELAYS_MS.length]!)
  }
  const timer = setInterval(next, EACH_MS)
  return () => {
    clearInterval(timer)
    for (const way of ways) way.delay(0)
  }
}

it.runIf(runs)(
  'a slow network: no node is taken for gone, no engine for lost, no instance is doubted, no call fails',
  async (context) => {
    const program = await findEtcd(context, 'debian')
    const members: string[] = []
    const reached: string[] = []
    cluster = await startCluster({
      program,
      endpoints: () => members.map((address) => `http://${address}`),
      async prepare({ members: all }) {
        for (const { port } of all) members.push(await wayTo(port))
      },
      async reach(port) {
        const address = await wayTo(port)
        reached.push(address)
        return address
      },
    })
    const { nodes } = cluster
    const registries = reached.map((address) => `http://${address}`)
    for (const [index, registry] of registries.entries())
      fleets.push(
        await startFleet({
          ...{ registry, registries: [registry, ...registries], beatAt: registries },
          ...{ service: 'orders', sessions: SESSIONS, beats: BEATS, backlog: 64 },
          beatMs: 5_000 - index,
        }),
      )
    const ids = fleets.flatMap((fleet) => fleet.ids)
    await cluster.agree('orders', ids.length, 60_000)
    const census = await openCensus(nodes, 'orders')
    census.expect(ids)
    consumer = await connect({ registries, snapshotDir: false, logger: false })
    const orders = consumer.service('orders')
    await orders.ready()

    const end = slow()
    const wrong = new Set<string>()
    const travelled: number[] = []
    const began = performance.now()
    for (let round = 0; performance.now() - began < SLOW_MS; round++) {
      for (const node of nodes) {
        const told = await node.cluster()
        if (told.engine.state !== 'connected') wrong.add(`${node.name}: the engine is ${told.engine.state}`)
        for (const { name, state } of told.nodes)
          if (state !== 'ready') wrong.add(`${node.name}: ${name} is ${state}`)
      }
      const answer = await orders.fetch('/').catch((error: unknown) => void wrong.add(String(error)))
      await answer?.text()
      const [from, to] = [nodes[round % 3]!, nodes[(round + 1) % 3]!]
      const instance = {
        service: 'guests',
        id: `guest-${round}`,
        host: '127.0.0.1',
        port: 9,
        probe: { type: 'none' },
      }
      const body = JSON.stringify({ instances: [{ ...instance, leaseMs: 600_000 }] })
      const headers = { 'content-type': 'application/json' }
      expect((await fetch(`${from.url}/api/v1/register`, { method: 'POST', headers, body })).status).toBe(200)
      travelled.push(
        await until(
          async () => (await to.view('guests')).instances.some(({ id }) => id === instance.id),
          'the change is at another node',
        ),
      )
    }
    const { p99 } = measured('a network of 200 ms: a change is at another node after its answer', travelled)
    // One that came at once would show that nothing was slow.
    expect(p99).toBeGreaterThan(150)
    end()
    census.close()
    expect([...wrong, ...census.doubts, ...census.faults]).toEqual([])
    await cluster.agree('orders', ids.length, 60_000)
  },
  ETCD_MS_MAX,
)
