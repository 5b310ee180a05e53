/** A client against a node without sockets. */
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { ClientDeps } from './client.js'
import { createClient } from './client.js'
import { HandClock, settle } from '@rollcall/testkit/time'
import type { ListChange } from './machine/events.js'
import { delta, instance, stageSettings, view } from './clusters/stage.fixture.js'
import { Node } from './node.fixture.js'
import { createWarmUps } from './start-up/warm-up.js'
import { NO_LOGGER } from './machine/ports.js'
import type { Rollcall, RegistrationEvent } from './api.js'

function setUp(
  signal?: AbortSignal,
  zone?: string,
  snapshots: ClientDeps['snapshots'] = new Map(),
): { clock: HandClock; node: Node; client: Rollcall } {
  const clock = new HandClock()
  const node = new Node()
  const client = createClient(
    {
      transport: node,
      clock,
      logger: NO_LOGGER,
      snapshots,
      createRequester: () => ({
        send: () => Promise.reject(new Error('no requests here')),
        retain() {},
        close() {},
      }),
      addresses: { interfaces: () => [], route: () => Promise.resolve('10.8.8.8') },
      warmUps: createWarmUps({ clock, random: () => 0 }, { warmup: false }),
    },
    {
      clusters: [stageSettings({})],
      merge: 'union',
      namespace: 'default',
      zone,
      random: () => 0.5,
      address: {},
      signal,
    },
  )
  return { clock, node, client }
}

