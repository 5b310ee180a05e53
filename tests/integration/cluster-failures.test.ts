/** Three nodes on three members of etcd, and what becomes of the living while nodes and members die, stand still or are cut off. */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, expect, it, type TestContext } from 'vitest'
import { counted, form, measured } from './support/chaos-form.js'
import type { ClusterNodeProcess } from './support/cluster.js'
import {
  allAgree,
  closeScene,
  mend,
  moved,
  openScene,
  SUBSCRIBERS,
  wrongs,
  type Scene,
} from './support/cluster-scene.js'
import { startFleet } from './support/fleet.js'
import { ETCD_MS_MAX, findEtcd } from './support/guests/etcd.js'
import { until } from './support/processes.js'

/** How long a trouble is looked at: wrong verdicts must have their chance. */
const LOOK_MS = form(2_000, 10_000)
const STILL_MS = form(3_500, 15_000)
const OUTAGE_MS = form(5_000, 120_000)
/** What the issue promises for agreement after an outage. */
const AGREE_MS = 10_000

let opened: Promise<Scene> | undefined

async function scene(context: TestContext): Promise<Scene> {
  const program = await findEtcd(context, 'debian')
  opened ??= openScene(program)
  const all = await opened
  await mend(all)
  return all
}

afterAll(async () => {
  const all = await opened?.catch(() => undefined)
  if (all !== undefined) await closeScene(all)
})

const node = ({ cluster }: Scene, index: number): ClusterNodeProcess =>
  cluster.nodes[index] as ClusterNodeProcess

/** Calls of an HTTP client at one node. */
async function post(at: ClusterNodeProcess, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${at.url}/api/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  })
  const said = await answer.text()
  expect([answer.status, said]).toEqual([200, said])
  return JSON.parse(said)
}

const guest = (id: string): object => ({
  service: 'guests',
  id,
  host: '127.0.0.1',
  port: 9,
  probe: { type: 'none' },
  leaseMs: 600_000,
})

it(
  'a node gets SIGKILL together with some of its instances: those are not up within 20 s, all others go on, and it comes back',
  async (context) => {
    const all = await scene(context)
    const victim = node(all, 0)
    const doomed = await startFleet({
      registry: victim.url,
      service: 'doomed',
      sessions: form(4, 50),
      beats: form(4, 50),
      leaseMs: 15_000,
    })
    await all.cluster.agree('doomed', doomed.ids.length)
    const killedAt = performance.now()
    doomed.kill()
    await victim.kill()
    measured('a node killed: its sessions stand elsewhere', [await moved(all, [victim])])
    const away = all.cluster.nodes.filter((each) => each !== victim)
    const times = new Map<string, number>()
    await until(async () => {
      const views = await Promise.all(away.map((each) => each.view('doomed')))
      for (const id of doomed.ids) {
        const seen = views.map(({ instances }) => instances.find((each) => each.id === id)?.state)
        if (!times.has(id) && !seen.includes('up')) times.set(id, performance.now() - killedAt)
      }
      return times.size === doomed.ids.length
    }, 'none of them is up')
    const { max } = measured('a node killed with instances of it: those are not up at the others', [
      ...times.values(),
    ])
    expect(max).toBeLessThanOrEqual(20_000)
    const began = performance.now()
    await victim.start()
    await all.cluster.ready()
    await allAgree(all.cluster)
    measured('a node started again: it knows all', [performance.now() - began])
    expect(await wrongs(all)).toEqual([])
  },
  ETCD_MS_MAX,
)

it(
  "etcd's leader gets SIGKILL: changes travel on with the next one",
  async (context) => {
    const all = await scene(context)
    const leader = await all.cluster.etcd.leader()
    const began = performance.now()
    await leader.kill()
    await post(node(all, 0), 'register', { instances: [guest('led')] })
    await until(
      async () => (await node(all, 1).view('guests')).instances.some(({ id }) => id === 'led'),
      'it came',
    )
    measured("etcd's leader killed: a change is at another node", [performance.now() - began])
    await pause(LOOK_MS)
    await all.cluster.etcd.startAll()
    await all.cluster.ready()
    expect(await wrongs(all)).toEqual([])
  },
  ETCD_MS_MAX,
)

it(
  "a node and etcd's leader get SIGKILL together: the node's instances stay in all lists",
  async (context) => {
    const all = await scene(context)
    const victim = node(all, 1)
    const leader = await all.cluster.etcd.leader()
    await Promise.all([victim.kill(), leader.kill()])
    measured('a node and the leader killed: its sessions stand elsewhere', [await moved(all, [victim])])
    await pause(LOOK_MS + form(0, 10_000))
    await all.cluster.etcd.startAll()
    await victim.start()
    await all.cluster.ready()
    await allAgree(all.cluster)
    expect(await wrongs(all)).toEqual([])
  },
  ETCD_MS_MAX,
)

