/** How a node fares beside its peers, as lookups, streams and pings tell it. */
import { afterEach, describe, expect, it } from 'vitest'
import type { JournalEntry } from '@rollcall/core'
import type { ClusterResponse } from '@rollcall/wire'
import { call, instance, startNode, type TestNode, until } from './native-node.fixture.js'
import { openStream } from './stream-client.fixture.js'
import { soon } from './support/soon.js'

let node: TestNode
afterEach(() => node.close())

/** Something that left before the node began: it did not begin with nothing. */
function goneOf(id: string): JournalEntry {
  const verdict = { value: 'up', claim: 1, node: 'n0', seq: 0, reason: 'registered' } as const
  const key = { namespace: 'default', service: 'gone', group: 'default', id }
  return {
    kind: 'record',
    record: { ...key, incarnation: 1, content: { intent: 'gone', rev: 1, by: 'provider' }, verdict },
  }
}

const WATCH = { type: 'watch', services: [{ service: 'orders' }] }

describe('a node that lost its peers', () => {
  it('marks every view as stale at once, whatever was encoded before, and says in pings that it is an island', async () => {
    node = await startNode({ loaded: [goneOf('z')] })
    await call(node, 'POST', '/api/v1/register', { instances: [instance('a')] })
    const stale = async (path: string): Promise<boolean> => (await call(node, 'GET', path)).body.stale
    const paths = [
      '/api/v1/services/orders',
      '/api/v1/services/orders?state=up',
      '/api/v1/services/none?wait=1ms&since=ffffffffffffffff',
    ]
    const before = await openStream(node)
    await before.ask(WATCH)
    expect(before.messages[0]).toMatchObject({ type: 'welcome', island: false })
    for (const path of paths) expect(await stale(path)).toBe(false)

    node.driver.fare({ stale: true, island: true })
    for (const path of paths) expect(await stale(path)).toBe(true)
    expect(await before.ask({ type: 'ping' })).toMatchObject({ type: 'pong', island: true })
    await until(
      () => before.messages.some((message) => message.type === 'view' && message.stale),
      'the list is told as stale',
    )
    const after = await openStream(node)
    expect(after.messages[0]).toMatchObject({ type: 'welcome', island: true })
    expect(await after.ask({ type: 'lookup', service: 'orders' })).toMatchObject({ view: { stale: true } })

    node.driver.fare({ stale: false, island: false })
    for (const path of paths) expect(await stale(path)).toBe(false)
    expect(await before.ask({ type: 'ping' })).toMatchObject({ type: 'pong', island: false })
  })
})

describe('a node that began with nothing', () => {
  it('gives nobody an empty list to believe in: not by lookup, poll, event stream or watch', async () => {
    node = await startNode()
    const since = '/api/v1/services/orders?since=00000000deadbeef'
    expect((await soon(call(node, 'GET', `${since}&wait=60s`))).body).toMatchObject({
      instances: [],
      stale: true,
    })
    const stream = await openStream(node)
    await stream.ask(WATCH)
    await until(
      () => stream.messages.some((message) => message.type === 'view' && message.stale),
      'the watched list is stale',
    )
    const events = await fetch(`${node.origin}/api/v1/watch?service=orders`)
    const { value } = await events.body!.getReader().read()
    expect(new TextDecoder().decode(value)).toContain('"stale":true')

    await call(node, 'POST', '/api/v1/register', { instances: [instance('a')] })
    expect((await call(node, 'GET', since)).body).toMatchObject({ instances: [{ id: 'a' }], stale: true })
    expect(await stream.ask({ type: 'lookup', service: 'orders' })).toMatchObject({ view: { stale: true } })
  })
})

describe('a node that others have joined', () => {
  it('says in its status how it fares among them, and in its cluster who they are', async () => {
    const three = (['island', 'ready', 'gone'] as const).map((state, at) => ({
      node: `n${at}`,
      address: `10.0.0.${at}:7400`,
      state,
      version: '0.1.0',
      judges: at,
      sessions: 0,
      unpublished: 7,
      lagMs: 40,
    }))
    const clusterStatus: ClusterResponse = {
      cluster: 'test',
      epoch: 'e1',
      nodes: three,
      engine: { kind: 'etcd', state: 'lost', endpoints: ['http://10.0.0.9:2379'], alarms: ['NOSPACE'] },
      divergence: 2,
    }
    node = await startNode({ clusterStatus })
    const joined = { nodes: 2, engine: 'lost', island: true, unpublished: 7, lagMs: 40 }
    expect((await call(node, 'GET', '/api/v1/status')).body).toMatchObject({ cluster: 'test', joined })
    expect((await call(node, 'GET', '/api/v1/cluster')).body).toEqual(clusterStatus)
  })
})
