/** Three nodes as their users see them: any of them takes anything, and tells the same. */
import { setTimeout as pause } from 'node:timers/promises'
import { startCommand } from '@rollcall/testkit'
import type { ClusterResponse } from '@rollcall/wire'
import { afterAll, expect, it, type TestContext } from 'vitest'
import { openCensus } from './support/census.js'
import { startCluster, type ClusterNodeProcess, type TestCluster } from './support/cluster.js'
import { startFleet } from './support/fleet.js'
import { ETCD_MS_MAX, findEtcd } from './support/guests/etcd.js'
import { endAll, until } from './support/processes.js'
import { startLoad } from './support/load.js'
import { connect } from '@rollcall/client'

let opened: Promise<TestCluster> | undefined

async function clusterOf(context: TestContext): Promise<TestCluster> {
  const program = await findEtcd(context, 'debian')
  return (opened ??= startCluster({ program }))
}

afterAll(async () => {
  await endAll()
  const cluster = await opened?.catch(() => undefined)
  await cluster?.close()
})

/** What `rollcall` prints. */
async function said(...args: string[]): Promise<string> {
  const command = startCommand(args)
  const { code } = await command.exited
  expect([code, command.stderr()]).toEqual([0, ''])
  return command.stdout()
}

const nodeOf = (cluster: TestCluster, index: number): ClusterNodeProcess =>
  cluster.nodes[index] as ClusterNodeProcess

it(
  '`rollcall cluster` and `rollcall explain` tell of all nodes, whichever is asked',
  async (context) => {
    const cluster = await clusterOf(context)
    const [first, second, third] = [0, 1, 2].map((index) => nodeOf(cluster, index))
    const fleet = await startFleet({ registry: first!.url, service: 'explained', sessions: 3, beats: 3 })
    await cluster.agree('explained', 6)
    const table = await said('cluster', '--registry', second!.url)
    for (const node of cluster.nodes) expect(table).toMatch(new RegExp(`\\b${node.name}\\b.*\\bready\\b`))
    const answers = await Promise.all(
      cluster.nodes.map(
        async ({ url }) => JSON.parse(await said('cluster', '--json', '--registry', url)) as ClusterResponse,
      ),
    )
    expect(new Set(answers.map(({ epoch }) => epoch)).size).toBe(1)
    for (const [index, { cluster: name, nodes, engine, divergence }] of answers.entries()) {
      expect([name, nodes[0]?.name, engine.kind, engine.state, divergence]).toEqual([
        'test',
        `n${index + 1}`,
        'etcd',
        'connected',
        0,
      ])
      expect(new Set(nodes.map((node) => node.name))).toEqual(new Set(['n1', 'n2', 'n3']))
    }
    const [id = ''] = fleet.beats
    const judge = /^.*judge.*$/im.exec(await said('explain', 'explained', id, '--registry', third!.url))
    expect(judge?.[0]).toMatch(/n1/)
    await fleet.end()
  },
  ETCD_MS_MAX,
)

it(
  'a node that stops in order has moved its clients before: no call fails, and no instance is doubted',
  async (context) => {
    const cluster = await clusterOf(context)
    const leaver = nodeOf(cluster, 0)
    const fleet = await startFleet({ registry: leaver.url, service: 'moved', sessions: 10, backlog: 64 })
    await cluster.agree('moved', 10)
    const census = await openCensus(cluster.nodes.slice(1), 'moved')
    census.expect(fleet.ids)
    const consumer = await connect({ registries: [leaver.url], snapshotDir: false, logger: false })
    const target = consumer.service('moved')
    const load = startLoad(async () => {
      await pause(5)
      return (await target.fetch('/')).text()
    })
    await load.more(20)
    await leaver.stop()
    await load.more(100)
    await pause(1_000)
    expect(await load.end()).toEqual([])
    expect(census.doubts).toEqual([])
    const { connection } = consumer.status()
    expect(connection.state).toBe('connected')
    census.close()
    await consumer.close()
    await fleet.end()
    await leaver.start()
    await cluster.ready()
  },
  ETCD_MS_MAX,
)

it(
  'what was deregistered at one node while another was away stays away when that is back with its journal',
  async (context) => {
    const cluster = await clusterOf(context)
    const [first, second] = [nodeOf(cluster, 0), nodeOf(cluster, 1)]
    const post = async (node: ClusterNodeProcess, path: string, body: object): Promise<void> => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${node.url}/api/v1/${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      })
      expect(answer.status).toBe(200)
    }
    const ids = Array.from({ length: 20 }, (_, index) => `kept-${index}`)
    const instances = ids.map((id) => ({
      service: 'kept',
      id,
      host: '127.0.0.1',
      port: 9,
      probe: { type: 'none' },
      incarnation: 1,
      leaseMs: 600_000,
    }))
    await post(first, 'register', { instances })
    await cluster.agree('kept', 20)
    await first.kill()
    const left = ids.slice(0, 5)
    await post(second, 'deregister', {
      instances: left.map((id) => ({ service: 'kept', id, incarnation: 1 })),
    })
    await first.start()
    await until(async () => (await first.cluster()).engine.state === 'connected', 'it is back')
    await cluster.agree('kept', 15)
    await pause(1_000)
    for (const node of cluster.nodes) {
      const listed = (await node.view('kept')).instances.map(({ id }) => id)
      expect(listed.toSorted()).toEqual(ids.slice(5).toSorted())
    }
  },
  ETCD_MS_MAX,
)
