/** The client over several clusters, with nodes in memory. */
import { describe, expect, it } from 'vitest'
import { createClient } from '../client.js'
import { HandClock, settle } from '@rollcall/testkit/time'
import { createIncarnations } from '../machine/incarnation.js'
import { BOOT, instance, stageSettings, view } from './stage.fixture.js'
import { Node } from '../node.fixture.js'
import { createWarmUps } from '../start-up/warm-up.js'
import { NO_LOGGER } from '../machine/ports.js'
import type { Rollcall, RegistrationEvent } from '../api.js'

function setUp(urls: Readonly<Record<string, readonly string[]>> = {}): {
  clock: HandClock
  east: Node
  west: Node
  client: Rollcall
} {
  const clock = new HandClock()
  const nodes = { east: new Node(), west: new Node() }
  const incarnations = createIncarnations(BOOT)
  const client = createClient(
    {
      transport: {
        dial: (url, listener) => nodes[new URL(url).hostname as 'east' | 'west'].dial(url, listener),
        close: () => Promise.resolve(),
      },
      clock,
      logger: NO_LOGGER,
      snapshots: new Map(),
      createRequester: () => ({
        send: () => Promise.reject(new Error('no requests here')),
        retain() {},
        close() {},
      }),
      addresses: { interfaces: () => [], route: () => Promise.resolve('10.8.8.8') },
      warmUps: createWarmUps({ clock, random: () => 0 }, { warmup: false }),
    },
    {
      clusters: ['east', 'west'].map((cluster) =>
        stageSettings({ cluster, urls: urls[cluster] ?? [`ws://${cluster}/`], incarnations }),
      ),
      merge: 'union',
      namespace: 'default',
      zone: undefined,
      random: () => 0.5,
      address: {},
      signal: undefined,
    },
  )
  return { clock, ...nodes, client }
}