describe('client', () => {
  it('registers, with the address that reaches the registry and host:port as id', async () => {
    const { client } = setUp()
    const early = await client.register({ service: 'orders', port: 3_000 })
    expect(early).toMatchObject({ id: '10.8.8.8:3000', state: 'up' })
    const [later] = await client.register([{ service: 'orders', port: 3_001, state: 'starting' }])
    expect(later).toMatchObject({ id: '10.9.9.9:3001', state: 'starting' })
    expect(later?.incarnation).toBeGreaterThan(early.incarnation)
  })

  it('watches many services in one message, and says which are not ready', async () => {
    const { clock, client, node } = setUp()
    await settle()
    const names = Array.from({ length: 50 }, (_, n) => `s${n}`)
    const all = client.ready(names, { timeoutMs: 1_000 })
    await settle()
    expect(node.heard.filter((type) => type === 'watch')).toHaveLength(1)
    for (const service of names.slice(1)) node.say(view([instance('a')], { service }))
    node.say(view([], { service: 's0' }))
    const failure = all.catch((error: unknown) => error)
    await clock.pass(1_000)
    expect(await failure).toMatchObject({
      code: 'no_instances',
      message: expect.stringContaining('1 of 50 services are not ready: s0 (no_instances)') as string,
      details: { services: { s0: 'no_instances' } },
    })
    node.say(view([instance('a')], { service: 's0' }))
    await settle()
    const ready = await client.ready([client.service('s0'), ...names.slice(1)])
    expect(ready.map((service) => service.name)).toEqual(names)
  })

  it('brackets an IPv6 host in the default id', async () => {
    const { client } = setUp()
    expect((await client.register({ service: 'orders', host: '::1', port: 3_000 })).id).toBe('[::1]:3000')
  })

  it('rejects what is refused', async () => {
    const { client, node } = setUp()
    node.refuse = 'not from there'
    await expect(client.register({ service: 'orders', port: 1 })).rejects.toMatchObject({
      code: 'service_not_allowed',
      message: 'default: not from there',
    })
  })

  it.each([
    { port: 0 },
    { port: 70_000 },
    { port: 1.5 },
    { service: 'a b' },
    { group: '' },
    { id: 'a b' },
    { weight: -1 },
    { weight: 70_000 },
  ])('refuses %j without asking anybody', async (wrong) => {
    const { client } = setUp()
    await expect(client.register({ service: 'orders', port: 1, ...wrong })).rejects.toMatchObject({
      code: 'invalid_argument',
    })
  })

  it('picks from memory, and throws typed errors when it cannot', async () => {
    const { client, node } = setUp()
    const orders = client.service('orders')
    expect(() => orders.pick()).toThrow(expect.objectContaining({ code: 'unreachable' }))
    await settle()
    node.say(view([]))
    await settle()
    expect(() => orders.pick()).toThrow(expect.objectContaining({ code: 'no_instances' }))
    const ready = orders.ready()
    node.say(delta([], [instance('a')]))
    await ready
    expect(orders.pick().id).toBe('a')
    expect(orders.source).toBe('registry')
  })

  it('calls and registers in its own zone, unless told otherwise', async () => {
    const { client, node } = setUp(undefined, 'here')
    const [orders, wide] = [
      client.service('orders'),
      client.service('orders', { group: 'default', zone: 'there' }),
    ]
    await settle()
    const list = ['here', 'there'].map((zone, port) => instance(zone, { zone, port: port + 1 }))
    node.say(view(list))
    node.say({ ...view(list), group: 'default' })
    await settle()
    const picks = (service: typeof orders): Set<string> =>
      new Set(Array.from({ length: 20 }, () => service.pick().id))
    expect([...picks(orders), ...picks(wide)]).toEqual(['here', 'there'])
    await client.register([
      { service: 'web', port: 1 },
      { service: 'web', port: 2, zone: 'there' },
    ])
    expect(node.registered.map(({ zone }) => zone)).toEqual(['here', 'there'])
  })

  it('watches a service once for all its handles', async () => {
    const { client, node } = setUp()
    client.service('orders')
    client.service('orders')
    client.service('orders', { group: 'g' })
    await settle()
    expect(client.status().services).toHaveLength(2)
    expect(node.heard.filter((type) => type === 'watch')).toHaveLength(1)
  })

  it('makes calls wait half a second where the last instance was deregistered, and ready() longer', async () => {
    const { client, node, clock } = setUp()
    const orders = client.service('orders')
    await settle()
    node.say(view([instance('a')]))
    node.say(delta([instance('a')], []))
    await settle()
    const codes: string[] = []
    const note = (name: string) => (error: { readonly code?: string }) => codes.push(`${name} ${error.code}`)
    orders.call(() => undefined).catch(note('call'))
    orders.fetch('/').catch(note('fetch'))
    orders.ready().catch(note('ready'))
    await settle()
    await clock.pass(499)
    expect(codes).toEqual([])
    await clock.pass(1)
    expect(codes).toEqual(['call no_instances', 'fetch no_instances'])
    await clock.pass(4_500)
    expect(codes).toContain('ready no_instances')
  })

  it('tells changes until it is closed', async () => {
    const { client, node } = setUp()
    const seen: ListChange[] = []
    const reading = (async () => {
      for await (const change of client.service('orders').changes()) seen.push(change)
    })()
    await settle()
    node.say(view([instance('a')]))
    await settle()
    await client.close()
    await reading
    expect(seen.map((change) => change.instances.length)).toEqual([1])
  })

  it('tells a registration about its life', async () => {
    const { client, node } = setUp()
    const registration = await client.register({ service: 'orders', port: 1, id: 'a' })
    const events: RegistrationEvent[] = []
    const stop = registration.onEvent((event) => events.push(event))
    registration.onEvent(() => {
      throw new Error('a listener of the user')
    })
    const { incarnation } = registration
    const removed = { namespace: 'default', service: 'orders', group: 'default', id: 'a', incarnation }
    node.say({ type: 'removed', instances: [{ ...removed, reason: 'superseded' }] })
    await settle()
    expect(registration.state).toBe('conflict')
    stop()
    await registration.deregister()
    expect(registration.state).toBe('deregistered')
    expect(events).toMatchObject([
      { type: 'superseded', state: 'conflict', incarnation, error: { code: 'superseded' } },
    ])
    await registration.deregister()
  })

  it('says what was done to a registration, and by what number', async () => {
    const { client, node } = setUp()
    const registration = await client.register({ service: 'orders', port: 1, id: 'a' })
    const events: RegistrationEvent[] = []
    registration.onEvent((event) => events.push(event))
    const { incarnation } = registration
    const removed = { namespace: 'default', service: 'orders', group: 'default', id: 'a', incarnation }
    node.say({ type: 'removed', instances: [{ ...removed, reason: 'deregistered' }] })
    await settle()
    expect(events).toMatchObject([
      { type: 'deregistered', state: 'removed', incarnation, error: { code: 'deregistered' } },
      { type: 'changed', state: 'removed', incarnation: incarnation + 1 },
    ])
    expect(registration.incarnation).toBe(incarnation + 1)
  })

  it.each([
    ['id_taken', 'conflict', 'conflict'],
    ['limit_exceeded', 'refused', 'refused'],
  ] as const)('says of %s that it is a %s', async (code, type, state) => {
    const { client, node } = setUp()
    const registration = await client.register({ service: 'orders', port: 1, id: 'a' })
    const events: RegistrationEvent[] = []
    registration.onEvent((event) => events.push(event))
    node.refuse = 'no'
    node.code = code
    node.hangUp()
    await settle()
    expect(events).toMatchObject([{ type, state, error: { code, message: 'no' } }])
  })

  it('updates and drains', async () => {
    const { client } = setUp()
    const registration = await client.register({ service: 'orders', port: 1 })
    await registration.update({ weight: 3 })
    await registration.drain()
    expect(registration.state).toBe('draining')
  })

  it('closes once: drains, settles, deregisters, and leaves no timer', async () => {
    const { client, node, clock } = setUp()
    await client.register({ service: 'orders', port: 1 })
    const closing = client.close()
    expect(client.close()).toBe(closing)
    await settle()
    await clock.pass(1_000)
    await closing
    expect(node.heard.slice(-4)).toEqual(['register', 'settled', 'deregister', 'close'])
    expect(clock.timers.length).toBe(0)
    expect(client.status().connection.state).toBe('closed')
  })

  it('closes in time although the disk does not answer', async () => {
    const never = new Promise<never>(() => undefined)
    const hanging = { load: () => never, save: () => never, close: () => never }
    const { client, clock } = setUp(undefined, undefined, new Map([['default', hanging]]))
    await client.register({ service: 'orders', port: 1 })
    const closing = client.close()
    await settle()
    await clock.pass(4_999)
    let closed = false
    void closing.then(() => (closed = true))
    await settle()
    expect(closed).toBe(false)
    await clock.pass(1)
    await closing
    expect(clock.timers.length).toBe(0)
  })

  it('answers everything as closed afterwards', async () => {
    const { client } = setUp()
    const orders = client.service('orders')
    await client.close()
    const closed = expect.objectContaining({ code: 'closed' })
    expect(() => orders.pick()).toThrow(closed)
    expect(() => client.service('other').pick()).toThrow(closed)
    await expect(orders.ready()).rejects.toThrow(closed)
    await expect(orders.fetch('/')).rejects.toThrow(closed)
    await expect(client.register({ service: 'orders', port: 1 })).rejects.toThrow(closed)
  })

  it('obeys signals', async () => {
    const { client } = setUp()
    const controller = new AbortController()
    const waiting = client.service('orders').ready({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toMatchObject({ code: 'aborted', cause: { message: 'enough' } })
    const call = { signal: controller.signal }
    await expect(client.register({ service: 'orders', port: 1 }, call)).rejects.toMatchObject({
      code: 'aborted',
    })
    await expect(client.service('orders').fetch('/', call)).rejects.toMatchObject({ code: 'aborted' })
  })

  it('shares a signal with any number of waits and loops, without a warning, and leaves nothing on it', async () => {
    const { client, clock } = setUp()
    const warnings: Error[] = []
    const warned = (warning: Error): void => void warnings.push(warning)
    process.on('warning', warned)
    const names = Array.from({ length: 12 }, (_, n) => `s${n}`)
    const { signal } = new AbortController()
    const waits = names.map((name) =>
      client
        .service(name)
        .ready({ signal })
        .catch(() => undefined),
    )
    const loops = names.flatMap((name) => [
      client.service(name).changes({ signal }),
      client.service(name).shards(8).changes({ signal }),
    ])
    const registering = names.map((service) => client.register({ service, port: 1 }, { signal }))
    expect(getEventListeners(signal, 'abort')).toHaveLength(36)
    await Promise.all(registering)
    const closing = client.close()
    await settle()
    await clock.pass(5_000)
    await closing
    await Promise.all([...waits, ...loops.map((loop) => loop.return?.())])
    process.off('warning', warned)
    expect(warnings).toEqual([])
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('tells a listener that was added twice twice, until each is taken away', async () => {
    const { client } = setUp()
    const registration = await client.register({ service: 'orders', port: 1 })
    const told: string[] = []
    const listener = (event: RegistrationEvent): void => void told.push(event.state)
    const [first, second] = [registration.onEvent(listener), registration.onEvent(listener)]
    await registration.drain()
    first()
    await registration.setState('up')
    second()
    await registration.drain()
    expect(told).toEqual(['draining', 'draining', 'up'])
  })

  it('takes back what an aborted register had sent', async () => {
    const { client, node } = setUp()
    await settle()
    const controller = new AbortController()
    const call = client.register({ service: 'orders', host: 'h', port: 1 }, { signal: controller.signal })
    for (let turn = 0; turn < 10 && !node.heard.includes('register'); turn += 1) await Promise.resolve()
    controller.abort()
    await expect(call).rejects.toMatchObject({ code: 'aborted' })
    await settle()
    expect(node.heard).toContain('deregister')
  })

  it('closes when the signal it was given says so', async () => {
    const controller = new AbortController()
    const { client } = setUp(controller.signal)
    controller.abort()
    await client.close()
    expect(client.status().connection.state).toBe('closed')
  })
})
