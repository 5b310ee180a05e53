/** How a node fares beside its peers, as lookups, streams and pings tell it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, instance, startNode, type TestNode, until } from './native-node.fixture.js'
import { openStream } from './stream-client.fixture.js'

let node: TestNode
beforeEach(async () => {
  node = await startNode()
})
afterEach(() => node.close())

const WATCH = { type: 'watch', services: [{ service: 'orders' }] }

describe('a node that lost its peers', () => {
  it('marks every view as stale at once, whatever was encoded before, and says in pings that it is an island', async () => {
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