describe('a client of several clusters', () => {
  it('calls the instances of all, and tells where they come from', async () => {
    const { client, east, west } = setUp()
    const orders = client.service('orders')
    const ready = orders.ready()
    await settle()
    east.say(view([instance('a')]))
    west.say(view([instance('b')]))
    await ready
    expect([orders.pick(), orders.pick()].map(({ id }) => id).sort()).toEqual(['a', 'b'])
    expect(orders.origins(instance('b'))).toEqual([
      { cluster: 'west', source: 'registry', live: true, ageMs: 0 },
    ])
    expect(orders.status()).toMatchObject({ instances: 2, clusters: [{ live: true }, { live: true }] })
    expect(client.status()).toMatchObject({
      connection: { state: 'connected' },
      clusters: [{ name: 'east' }, { name: 'west' }],
      services: [{ service: 'orders' }],
    })
  })

  it('asks only the clusters a service names, in its order', async () => {
    const { client, east, west } = setUp()
    const orders = client.service('orders', { clusters: ['west', 'east'], merge: 'preferred' })
    const other = client.service('other', { clusters: ['east'] })
    await settle()
    east.say(view([instance('a')]))
    west.say(view([instance('b')]))
    await settle()
    expect(orders.pick().id).toBe('b')
    expect(other.status().clusters.map(({ cluster }) => cluster)).toEqual(['east'])
  })

  it('registers with all, says how each took it, and stands while one of them has it', async () => {
    const { client, east } = setUp()
    east.refuse = 'not here'
    const registration = await client.register({ service: 'orders', port: 1, id: 'a' })
    await settle()
    const { incarnation } = registration
    expect(registration).toMatchObject({
      state: 'up',
      clusters: [
        { cluster: 'east', state: 'refused', incarnation, error: { message: 'not here' } },
        { cluster: 'west', state: 'up', incarnation },
      ],
    })
    expect(client.status()).toMatchObject({
      registrations: 1,
      clusters: [{ registrations: 1, accepted: 0 }, { accepted: 1 }],
    })
  })

  it('tells in which cluster something happened to a registration', async () => {
    const { client, west } = setUp()
    const registration = await client.register({ service: 'orders', port: 1, id: 'a' })
    const events: RegistrationEvent[] = []
    registration.onEvent((event) => events.push(event))
    await settle()
    const { incarnation } = registration
    const removed = { namespace: 'default', service: 'orders', group: 'default', id: 'a', incarnation }
    west.say({ type: 'removed', instances: [{ ...removed, reason: 'deregistered' }] })
    await settle()
    expect(events.filter(({ type }) => type !== 'changed')).toMatchObject([
      { type: 'deregistered', cluster: 'west', state: 'removed', incarnation },
    ])
    expect(registration).toMatchObject({
      state: 'up',
      incarnation: incarnation + 1,
      clusters: [{ state: 'up' }, { cluster: 'west', state: 'removed', error: { code: 'deregistered' } }],
    })
    await registration.deregister()
    expect(registration.state).toBe('deregistered')
  })

  it('rejects what all refuse, by name', async () => {
    const { client, east, west } = setUp()
    east.refuse = west.refuse = 'not here'
    await expect(client.register({ service: 'orders', port: 1 })).rejects.toMatchObject({
      code: 'service_not_allowed',
      message: 'east: not here',
      details: { cluster: 'east' },
    })
  })

  it('registers on other terms where told so', async () => {
    const { client, east, west } = setUp()
    await client.register({ service: 'orders', port: 1, clusters: { west: { liveness: 'static' } } })
    expect(east.heard).not.toContain('register')
    expect(west.heard).toContain('register')
  })

  it.each([
    ['the last one that connected is near', '10.0.0.7', '127.0.0.1'],
    ['the first one is', '127.0.0.1', '10.0.0.7'],
  ])('registers with the address that each reaches, under one id: %s', async (_, atEast, atWest) => {
    const { client, east, west } = setUp()
    east.reachedFrom = atEast
    west.reachedFrom = atWest
    await settle()
    const registration = await client.register({ service: 'orders', port: 1 })
    await settle()
    expect(registration).toMatchObject({ id: '10.0.0.7:1', host: '10.0.0.7' })
    expect(east.registered).toMatchObject([{ id: '10.0.0.7:1', host: atEast }])
    expect(west.registered).toMatchObject([{ id: '10.0.0.7:1', host: atWest }])
    await client.register({ service: 'orders', port: 2, clusters: { west: { host: 'west.test' } } })
    await settle()
    expect(west.registered.at(-1)).toMatchObject({ id: `${atWest}:2`, host: 'west.test' })
  })

  it('does not register where there is no registry', async () => {
    const { client } = setUp({ west: [] })
    const registration = await client.register({ service: 'orders', port: 1 })
    expect(registration.clusters.map(({ cluster }) => cluster)).toEqual(['east'])
    await expect(client.register({ service: 'orders', port: 2, clusters: ['west'] })).rejects.toThrow(/west/)
  })

  it.each([{ clusters: ['north'] }, { clusters: [] }, { clusters: { north: {} } }])(
    'refuses to register with %j',
    async (wrong) => {
      const { client } = setUp()
      await expect(client.register({ service: 'orders', port: 1, ...wrong })).rejects.toMatchObject({
        code: 'invalid_argument',
        field: 'clusters',
      })
      expect(() => client.service('orders', { clusters: ['north'] })).toThrow(
        /none of the clusters east, west/,
      )
    },
  )

  it('closes in all of them and leaves no timer', async () => {
    const { client, east, west, clock } = setUp()
    await client.register({ service: 'orders', port: 1 })
    await settle()
    const closing = client.close()
    await settle()
    await clock.pass(1_000)
    await closing
    for (const node of [east, west])
      expect(node.heard.slice(-4)).toEqual(['register', 'settled', 'deregister', 'close'])
    expect(clock.timers.length).toBe(0)
    expect(client.status().connection.state).toBe('closed')
  })
})
