/** The SDK in a cluster of real nodes on a real etcd: one URL is enough, and no node is needed in particular. */
import { connect, type Rollcall } from '@rollcall/client'
import { startNode, type EmbeddedNode } from '@rollcall/server'
import { startEtcd } from '@rollcall/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { until } from './native-node.fixture.js'
import { ETCD_MS_MAX, findEtcd } from './support/guests/etcd.js'

const addressOf = ({ url }: EmbeddedNode): string => url.slice('http://'.length)

function nodesOf(client: Rollcall): readonly string[] {
  const { connection } = client.status()
  return connection.state === 'connected' ? (connection.nodes ?? []) : []
}

it(
  'learns all nodes from one, keeps its registrations when that one stops, and consumers see no change',
  async (context) => {
    await using etcd = await startEtcd({ program: await findEtcd(context, 'debian'), members: 1 })
    const start = (name: string): Promise<EmbeddedNode> =>
      startNode({
        memory: true,
        listen: '127.0.0.1:0',
        nodeId: name,
        logLevel: 'error',
        etcd: etcd.endpoints,
      })
    const nodes = [await start('a'), await start('b'), await start('c')]
    onTestFinished(async () => {
      await Promise.all(nodes.map((node) => node.close()))
    })
    const [first, second] = nodes as [EmbeddedNode, EmbeddedNode]
    const open = async (node: EmbeddedNode): Promise<Rollcall> => {
      const client = await connect({
        registries: [node.url],
        snapshotDir: false,
        logger: false,
        address: { host: '127.0.0.1' },
      })
      onTestFinished(() => client.close())
      return client
    }
    const provider = await open(first)
    const consumer = await open(second)
    const registration = await provider.register({ service: 'orders', port: 1234 })
    const orders = consumer.service('orders')
    await until(() => orders.instances().length === 1, 'the other node has it')
    const addresses = new Set(nodes.map(addressOf))
    await until(
      () => [provider, consumer].every((client) => nodesOf(client).length === addresses.size),
      'both know all nodes',
    )
    expect(new Set(nodesOf(provider))).toEqual(addresses)
    expect(nodesOf(provider)[0]).toBe(addressOf(first))
    const states = new Set<string>()
    const stop = new AbortController()
    const follow = async (): Promise<void> => {
      for await (const { instances } of orders.changes({ signal: stop.signal }))
        states.add(instances.map(({ state }) => state).join() || 'none')
    }
    const following = follow().catch(() => {})
    await first.close()
    await until(() => {
      const { connection } = provider.status()
      return connection.state === 'connected' && connection.url?.includes(addressOf(first)) === false
    }, 'the provider is with another node')
    await until(
      () => nodesOf(provider).length === 2 && nodesOf(consumer).length === 2,
      'the node is gone for both',
    )
    expect(registration.state).toBe('up')
    stop.abort()
    await following
    expect([...states]).toEqual(['up'])
    expect(orders.instances().map(({ incarnation }) => incarnation)).toEqual([registration.incarnation])
  },
  ETCD_MS_MAX,
)
