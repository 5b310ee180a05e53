/** Questions that no node can answer alone, at two nodes that are linked over real sockets. */
import {
  createElsewhere,
  type Elsewhere,
  NO_LOGGER,
  NO_METER,
  NO_REFUSALS,
  type PeerLinksControl,
  type PeerListener,
} from '@rollcall/core'
import { createPeerNetwork, PEER_PATH } from '@rollcall/protocols/peer'
import type { EventsResponse, Explanation, SubscribersResponse } from '@rollcall/wire'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createSystemClock } from '../../packages/server/src/clock.js'
import { createPeerAnswers } from '../../packages/server/src/cluster/peer-answers.js'
import { createConnections } from '../../packages/server/src/listener/connections.js'
import { createHttpListener } from '../../packages/server/src/listener/http-listener.js'
import { createSystemRandom } from '../../packages/server/src/random.js'
import { call, instance, startNode, type TestNode, until } from './native-node.fixture.js'
import { openStream } from './stream-client.fixture.js'

const clock = createSystemClock()
const cleanUp: (() => unknown)[] = []

/** What the engine would say: at which revision it has what the asking node has, and how far each node has followed. */
interface Followed {
  published: number | undefined
  followed: number
}

interface LinkedNode extends TestNode {
  readonly links: PeerLinksControl
  readonly engine: Followed
  readonly address: string
}

async function startLinked(nodeId: string, others: readonly string[]): Promise<LinkedNode> {
  const engine: Followed = { published: 1, followed: 1 }
  const network = createPeerNetwork({
    clock,
    random: createSystemRandom(),
    logger: NO_LOGGER,
    meter: NO_METER,
  })
  const linked: { links?: PeerLinksControl } = {}
  const asked = createElsewhere({
    links: () => linked.links,
    nodes: () => others.map((node) => ({ node })),
    now: () => clock.now(),
  })
  const published = (): number | undefined => engine.published
  const elsewhere: Elsewhere = {
    hasNodes: others.length > 0,
    explain: (key, own) => asked.explain(key, own),
    events: (query, own) => asked.events(query, own),
    audience: (name, own, { again }) => asked.audience(name, own, { again, published }),
    settled: (names, own, { again }) => asked.settled(names, own, { again, published }),
  }
  const node = await startNode({ nodeId, elsewhere })
  const deps = { clock, logger: NO_LOGGER, meter: NO_METER, refusals: NO_REFUSALS }
  const listener = createHttpListener(
    { ...deps, connections: createConnections(deps, 100) },
    {
      host: '127.0.0.1',
      port: 0,
      mounts: [
        { path: PEER_PATH, ...network },
        { path: '/', handleRequest: (_, response) => void response.end() },
      ],
    },
  )
  const address = `127.0.0.1:${(await listener.start()).port}`
  const answer: PeerListener['answer'] = createPeerAnswers({
    registry: node.driver,
    prober: { probe: (_, callback) => callback('refused') },
    followed: () => engine.followed,
  })
  const links = network.links(
    { node: nodeId, address, version: '1' },
    'secret',
    { linked() {}, unlinked() {}, told() {}, answer },
    'e1',
  )
  linked.links = links
  cleanUp.push(
    () => node.close(),
    () => listener.close(0),
    () => network.close(),
  )
  return { ...node, links, engine, address }
}

let a: LinkedNode
let b: LinkedNode
beforeEach(async () => {
  a = await startLinked('a', ['b'])
  b = await startLinked('b', ['a'])
  const peers = [a, b].map(({ address }, index) => ({ node: 'ab'[index] as string, address, version: '1' }))
  for (const { links } of [a, b]) links.keep(peers)
  await until(() => [a, b].every(({ links }) => links.linked.length === 1), 'both are linked')
  for (const node of [a, b]) await call(node, 'POST', '/api/v1/register', { instances: [instance('1')] })
})
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step()
})

const get = async <T>(node: TestNode, path: string): Promise<T> =>
  (await call(node, 'GET', path)).body as unknown as T
const subscribers = (query = ''): Promise<SubscribersResponse> =>
  get(a, `/api/v1/services/orders/subscribers${query}`)

describe('two nodes of a cluster', () => {
  it('explain an instance with what the other one heard', async () => {
    const explained = await get<Explanation>(a, '/api/v1/explain?service=orders&id=1')
    expect(explained.judge?.own).toBe(true)
    expect(explained.elsewhere).toMatchObject([{ node: 'b', heardBy: 'registration', judges: true }])
    expect(explained.unanswered).toBeUndefined()
  })

  it('sum their subscribers, and have heard when those of both have', async () => {
    const near = await openStream(a)
    const far = await openStream(b)
    for (const client of [near, far]) {
      await client.ask({ type: 'watch', services: [{ service: 'orders' }] })
      const seqs = client.messages.map((message) => (message.type === 'view' ? message.seq : 0))
      client.send({ type: 'ack', seq: Math.max(...seqs) })
    }
    await vi.waitFor(async () => expect(await subscribers()).toMatchObject({ subscribers: 2, settled: true }))
    // The change is with the engine, and b has not followed so far.
    a.engine.published = 5
    const { seq, settled } = await subscribers()
    expect(settled).toBe(false)
    expect(await near.ask({ type: 'settled', services: [{ service: 'orders' }] })).toMatchObject({
      settled: false,
    })
    b.engine.followed = 5
    await vi.waitFor(async () => expect(await subscribers(`?seq=${seq}`)).toMatchObject({ settled: true }))
    expect(await near.ask({ type: 'settled', services: [{ service: 'orders' }] })).toMatchObject({
      settled: true,
    })
    a.engine.published = undefined
    expect(await subscribers()).toMatchObject({ subscribers: 2, settled: false })
  })

  it('tell what happened at both', async () => {
    const all = await get<EventsResponse>(a, '/api/v1/events?service=orders&nodes=all')
    expect(all.events.map(({ node, kind, id }) => [node, kind, id])).toEqual(
      expect.arrayContaining([
        ['a', 'registered', '1'],
        ['b', 'registered', '1'],
      ]),
    )
    const own = await get<EventsResponse>(a, '/api/v1/events?service=orders')
    expect(own.events.every((event) => !('node' in event))).toBe(true)
    for (const query of [
      'nodes=all',
      'service=orders&nodes=all&after=1',
      'service=orders&nodes=all&follow=true',
      'nodes=some',
    ])
      expect((await call(a, 'GET', `/api/v1/events?${query}`)).status).toBe(400)
  })

  it('say that the other one did not answer, and answer all the same', async () => {
    b.links.close()
    await vi.waitFor(() => expect(a.links.linked).toEqual([]), 10_000)
    expect(await subscribers()).toMatchObject({ settled: false, unanswered: ['b'] })
    expect(await get(a, '/api/v1/explain?service=orders&id=1')).toMatchObject({ unanswered: ['b'] })
    expect(await get(a, '/api/v1/events?service=orders&nodes=all')).toMatchObject({ unanswered: ['b'] })
  })
})

it('a node by itself answers all of it alone', async () => {
  const alone = await startNode()
  cleanUp.push(() => alone.close())
  await call(alone, 'POST', '/api/v1/register', { instances: [instance('1')] })
  expect(Object.keys(await get<object>(alone, '/api/v1/services/orders/subscribers'))).toEqual([
    'subscribers',
    'acknowledged',
    'seq',
    'pollersMs',
    'settled',
  ])
  expect(await get(alone, '/api/v1/explain?service=orders&id=1')).not.toHaveProperty('elsewhere')
  expect((await call(alone, 'GET', '/api/v1/events?service=orders&nodes=all')).status).toBe(200)
})
