/** The WebSocket stream, from the inside of a node. */
import type { Socket } from 'node:net'
import { EMPTY_SIGN, type Delta } from '@rollcall/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import {
  call,
  exchangeBytes,
  instance,
  ONLOOKER,
  startNode,
  until,
  type TestNode,
} from './native-node.fixture.js'
import { openEvents, openStream } from './stream-client.fixture.js'

let node: TestNode
beforeEach(async () => {
  node = await startNode({ closeMsMax: 300, helloMsMax: 400, commentMs: 100 })
})
afterEach(() => node.close())

const register = (...instances: object[]): Promise<unknown> =>
  call(node, 'POST', '/api/v1/register', { instances })
const signOfOrders = (): string =>
  node.driver.read(ONLOOKER).sign({ namespace: 'default', service: 'orders' })
const orders = { services: [{ service: 'orders' }] }

/** The handshake of a WebSocket, for peers that then misbehave. */
const handshake = (extra = '', protocol = 'rollcall.v1'): string =>
  [
    'GET /api/v1/stream HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Sec-WebSocket-Protocol: ${protocol}`,
    `${extra}\r\n`,
  ].join('\r\n')

/** Bytes that came in on the wire, as ws itself does not tell them. */
function received(ws: WebSocket): number {
  return (Reflect.get(ws, '_socket') as Socket).bytesRead
}

/** A masked client frame; the mask is zero. */
function frame(payload: string | Buffer, opcode = 0x81): Buffer {
  const data = Buffer.from(payload)
  const length =
    data.length < 126
      ? Buffer.from([0x80 | data.length])
      : Buffer.from([0xfe, data.length >> 8, data.length & 255])
  return Buffer.concat([Buffer.from([opcode]), length, Buffer.alloc(4), data])
}

