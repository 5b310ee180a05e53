/** The SDK among several nodes over real sockets: it learns of them, goes where it is sent, and needs none in particular. */
import { connect, type ConnectOptions, type Rollcall } from '@rollcall/client'
import { afterEach, describe, expect, it } from 'vitest'
import { ONLOOKER, startNode, type TestNode, type TestNodeOptions, until } from './native-node.fixture.js'

/** Nodes that name each other, as those of a cluster do. Nothing else joins them: what one knows the other does not. */
class Nodes {
  readonly running: TestNode[] = []
  readonly clients: Rollcall[] = []

  async start(options: TestNodeOptions = {}): Promise<TestNode> {
    const nodeId = `n${this.running.length + 1}`
    const node: TestNode = await startNode({
      nodeId,
      pingMs: 200,
      closeMsMax: 200,
      nodes: () => [addressOf(node), ...this.running.filter((each) => each !== node).map(addressOf)],
      ...options,
    })
    this.running.push(node)
    for (const each of this.running) each.native.nodesChanged()
    return node
  }

  async stop(node: TestNode): Promise<void> {
    this.running.splice(this.running.indexOf(node), 1)
    await node.close()
  }

  async connect(options: ConnectOptions): Promise<Rollcall> {
    const client = await connect({
      snapshotDir: false,
      logger: false,
      address: { host: '127.0.0.1' },
      ...options,
    })
    this.clients.push(client)
    await until(() => client.status().connection.state === 'connected', 'connected')
    return client
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()))
    await Promise.all(this.running.splice(0).map((node) => node.close()))
  }
}

const addressOf = ({ port }: TestNode): string => `127.0.0.1:${port}`

/** The id of the node that a client is with. */
function placeOf(client: Rollcall): string | undefined {
  const { connection } = client.status()
  return connection.state === 'connected' ? connection.node : undefined
}

function registered(node: TestNode, service: string): number[] {
  const view = node.driver.read(ONLOOKER).view({ namespace: 'default', service })
  return (view?.instances ?? []).map(({ incarnation }) => incarnation)
}

describe('a client of several nodes', () => {
  let nodes = new Nodes()
  afterEach(async () => {
    await nodes.close()
    nodes = new Nodes()
  })

  it('learns a node that joins, makes room there with its registrations, and comes back when that one stops', async () => {
    const first = await nodes.start()
    const client = await nodes.connect({ registries: [first.origin] })
    const { incarnation } = await client.register({ service: 'orders', port: 1234 })
    const second = await nodes.start()
    await until(() => {
      const { connection } = client.status()
      return connection.state === 'connected' && connection.nodes?.length === 2
    }, 'the second node is known')
    first.native.rebalance(1, [addressOf(second)])
    await until(() => placeOf(client) === 'n2', 'the client has moved', 15_000)
    await until(() => registered(second, 'orders').length === 1, 'it is registered there')
    expect(registered(second, 'orders')).toEqual([incarnation])
    await until(() => first.native.stats().streams === 0, 'the old session is closed')
    second.native.goaway('stopping', 100, [addressOf(first)])
    await until(() => placeOf(client) === 'n1', 'it is back')
    await nodes.stop(second)
    expect(placeOf(client)).toBe('n1')
    expect(registered(first, 'orders')).toEqual([incarnation])
  }, 30_000)

  it('goes to another node at once when its own dies', async () => {
    const first = await nodes.start()
    const second = await nodes.start()
    const client = await nodes.connect({ registries: [first.origin] })
    const began = performance.now()
    await nodes.stop(first)
    await until(() => placeOf(client) === 'n2', 'the client is with the other node')
    expect(performance.now() - began).toBeLessThan(2_000)
    expect(client.status().connection).toMatchObject({ nodes: [addressOf(second)] })
  })

  it('spreads evenly over the nodes that are left', async () => {
    const first = await nodes.start()
    const [second, third] = [await nodes.start(), await nodes.start()]
    await Promise.all(Array.from({ length: 60 }, () => nodes.connect({ registries: [first.origin] })))
    expect(first.native.stats().streams).toBe(60)
    await nodes.stop(first)
    const places = [second, third].map(
      ({ native }) =>
        (): number =>
          native.stats().streams,
    )
    await until(() => places.reduce((sum, streams) => sum + streams(), 0) === 60, 'all are elsewhere')
    // 60 tosses of a coin: 12 or fewer on one side once in a million runs.
    expect(Math.min(...places.map((streams) => streams()))).toBeGreaterThan(12)
  }, 30_000)

  it('uses no node of another cluster that it was led to, and says so', async () => {
    const stranger = await startNode({ nodeId: 'x', cluster: 'other' })
    const first = await nodes.start({ nodes: () => [addressOf(first), addressOf(stranger)] })
    const client = await nodes.connect({ registries: [first.origin] })
    await client.register({ service: 'orders', port: 1234 })
    first.native.rebalance(1, [addressOf(stranger)])
    await until(() => client.status().lastError !== undefined, 'the other cluster is noticed', 15_000)
    expect(client.status().lastError?.message).toBe('it is a node of "other", not of test')
    expect(placeOf(client)).toBe('n1')
    expect(registered(stranger, 'orders')).toEqual([])
    await stranger.close()
  }, 30_000)

  it('stays with what it was configured with where it must not learn', async () => {
    const first = await nodes.start()
    const second = await nodes.start()
    const client = await nodes.connect({ registries: [first.origin], learnNodes: false })
    expect(client.status().connection).not.toMatchObject({ nodes: [addressOf(first), addressOf(second)] })
    second.native.nodesChanged()
    first.native.goaway('stopping', 50, [addressOf(second)])
    await until(() => first.native.stats().streams === 1, 'one session is left')
    expect(second.native.stats().streams).toBe(0)
  })
})
