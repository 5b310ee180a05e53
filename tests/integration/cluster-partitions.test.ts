/**
 * Three nodes and three members of etcd on hosts of their own, between which packets are lost without a word. Whatever is cut, no
 * call fails, no instance that lives leaves a list, what both sides change is one truth afterwards, and what is gone stays gone.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, expect, it, type TestContext } from 'vitest'
import { isAble } from './support/abilities.js'
import { counted, form, inProof, measured } from './support/chaos-form.js'
import type { ClusterNodeProcess } from './support/cluster.js'
import type { Fleet } from './support/fleet.js'
import { ETCD_MS_MAX, findEtcd } from './support/guests/etcd.js'
import { networksMissing, type NetworkHost } from './support/network.js'
import {
  allListed,
  closePartitionScene,
  mendPartitions,
  openWays,
  openPartitionScene,
  startClients,
  wrongsOf,
  type PartitionScene,
} from './support/partition-scene.js'
import { until } from './support/processes.js'

/** Longer than a session needs to be given up, than a node's lease and than the lease of instances. */
const CUT_MS = form(20_000, 40_000)
/** What is promised for agreement after the healing. */
const AGREE_MS = 10_000
/** What dies leaves the lists this long after it was seen to be dead. */
const REMOVAL_MS = 5_000
/** For the last of the dead to leave all lists: silence and doubts of the watcher come before it, and a busy machine is slow. */
const GONE_MS_MAX = form(60_000, 240_000)

/** What lingers is watched for ten minutes before it is believed to be dead. */
const LINGERING_MS_MAX = 780_000

let opened: Promise<PartitionScene> | undefined

async function scene(context: TestContext): Promise<PartitionScene> {
  const program = await findEtcd(context, 'debian')
  opened ??= openPartitionScene(program)
  const all = await opened
  await mendPartitions(all)
  return all
}

afterAll(async () => {
  const all = await opened?.catch(() => undefined)
  if (all !== undefined) await closePartitionScene(all)
}, 60_000)

/** Who is lost to whom, with the first node as the one that is cut off. */
interface Shape {
  readonly what: string
  /**
   * Living instances that may be suspect for a while. Until five are silent, a node that hears no client cannot know that the fault
   * is its own. A node on an island doubts what it does not hear any more, and when it is back the others have its word
   * until the instance is heard again. After that it may judge instances whose sessions are elsewhere, and doubts them where it
   * is not told. None of them may be down, or missing.
   */
  readonly mayDoubt?: number
  /**
   * The node cannot be told from one that died with its instances: another one takes them over, and where it never connected to
   * them itself it keeps them suspect for ten minutes.
   */
  readonly losesJudge?: true
  readonly sever: (scene: PartitionScene) => void
}

const cutAll = (
  { network }: PartitionScene,
  ones: readonly NetworkHost[],
  others: readonly NetworkHost[],
): void => {
  for (const one of ones) for (const other of others) network.cut(one, other)
}

const SHAPES: readonly Shape[] = [
  {
    what: 'a node from the other nodes, not from etcd',
    sever: (all) => cutAll(all, all.hosts.nodes.slice(0, 1), all.hosts.nodes.slice(1)),
  },
  {
    what: 'a node from etcd, not from the other nodes',
    sever: (all) => cutAll(all, all.hosts.nodes.slice(0, 1), all.hosts.members),
  },
  {
    what: 'a node with its member of etcd from all others, not from its clients',
    losesJudge: true,
    mayDoubt: Infinity,
    sever(all) {
      const { nodes, members } = all.hosts
      cutAll(all, [nodes[0]!, members[0]!], [...nodes.slice(1), ...members.slice(1)])
    },
  },
  {
    what: 'a node that is heard by the others and does not hear them',
    mayDoubt: Infinity,
    sever({ network, hosts }) {
      for (const other of hosts.nodes.slice(1)) network.lose(other, hosts.nodes[0]!)
    },
  },
  {
    what: 'a node that hears the others and etcd, and is not heard by them',
    losesJudge: true,
    mayDoubt: Infinity,
    sever({ network, hosts }) {
      for (const other of [...hosts.nodes.slice(1), ...hosts.members]) network.lose(hosts.nodes[0]!, other)
    },
  },
  {
    what: 'all clients from a node',
    mayDoubt: 4,
    sever: (all) => cutAll(all, all.hosts.nodes.slice(0, 1), [all.hosts.clients]),
  },
  {
    what: 'a node that hears its clients and is not heard by them',
    sever: ({ network, hosts }) => network.lose(hosts.nodes[0]!, hosts.clients),
  },
]

interface Guest {
  readonly id: string
  readonly state: string
  readonly metadata: Readonly<Record<string, string>>
}