describe('the stream', () => {
  it('registers, watches, and tells each change as one delta with the right sign', async () => {
    const client = await openStream(node)
    expect(client.messages[0]).toMatchObject({
      type: 'welcome',
      node: 'n1',
      cluster: 'test',
      pingMs: 3_000,
      island: false,
    })
    expect(await client.ask({ type: 'watch', ...orders })).toEqual({
      type: 'watching',
      req: expect.any(Number),
    })
    expect(client.mirror.signs.get('orders')).toBe(EMPTY_SIGN)
    const answer = await client.ask({
      type: 'register',
      instances: [instance('a'), instance('b', { port: 'x' })],
    })
    expect(answer).toMatchObject({
      type: 'registered',
      results: [
        { ok: true, id: 'a' },
        { ok: false, error: { field: 'instances[1].port' } },
      ],
    })
    await until(() => client.mirror.signs.get('orders') === signOfOrders(), 'the change is told')
    expect(client.mirror).toMatchObject({ views: 1, deltas: 1 })
    await client.ask({ type: 'deregister', instances: [{ service: 'orders', id: 'a' }] })
    await until(() => client.mirror.signs.get('orders') === EMPTY_SIGN, 'the removal is told')
    const last = client.messages.findLast((each) => each.type === 'delta') as Delta
    expect(last.removes).toMatchObject([{ id: 'a', reason: 'deregistered' }])
  })

  it('resumes from a sign with nothing, a delta, or the list', async () => {
    await register(instance('a'))
    const sign = signOfOrders()
    const first = await openStream(node)
    await first.ask({ type: 'watch', ...orders })
    first.ws.terminate()
    const { mirror } = first
    const current = await openStream(node, { mirror })
    await current.ask({ type: 'watch', services: [{ service: 'orders', sign }] })
    expect(mirror).toMatchObject({ views: 1, deltas: 0 })
    current.ws.terminate()
    await register(instance('b'))
    const behind = await openStream(node, { mirror })
    await behind.ask({ type: 'watch', services: [{ service: 'orders', sign }] })
    const delta = behind.messages.find((each) => each.type === 'delta')
    expect(delta).toMatchObject({ from: sign, to: signOfOrders(), upserts: [{ id: 'b' }] })
    const lost = await openStream(node)
    await lost.ask({ type: 'watch', services: [{ service: 'orders', sign: 'deadbeefdeadbeef' }] })
    expect(lost.mirror).toMatchObject({ views: 1, deltas: 0 })
  })

  it('repairs watched lists when signs are compared, and sends a list again on resync', async () => {
    await register(instance('a'))
    const stale = signOfOrders()
    await register(instance('b'))
    const client = await openStream(node)
    await client.ask({ type: 'watch', ...orders })
    const answer = await client.ask({
      type: 'signs',
      services: [
        { service: 'orders', sign: stale },
        { service: 'billing', sign: stale },
        { service: 'none', sign: EMPTY_SIGN },
      ],
    })
    expect(answer).toMatchObject({
      type: 'signs',
      changed: [
        { service: 'orders', sign: signOfOrders() },
        { service: 'billing', sign: EMPTY_SIGN },
      ],
    })
    expect(client.messages.filter((each) => each.type === 'delta')).toMatchObject([
      { from: stale, to: signOfOrders() },
    ])
    await client.ask({ type: 'resync', services: [{ service: 'orders' }, { service: 'billing' }] })
    expect(client.mirror.views).toBe(2)
    await client.ask({ type: 'unwatch', ...orders })
    await register(instance('c'))
    await client.ask({ type: 'ping' })
    expect(client.mirror.ids('orders')).toEqual(['a', 'b'])
  })

  it('answers lookups, lists, beats and pings, in the namespace of hello', async () => {
    const client = await openStream(node, { hello: false })
    await client.ask({ type: 'hello', namespace: 'shop' })
    await client.ask({ type: 'register', instances: [instance('a', { liveness: 'lease' })] })
    expect(await client.ask({ type: 'lookup', service: 'orders' })).toMatchObject({
      type: 'found',
      view: { namespace: 'shop', instances: [{ id: 'a' }] },
    })
    expect(await client.ask({ type: 'lookup', service: 'none' })).toMatchObject({
      type: 'error',
      error: { code: 'unknown_service' },
    })
    expect(await client.ask({ type: 'services', prefix: 'ord' })).toMatchObject({
      type: 'services',
      services: [{ service: 'orders' }],
    })
    expect(
      await client.ask({ type: 'heartbeat', instances: [{ service: 'orders', id: 'z' }] }),
    ).toMatchObject({ type: 'heartbeaten', unknown: [{ id: 'z', namespace: 'shop' }] })
    expect(await client.ask({ type: 'ping' })).toMatchObject({ type: 'pong', island: false })
    expect(await client.ask({ type: 'deregister', host: '10.0.0.1' })).toMatchObject({
      removed: [{ id: 'a' }],
    })
    client.send({ type: 'ack', seq: 1 })
    expect(await client.ask({ type: 'ping' })).toMatchObject({ type: 'pong' })
  })

  it('refuses what it does not understand and lives on', async () => {
    const client = await openStream(node)
    for (const [message, field] of [
      [{ type: 'dance' }, 'type'],
      [{ type: 'constructor' }, 'type'],
      [{ type: 'hello' }, 'type'],
      [{ type: 'watch' }, 'services'],
      [{ type: 'watch', services: [{ service: 'bad name' }] }, 'services[0].service'],
      [{ type: 'watch', services: [{ service: 'x', sign: 'nope' }] }, 'services[0].sign'],
      [{ type: 'services', limit: 0 }, 'limit'],
    ] as const) {
      expect(await client.ask(message)).toMatchObject({
        type: 'error',
        error: { code: 'invalid_argument', field },
      })
    }
    expect(client.closed).toBeUndefined()
  })

  it('closes with 4400 when the protocol is broken', async () => {
    const broken = async (bytes: Buffer): Promise<string> =>
      exchangeBytes(node.port, Buffer.concat([Buffer.from(handshake()), bytes]))
    for (const bytes of [
      frame('{"type":"ping"}'),
      frame('no json'),
      frame('[1]'),
      frame('{"type":"hello"}', 0x82),
      frame('{"type":"hello","namespace":1}'),
    ]) {
      const text = await broken(bytes)
      expect(text).toContain('"code":"protocol"')
      // Close code 4400 = 0x1130.
      expect(text).toContain('\u0011\u0030')
    }
  })

  it('ends a half-open upgrade, an upgrade to elsewhere, and one it does not serve', async () => {
    const began = performance.now()
    expect(await exchangeBytes(node.port, handshake())).toContain('no hello')
    expect(performance.now() - began).toBeLessThan(3_000)
    expect(await exchangeBytes(node.port, handshake('', 'other.v1'))).toMatch(
      /^HTTP\/1\.1 400[\s\S]*"protocol"/,
    )
    expect(await exchangeBytes(node.port, handshake('Origin: http://evil.example\r\n'))).toMatch(
      /^HTTP\/1\.1 403[\s\S]*forbidden_origin/,
    )
    expect(await exchangeBytes(node.port, handshake().replace('127.0.0.1', 'evil.example'))).toMatch(
      /forbidden_host/,
    )
    expect(await exchangeBytes(node.port, handshake().replace('/stream', '/strem'))).toMatch(
      /^HTTP\/1\.1 404/,
    )
    await until(() => node.native.stats().streams === 0, 'nothing is left open')
  })

  it('refuses frames that are too large, and garbage instead of frames', async () => {
    const client = await openStream(node)
    client.ws.send('x'.repeat(1_048_577))
    await until(() => client.closed !== undefined, 'the stream is closed')
    expect(client.closed?.code).toBe(1009)
    const garbage = Buffer.from(Array.from({ length: 4_096 }, (_, index) => (index * 7_919) & 255))
    await exchangeBytes(node.port, Buffer.concat([Buffer.from(handshake()), garbage]))
    await until(() => node.native.stats().streams === 0, 'nothing is left open')
    expect((await openStream(node)).closed).toBeUndefined()
  })

  it('sends large views compressed to those who can read that, and the same list to the others', async () => {
    await register(...Array.from({ length: 1_000 }, (_, index) => instance(`i${index}`)))
    const bytesOf = async (deflate: boolean): Promise<number> => {
      const client = await openStream(node, { perMessageDeflate: deflate })
      await client.ask({ type: 'watch', ...orders })
      expect(client.mirror.signs.get('orders')).toBe(signOfOrders())
      return received(client.ws)
    }
    const [plain, deflated] = [await bytesOf(false), await bytesOf(true)]
    expect(plain).toBeGreaterThan(100_000)
    expect(deflated).toBeLessThan(plain / 4)
    // A client whose window is too small for shared frames is served without compression.
    const offer = 'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n'
    const wire = await exchangeBytes(
      node.port,
      Buffer.concat([
        Buffer.from(handshake(offer)),
        frame('{"type":"hello"}'),
        frame(JSON.stringify({ type: 'watch', ...orders })),
      ]),
      (text) => text.includes('"watching"'),
    )
    expect(wire).toContain('"id":"i999"')
  })

  it('sends a long list first, then what changed while it was encoded, and says last that the watch stands', async () => {
    await register(...Array.from({ length: 9_000 }, (_, index) => instance(`i${index}`)))
    for (const deflate of [false, true]) {
      const client = await openStream(node, { perMessageDeflate: deflate })
      const watching = client.ask({ type: 'watch', ...orders })
      const events = await openEvents(node, 'service=orders')
      await register(instance('late', { weight: deflate ? 2 : 3 }))
      await watching
      await until(() => client.mirror.signs.get('orders') === signOfOrders(), 'the stream has the change')
      await until(() => events.mirror.signs.get('orders') === signOfOrders(), 'the event stream has it')
      expect([client.mirror.views, client.mirror.ids('orders').length]).toEqual([1, 9_001])
      const types = client.messages.map(({ type }) => type)
      expect(types.indexOf('view')).toBeLessThan(types.indexOf('watching'))
      expect(events.mirror.views).toBe(1)
      client.ws.terminate()
    }
  })

  it('tells a session what others did to its registrations', async () => {
    const client = await openStream(node)
    await client.ask({ type: 'register', instances: [instance('a', { incarnation: 7, liveness: 'lease' })] })
    await call(node, 'POST', '/api/v1/deregister', { host: '10.0.0.1' })
    await until(() => client.messages.some((each) => each.type === 'removed'), 'the notice arrives')
    expect(client.messages.find((each) => each.type === 'removed')).toMatchObject({
      instances: [
        {
          namespace: 'default',
          service: 'orders',
          group: 'default',
          id: 'a',
          incarnation: 7,
          reason: 'deregistered',
        },
      ],
    })
  })

  it('bounds the number of streams', async () => {
    const small = await startNode({ streamsMax: 1, eventStreamsMax: 1, waitersMax: 1, closeMsMax: 200 })
    try {
      await openStream(small)
      const second = await openStream(small, { hello: false })
      await until(() => second.closed !== undefined, 'the second is closed')
      expect(second.closed?.code).toBe(4429)
      const events = await openEvents(small, 'service=orders')
      const refused = await call(small, 'GET', '/api/v1/watch?service=orders')
      expect([refused.status, refused.body.error.code]).toEqual([429, 'limit_exceeded'])
      const poll = call(small, 'GET', `/api/v1/services/x?since=${EMPTY_SIGN}&wait=500ms`)
      await until(() => small.native.stats().longPolls === 1, 'one waits')
      expect((await call(small, 'GET', `/api/v1/services/x?since=${EMPTY_SIGN}&wait=1s`)).status).toBe(429)
      await poll
      const counted = (quota: string): unknown => small.counted.get(`rollcall_limit_refusals_total:${quota}`)
      expect(['streamsMax', 'eventStreamsMax', 'waitersMax'].map(counted)).toEqual([1, 1, 1])
      events.close()
    } finally {
      await small.close()
    }
  })

  it('tells of the nodes of the cluster, and asks some streams to make room', async () => {
    let nodes = ['10.0.0.1:7400']
    const joined = await startNode({ nodes: () => nodes })
    try {
      const first = await openStream(joined)
      expect(first.messages[0]).toMatchObject({ type: 'welcome', nodes: ['10.0.0.1:7400'] })
      nodes = ['10.0.0.1:7400', '10.0.0.2:7400']
      const second = await openStream(joined)
      joined.native.nodesChanged()
      await until(() => first.messages.length === 2, 'the first is told')
      expect(first.messages[1]).toEqual({ type: 'nodes', nodes })
      joined.native.rebalance(1, ['10.0.0.2:7400'])
      await until(() => first.messages.length === 3, 'the first is asked')
      expect(first.messages[2]).toEqual({
        type: 'goaway',
        reason: 'rebalance',
        afterMs: 10_000,
        to: '10.0.0.2:7400',
      })
      joined.native.goaway('stopping', 250, ['10.0.0.2:7400'])
      await until(() => second.messages.length === 2, 'the second is sent away')
      expect(second.messages.map(({ type }) => type)).toEqual(['welcome', 'goaway'])
      expect(second.messages[1]).toMatchObject({ reason: 'stopping', to: '10.0.0.2:7400' })
    } finally {
      await joined.close()
    }
  })

  it('says goaway, then ends everything with 1001 within its time', async () => {
    const clients = await Promise.all([openStream(node), openStream(node), openStream(node)])
    // One that never reads anything any more, the close frame included.
    clients[2]?.ws.pause()
    const events = await openEvents(node, 'service=orders')
    let ended = false
    events.response.on('end', () => (ended = true))
    node.native.goaway('upgrade', 5_000)
    await until(
      () => clients.slice(0, 2).every((each) => each.messages.some(({ type }) => type === 'goaway')),
      'goaway arrives',
    )
    expect(clients[0]?.messages.at(-1)).toEqual({ type: 'goaway', reason: 'upgrade', afterMs: 5_000 })
    const began = performance.now()
    await Promise.all([node.native.close(), node.native.close()])
    expect(performance.now() - began).toBeLessThan(2_000)
    await until(
      () => clients[0]?.closed !== undefined && clients[1]?.closed !== undefined && ended,
      'all are told',
    )
    expect(clients[0]?.closed).toEqual({ code: 1001, reason: 'stopping' })
    expect(node.native.stats()).toMatchObject({ streams: 0, eventStreams: 0 })
  })
})
