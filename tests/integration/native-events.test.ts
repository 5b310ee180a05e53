/** Event streams of views, against a node in memory. */
import { EMPTY_SIGN } from '@rollcall/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, instance, ONLOOKER, startNode, until, type TestNode } from './native-node.fixture.js'
import { openEvents } from './stream-client.fixture.js'

let node: TestNode
beforeEach(async () => {
  node = await startNode({ closeMsMax: 300, helloMsMax: 400, commentMs: 100 })
})
afterEach(() => node.close())

const register = (...instances: object[]): Promise<unknown> =>
  call(node, 'POST', '/api/v1/register', { instances })
const signOfOrders = (): string =>
  node.driver.read(ONLOOKER).sign({ namespace: 'default', service: 'orders' })

describe('event streams', () => {
  it('send a view, then deltas, and resume by id on any node', async () => {
    await register(instance('a'))
    const first = await openEvents(node, 'service=orders')
    await until(() => first.events.length === 1, 'the view arrives')
    expect(first.response.headers['content-type']).toContain('text/event-stream')
    await register(instance('b'))
    await until(() => first.events.length === 2, 'the delta arrives')
    expect(first.events.map((each) => [each.type, each.id])[1]).toEqual(['delta', signOfOrders()])
    first.close()
    await until(() => node.native.stats().eventStreams === 0, 'it is forgotten')
    await register(instance('c'))
    const again = await openEvents(node, 'service=orders', {
      lastEventId: first.events[1]?.id,
      mirror: first.mirror,
    })
    await until(() => again.events.length === 1, 'the resumption arrives')
    expect(again.events[0]?.type).toBe('delta')
    expect(again.mirror.ids('orders')).toEqual(['a', 'b', 'c'])
    again.close()
  })

  it('carry many services and groups, each id with the signs of all', async () => {
    await register(instance('a', { group: 'core' }), instance('b'), instance('c', { service: 'billing' }))
    const events = await openEvents(node, 'service=orders:core&service=billing&service=none&service=billing')
    await until(() => events.events.length === 3, 'all views arrive')
    expect(events.mirror.ids('orders/core')).toEqual(['a'])
    const id = events.events.at(-1)?.id ?? ''
    expect(id.split(',')).toEqual([
      node.driver.read(ONLOOKER).sign({ namespace: 'default', service: 'orders', group: 'core' }),
      node.driver.read(ONLOOKER).sign({ namespace: 'default', service: 'billing' }),
      EMPTY_SIGN,
    ])
    events.close()
    const current = await openEvents(node, 'service=orders:core&service=billing&service=none', {
      lastEventId: id,
      mirror: events.mirror,
    })
    await until(() => current.text.includes(': still here'), 'a comment arrives')
    expect(current.events).toEqual([])
    await register(instance('d', { service: 'billing' }))
    await until(() => current.events.length === 1, 'the change arrives')
    expect(current.events[0]?.type).toBe('delta')
    current.close()
    const strange = await openEvents(node, 'service=orders:core&service=billing', { lastEventId: id })
    await until(() => strange.events.length === 2, 'an id of another query counts as none')
    expect(strange.events.every((each) => each.type === 'view')).toBe(true)
    strange.close()
  })

  it('refuse what cannot be watched', async () => {
    for (const query of ['', 'service=', 'service=a%20b', 'service=a:b:c']) {
      const { status, body } = await call(node, 'GET', `/api/v1/watch?${query}`)
      expect([query, status, body.error.field]).toEqual([query, 400, 'service'])
    }
  })
})