it(
  'all members get SIGKILL: every node goes on, and all agree when etcd is back',
  async (context) => {
    const all = await scene(context)
    const { cluster } = all
    for (const each of cluster.nodes)
      await post(each, 'register', { instances: [guest(`before-${each.name}`)] })
    await until(
      async () =>
        (await Promise.all(cluster.nodes.map((each) => each.view('guests')))).every(
          ({ instances }) => instances.length >= 3,
        ),
      'all have the guests',
    )
    await cluster.etcd.killAll()
    const began = performance.now()
    const slowest: number[] = []
    for (let round = 0; performance.now() - began < OUTAGE_MS; round++) {
      for (const each of cluster.nodes) {
        const askedAt = performance.now()
        await post(each, 'register', { instances: [guest(`during-${each.name}-${round}`)] })
        const { unknown } = (await post(each, 'heartbeat', {
          instances: [{ service: 'guests', id: `during-${each.name}-${round}` }],
        })) as { unknown: unknown[] }
        expect(unknown).toEqual([])
        const left = round === 0 ? `before-${each.name}` : `during-${each.name}-${round - 1}`
        await post(each, 'deregister', { instances: [{ service: 'guests', id: left }] })
        const ids = (await each.view('guests')).instances.map(({ id }) => id)
        expect(ids).toContain(`during-${each.name}-${round}`)
        expect(ids).not.toContain(left)
        slowest.push((performance.now() - askedAt) / 4)
      }
      await pause(form(500, 2_000))
    }
    measured('no etcd: a register, a beat, a deregister, a lookup at a node, each', slowest)
    for (const each of cluster.nodes) expect((await each.cluster()).engine.state).toBe('lost')
    expect(await wrongs(all)).toEqual([])
    await cluster.etcd.startAll()
    const backAt = performance.now()
    const own = await Promise.all(cluster.nodes.map((each) => each.view('guests')))
    const kept = own.flatMap(({ instances }, index) =>
      instances.map(({ id }) => id).filter((id) => id.startsWith(`during-${node(all, index).name}`)),
    )
    await until(async () => {
      const views = await Promise.all(cluster.nodes.map((each) => each.view('guests')))
      const texts = views.map(({ instances }) =>
        instances
          .map(({ id }) => id)
          .toSorted()
          .join(),
      )
      return new Set(texts).size === 1 && kept.every((id) => texts[0]?.split(',').includes(id))
    }, 'all agree on the guests')
    await allAgree(cluster)
    const agreed = measured('all members killed, started again: all nodes agree', [
      performance.now() - backAt,
    ])
    expect(agreed.max).toBeLessThan(AGREE_MS)
    const ids = (await node(all, 0).view('guests')).instances.map(({ id }) => id)
    expect(
      ids.filter((id) => id.startsWith('before-') || (id.startsWith('during-') && !kept.includes(id))),
    ).toEqual([])
    await cluster.ready()
    expect(await wrongs(all)).toEqual([])
  },
  ETCD_MS_MAX,
)

it(
  'a node is cut off from etcd only: its instances stay in all lists, and its changes come when the way is there again',
  async (context) => {
    const all = await scene(context)
    const island = node(all, 2)
    for (const way of all.ways) way.cut()
    const noticed = await until(
      async () => (await island.cluster()).engine.state === 'lost',
      'it is an island',
    )
    measured('a node cut off from etcd: it knows', [noticed])
    await post(island, 'register', { instances: [guest('islander')] })
    await pause(LOOK_MS + form(0, 10_000))
    for (const way of all.ways) way.heal()
    const arrived = await until(
      async () => (await node(all, 0).view('guests')).instances.some(({ id }) => id === 'islander'),
      'its change is elsewhere',
    )
    measured('the way to etcd is back: what the island took is elsewhere', [arrived])
    await all.cluster.ready()
    await allAgree(all.cluster)
    expect(await wrongs(all)).toEqual([])
  },
  ETCD_MS_MAX,
)

it(
  "a node, then etcd's leader, stands still under SIGSTOP",
  async (context) => {
    const all = await scene(context)
    const still = node(all, 1)
    still.server.process.kill('SIGSTOP')
    await pause(STILL_MS)
    still.server.process.kill('SIGCONT')
    await all.cluster.ready()
    const leader = await all.cluster.etcd.leader()
    await leader.pause()
    await pause(STILL_MS)
    leader.resume()
    await all.cluster.ready()
    await allAgree(all.cluster)
    expect(await wrongs(all)).toEqual([])
  },
  ETCD_MS_MAX,
)

it(
  'nodes are restarted one after the other: no call fails, and no instance is doubted',
  async (context) => {
    const all = await scene(context)
    const took: number[] = []
    for (const each of all.cluster.nodes.slice(0, form(1, 3))) {
      const began = performance.now()
      await each.stop()
      await each.start()
      await all.cluster.ready()
      took.push(performance.now() - began)
      await pause(form(500, 3_000))
    }
    measured('rolling restart: a node stopped, started and known to all', took)
    await allAgree(all.cluster)
    expect(await wrongs(all)).toEqual([])
    const calls = [...all.load.answers.values()].reduce((sum, answers) => sum + answers, 0)
    const { lists, connected } = await all.watched()
    counted('subscribers, of them connected in the end, and lists that they saw', {
      subscribers: SUBSCRIBERS,
      connected,
      lists,
    })
    counted('calls of a consumer meanwhile', { calls, failed: all.load.failures.length })
    expect(await all.load.end()).toEqual([])
  },
  ETCD_MS_MAX,
)
