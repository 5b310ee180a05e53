/** What a client is sent when it moves to another node: nothing where both hold the same, about the difference where they do not. */
import { connect, type Rollcall } from '@rollcall/client'
import { createServer, connect as dial, type AddressInfo, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { counted as count } from './support/chaos-form.js'
import { call, ONLOOKER, startNode, type TestNode, until } from './native-node.fixture.js'

const SERVICES = 10
const INSTANCES = 1_000

const serviceOf = (index: number): string => `service-${index}`

/** Registers instances, the same everywhere: those that are named, in this order. */
async function register(
  node: TestNode,
  service: string,
  places: readonly number[],
  rev: number,
  weight: number,
): Promise<void> {
  const instances = places.map((place) => ({
    service,
    host: `10.1.${place >> 8}.${place & 255}`,
    port: 8_000,
    incarnation: 1_700_000_000_000,
    rev,
    weight,
    liveness: 'static',
    zone: `zone-${place % 3}`,
    metadata: { version: '1.4.2', build: `b${(place * 7_919) % 10_007}`, commit: `${place * 104_729}` },
  }))
  const { status } = await call(node, 'POST', '/api/v1/register', { instances })
  expect(status).toBe(200)
}

/** Counts what a node sends and is sent. */
class Counted {
  down = 0
  up = 0
  private readonly server: Server

  constructor(port: number) {
    this.server = createServer((socket) => {
      const behind = dial(port, '127.0.0.1')
      behind.on('data', (data) => (this.down += data.length))
      socket.on('data', (data) => (this.up += data.length))
      socket.pipe(behind).pipe(socket)
      const end = (): void => {
        socket.destroy()
        behind.destroy()
      }
      for (const each of [socket, behind]) each.on('error', end).on('close', end)
    })
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  close(): void {
    this.server.close()
  }
}

const all = Array.from({ length: INSTANCES }, (_, place) => place)
const services = Array.from({ length: SERVICES }, (_, index) => serviceOf(index))

describe('a client that moves with lists of 1,000 instances', () => {
  let nodes: TestNode[] = []
  let client: Rollcall
  const counted: Counted[] = []

  beforeAll(async () => {
    const limits = { bodyBytesMax: 8_388_608 }
    nodes = [await startNode({ nodeId: 'n1', limits }), await startNode({ nodeId: 'n2', limits })]
    for (const node of nodes) for (const service of services) await register(node, service, all, 1, 100)
  }, 120_000)

  afterAll(async () => {
    await client?.close()
    for (const each of counted) each.close()
    await Promise.all(nodes.map((node) => node.close()))
  })

  /** Moves a client that is at the first node to the second, and counts what that one says. */
  async function move(before: () => Promise<void>): Promise<Counted> {
    const [first, second] = nodes as [TestNode, TestNode]
    const far = new Counted(second.port)
    counted.push(far)
    const farUrl = await far.open()
    const near = new Counted(first.port)
    const nearUrl = await near.open()
    await client?.close()
    client = await connect({ registries: [nearUrl], snapshotDir: false, logger: false, learnNodes: true })
    await client.ready(services, { timeoutMs: 30_000 })
    await before()
    const signs = (node: TestNode): unknown[] =>
      services.map((service) => node.driver.read(ONLOOKER).view({ namespace: 'default', service })?.sign)
    const [here, there] = [signs(first), signs(second)]
    await until(
      () => client.status().services.every(({ sign }, index) => sign === here[index]),
      'all is told',
    )
    const address = farUrl.slice(7)
    // The first node names the second one, and sends its clients there.
    first.native.goaway('stopping', 0, [address])
    await until(() => {
      const { connection } = client.status()
      return connection.state === 'connected' && connection.node === 'n2'
    }, 'the client has moved')
    await until(
      () =>
        client
          .status()
          .services.every(({ sign, ageMs }, index) => sign === there[index] && (ageMs ?? 1e9) < 1_000),
      'the client holds what the second node holds',
    )
    near.close()
    return far
  }

  it('is sent nothing where both hold the same', async () => {
    const { down, up } = await move(() => Promise.resolve())
    count('a client moves, ten lists of 1,000, nothing changed: bytes', { received: down, sent: up })
    expect(down).toBeLessThan(2_000)
  }, 60_000)

  it('is sent about the difference where the second node knows more, and learnt the rest in another order', async () => {
    const [first, second] = nodes as [TestNode, TestNode]
    const { down, up } = await move(async () => {
      for (const service of services) {
        await register(first, service, [1, 2, 3, 4, 5], 2, 50)
        await register(second, service, [601, 602, 603, 604, 605], 2, 70)
        await register(second, service, [5, 4, 3, 2, 1], 2, 50)
      }
    })
    count('a client moves, ten lists of 1,000, half a percent changed: bytes', { received: down, sent: up })
    // Five instances of each list are others there: as JSON some 450 bytes each. The list as a whole takes 400 KB, or 33 KB compressed.
    expect(down / SERVICES).toBeLessThan(10 * 450)
    expect(down / SERVICES).toBeGreaterThan(5 * 300)
    // The sums of a thousand parts, compressed where that helps.
    expect(up / SERVICES).toBeLessThan(5_000)
  }, 60_000)
})
