/** What idle instances cost a cluster: no write to etcd, whichever node their beats come to. */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { startBalancer } from './support/balancer.js'
import { counted, form } from './support/chaos-form.js'
import { startCluster, type ClusterNodeProcess, type TestCluster } from './support/cluster.js'
import { startCrowd } from './support/crowd.js'
import { changedSince, revisionOf } from './support/engine-writes.js'
import { ETCD_MS_MAX, findEtcd } from './support/guests/etcd.js'
import { heapAfterCollection, INSPECTABLE } from './support/heap.js'
import { endAll, until } from './support/processes.js'
import { openStream } from './subscribers.js'

const SESSIONS = form(20, 1_000)
const PER_SESSION = form(10, 50)
const BEATS = form(200, 50_000)
const ALL = SESSIONS * PER_SESSION + BEATS
const SERVICES = form(10, 1_000)
const LEASE_MS = form(5_000, 15_000)
const IDLE_MS = form(7_000, 300_000)

const OPERATIONS = ['join', 'load', 'scan', 'read', 'write', 'watch', 'renewal'] as const

afterEach(endAll)

it(
  'idle instances, half of them beating through a balancer, cause no write and no change of any list',
  async (context) => {
    const cluster = await startCluster({ program: await findEtcd(context, 'debian'), env: INSPECTABLE })
    const balancer = await startBalancer(cluster.nodes)
    try {
      const { nodes } = cluster
      const empty = await Promise.all(nodes.map(({ server }) => heapAfterCollection(server)))
      const crowd = await startCrowd({
        ports: nodes.map(({ port }) => port),
        balancer: balancer.url,
        sessions: SESSIONS,
        perSession: PER_SESSION,
        beats: BEATS,
        beatMs: LEASE_MS / 3,
        leaseMs: LEASE_MS,
        services: SERVICES,
      })
      await settled(cluster)
      const peers = await Promise.all(nodes.map((node) => openStream(node)))
      const watched = Array.from({ length: 10 }, (_, index) => ({ service: nameOf(index * (SERVICES / 10)) }))
      for (const peer of peers) await peer.ask({ type: 'watch', services: watched })
      const before = await figuresOf(cluster)
      const beatsBefore = (await crowd.state()).beats
      await pause(IDLE_MS)
      const after = await figuresOf(cluster)
      const state = await crowd.state()
      const deltas = peers.flatMap(({ messages }) => messages.filter(({ type }) => type === 'delta'))
      const did = (what: Exclude<keyof Figures, 'cpu'>): number => after[what] - before[what]
      counted(`${ALL} idle instances for ${IDLE_MS / 1_000} s: operations of three nodes`, {
        ...Object.fromEntries(OPERATIONS.map((kind) => [kind, did(kind)])),
        revisions: did('revision'),
        beats: state.beats - beatsBefore,
      })
      const share = (ms: number): number => Math.round((ms / IDLE_MS) * 1_000) / 10
      counted('CPU meanwhile, percent of a core', {
        ...Object.fromEntries(
          nodes.map(({ name }, index) => [name, share((after.cpu[index] ?? 0) - (before.cpu[index] ?? 0))]),
        ),
        etcd: share(after.etcdCpu - before.etcdCpu),
      })
      expect(await changedSince(cluster.etcd, before.revision)).toEqual([])
      expect(did('write')).toBe(0)
      expect(deltas).toEqual([])
      expect(state).toMatchObject({ closed: 0, unknown: 0, failed: 0 })
      for (const node of nodes) expect(await node.figure('rollcall_instances{')).toBe(ALL)
      const full = await Promise.all(nodes.map(({ server }) => heapAfterCollection(server)))
      const perInstance = nodes.map(({ name }, index) => [
        name,
        Math.round(((full[index] ?? 0) - (empty[index] ?? 0)) / ALL),
      ])
      counted(
        'heap per instance after a collection, bytes',
        Object.fromEntries(perInstance) as Record<string, number>,
      )
      for (const peer of peers) peer.drop()
      await crowd.end()
    } finally {
      await cluster.close()
      await balancer.close()
    }
  },
  ETCD_MS_MAX,
)

const nameOf = (number: number): string => `service-${String(number).padStart(4, '0')}`

/** Until all nodes have all instances, everything is published, and nothing moves for two beats. */
async function settled({ nodes, etcd }: TestCluster): Promise<void> {
  let [revision, since] = [-1, performance.now()]
  await until(
    async () => {
      const now = await revisionOf(etcd)
      if (now !== revision) [revision, since] = [now, performance.now()]
      const known = await Promise.all(nodes.map((node) => node.figure('rollcall_instances{')))
      const unpublished = await Promise.all(nodes.map((node) => node.figure('rollcall_unpublished_records')))
      await pause(200)
      return (
        known.every((count) => count === ALL) &&
        unpublished.every((count) => count === 0) &&
        performance.now() - since > LEASE_MS / 2
      )
    },
    'everything is published and still',
    180_000,
  )
}

type Figures = Readonly<Record<(typeof OPERATIONS)[number] | 'revision' | 'etcdCpu', number>> & {
  readonly cpu: readonly number[]
}

async function figuresOf({ nodes, etcd }: TestCluster): Promise<Figures> {
  const sums = await Promise.all(
    OPERATIONS.map(async (kind) => [
      kind,
      await sumOf(nodes, `rollcall_engine_operations_total{kind="${kind}"}`),
    ]),
  )
  return {
    ...(Object.fromEntries(sums) as Record<(typeof OPERATIONS)[number], number>),
    revision: await revisionOf(etcd),
    cpu: nodes.map(({ server }) => cpuMs(server.pid)),
    etcdCpu: etcd.members.reduce((sum, { pid }) => sum + cpuMs(pid), 0),
  }
}

async function sumOf(nodes: readonly ClusterNodeProcess[], beginning: string): Promise<number> {
  const figures = await Promise.all(nodes.map((node) => node.figure(beginning)))
  return figures.reduce((sum, figure) => sum + figure, 0)
}

/** Goes up by one with each write. */
/** utime and stime in ticks of 10 ms, proc(5); 0 where the system does not tell. */
function cpuMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return 0
  }
}