const guestsAt = async (node: ClusterNodeProcess): Promise<readonly Guest[]> =>
  (await node.view('guests')).instances

async function send(node: ClusterNodeProcess, method: string, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${node.url}/api/v1/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  const said = await answer.text()
  expect([answer.status, said]).toEqual([200, said])
  return JSON.parse(said)
}

const guest = (id: string, metadata: Readonly<Record<string, string>> = {}): object => ({
  ...{ service: 'guests', id, host: '127.0.0.1', port: 9, metadata },
  ...{ probe: { type: 'none' }, leaseMs: 3_600_000 },
})

/** Ids that are gone for good. */
const gone = new Set<string>()
/** Of these, those that may be listed as suspect for ten minutes more. */
const lingering = new Set<string>()
const deadServices: string[] = []

/** What all sides will have to agree on. */
interface Changes {
  readonly added: readonly string[]
  readonly left: readonly string[]
  readonly drained: string
  readonly both: string
}

/** What is there before the cut, for each node something to remove. */
async function prepare({ cluster }: PartitionScene, round: number): Promise<Changes> {
  const names = cluster.nodes.map(({ name }) => name)
  const all = (what: string): readonly string[] => names.map((name) => `${what}-${round}-${name}`)
  const changes = {
    added: all('added'),
    left: all('left'),
    drained: `drained-${round}`,
    both: `both-${round}`,
  }
  const { left, drained, both } = changes
  await send(cluster.nodes[0]!, 'POST', 'register', {
    instances: [...left.map((id) => ({ ...guest(id), incarnation: 1, rev: 1 })), guest(drained), guest(both)],
  })
  await until(
    async () =>
      (await Promise.all(cluster.nodes.map(guestsAt))).every((guests) =>
        [...left, drained, both].every((id) => guests.some((each) => each.id === id)),
      ),
    'all have the guests',
  )
  return changes
}

/**
 * Each node is told of other changes, of the same instance too. What is deregistered at one node was changed at another one just
 * before, and is heard there afterwards: neither may bring it back.
 */
async function change({ cluster: { nodes } }: PartitionScene, changes: Changes): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    const instances = [guest(changes.added[index]!), guest(changes.both, { by: node.name })]
    await send(node, 'POST', 'register', { instances })
    const other = nodes[(index + 1) % nodes.length]!
    const id = changes.left[index]!
    await send(other, 'POST', 'register', {
      instances: [{ ...guest(id, { late: 'yes' }), incarnation: 1, rev: 7 }],
    })
    const ref = { service: 'guests', id, incarnation: 1 }
    await send(node, 'POST', 'deregister', { instances: [ref] })
    await send(other, 'POST', 'heartbeat', { instances: [ref] })
    gone.add(id)
  }
  const instances = [{ service: 'guests', id: changes.drained }]
  await send(nodes[0]!, 'PUT', 'overrides', { instances, drain: true, by: 'ops', why: 'test' })
}

/** Resolves to how long it took until all nodes tell the same of the guests, and what they were told. */
async function agreed({ cluster: { nodes } }: PartitionScene, changes: Changes): Promise<number> {
  const isTold = (guests: readonly Guest[]): boolean =>
    changes.added.every((id) => guests.some((each) => each.id === id)) &&
    changes.left.every((id) => !guests.some((each) => each.id === id)) &&
    guests.find(({ id }) => id === changes.drained)?.state === 'draining'
  const took = await until(async () => {
    const views = await Promise.all(nodes.map((node) => node.view('guests')))
    return new Set(views.map(({ sign }) => sign)).size === 1 && isTold(views[0]!.instances)
  }, 'all nodes tell the same of the guests')
  const [first] = await Promise.all(nodes.map(guestsAt))
  expect(first?.find(({ id }) => id === changes.both)?.metadata['by']).toMatch(/^n[123]$/)
  return took
}

/** Instances that will be killed, known to all nodes; the judge of each has connected to it, so that a refusal says something. */
async function startDoomed(all: PartitionScene, service: string): Promise<Fleet> {
  const { cluster } = all
  await send(cluster.nodes[1]!, 'PUT', `services/${service}`, { removalMs: REMOVAL_MS })
  const fleet = await startClients(all, service, form(3, 30), form(3, 30))
  await cluster.agree(service, fleet.ids.length)
  for (const id of fleet.ids)
    await until(
      async () =>
        (await Promise.all(cluster.nodes.map((node) => hasBaseline(node, service, id)))).some(Boolean),
      `the judge of ${id} connected to it`,
    )
  deadServices.push(service)
  return fleet
}

async function hasBaseline(node: ClusterNodeProcess, service: string, id: string): Promise<boolean> {
  const answer = await fetch(`${node.url}/api/v1/explain?service=${service}&id=${id}`)
  const { evidence } = (await answer.json()) as { readonly evidence?: { readonly baseline: boolean } }
  return evidence?.baseline === true
}

interface Remains {
  readonly id: string
  readonly state: string
  readonly told: string
}

/** What nodes list of what is gone. */
async function remains({ cluster }: PartitionScene): Promise<readonly Remains[]> {
  const at = async (node: ClusterNodeProcess, service: string): Promise<readonly Remains[]> =>
    (await node.view(service)).instances
      .filter(({ id }) => gone.has(id))
      .map(({ id, state, reason }) => ({
        id,
        state,
        told: `${node.name} lists ${id} of ${service}: ${state}, ${reason}`,
      }))
  const services = ['guests', ...deadServices]
  const lists = cluster.nodes.flatMap((node) => services.map((service) => at(node, service)))
  return (await Promise.all(lists)).flat()
}

/** What nodes list and must not: what was deregistered, what is up and dead, and any other that is dead, but for those that linger. */
async function returned(all: PartitionScene): Promise<readonly string[]> {
  const lingers = ({ id, state }: Remains): boolean => lingering.has(id) && state !== 'up'
  return (await remains(all)).filter((each) => !lingers(each)).map(({ told }) => told)
}

/** Resolves once no node lists what it must not; fails with what is listed still. */
async function allGone(all: PartitionScene, timeoutMs = GONE_MS_MAX): Promise<void> {
  let last: readonly string[] = []
  await until(async () => (last = await returned(all)).length === 0, 'gone', timeoutMs).catch(() => {
    throw new Error(`listed after ${timeoutMs} ms:\n${last.join('\n')}`)
  })
}

/** How many of those who live were doubted in the list of the node that was cut off, and in those of others. */
function doubted({ census, cluster }: PartitionScene): { readonly here: number; readonly elsewhere: number } {
  const ids = (isHere: boolean): number =>
    new Set(
      census.doubts.filter(({ node }) => (node === cluster.nodes[0]!.name) === isHere).map(({ id }) => id),
    ).size
  return { here: ids(true), elsewhere: ids(false) }
}

const WHAT = 'partitions of nodes'
const able = inProof(WHAT) && isAble(WHAT, networksMissing())

describe.runIf(able)('packets are lost without a word:', () => {
  for (const [round, { what, sever, mayDoubt, losesJudge }] of SHAPES.entries())
    it(
      `cut: ${what}`,
      async (context) => {
        const all = await scene(context)
        const { network, cluster } = all
        const changes = await prepare(all, round)
        const doomed = await startDoomed(all, `doomed-${round}`)
        sever(all)
        doomed.kill()
        for (const id of doomed.ids) {
          gone.add(id)
          if (losesJudge) lingering.add(id)
        }
        await change(all, changes)
        const lost = [...network.lost]
        expect(await openWays(all, lost)).toEqual([])
        await pause(CUT_MS)
        network.heal()
        const agreement = await agreed(all, changes)
        const healedAt = performance.now() - agreement
        expect(await openWays(all, lost)).toHaveLength(lost.length)
        await allListed(all)
        await cluster.ready(60_000)
        const took = measured(`cut, ${what}: all agree after the healing`, [agreement])
        expect(took.max).toBeLessThan(AGREE_MS)
        const { here, elsewhere } = doubted(all)
        counted(`cut, ${what}: living instances that were suspect`, { here, elsewhere })
        expect(await wrongsOf(all, mayDoubt)).toEqual([])
        await allGone(all)
        measured(
          `cut, ${what}: ${losesJudge ? 'who died meanwhile is up' : 'who died meanwhile is'} in no list after the healing`,
          [performance.now() - healedAt],
        )
        expect(await wrongsOf(all, mayDoubt)).toEqual([])
      },
      ETCD_MS_MAX,
    )

  it(
    'what was gone after a cut has not come back, also when nodes begin anew with their journals',
    async (context) => {
      const all = await scene(context)
      expect(gone.size).toBeGreaterThan(0)
      if (form(false, true)) {
        lingering.clear()
        await allGone(all, LINGERING_MS_MAX)
      }
      for (const node of all.cluster.nodes) {
        expect(await returned(all)).toEqual([])
        await node.kill()
        await node.start()
        await all.cluster.ready(60_000)
      }
      await allListed(all)
      expect(await returned(all)).toEqual([])
      expect(await wrongsOf(all)).toEqual([])
      const { calls, slowestMs } = await all.called()
      const { lists, connected } = await all.watched()
      counted('calls of a consumer through all cuts, and the slowest in milliseconds', { calls, slowestMs })
      counted('subscribers connected after all cuts, and lists that they saw', { connected, lists })
    },
    ETCD_MS_MAX,
  )
})
