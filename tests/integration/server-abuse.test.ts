/** Everything that comes in through a port and is not a request; and stopping, idle and under load. */
import { connect, type Socket } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import { STREAM_PATH, STREAM_PROTOCOL, type RegisterResponse, type View } from '@rollcall/wire'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createApi, metric, rawExchange, type Api } from './http-calls.js'
import { openCheckedApi } from './openapi-contract.js'
import { openEvents, openStream } from './subscribers.js'

const HOST = 'Host: 127.0.0.1\r\n'

function open(server: ServerProcess, bytes = ''): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, server.host, () => {
      socket.off('error', reject).on('error', () => {})
      if (bytes !== '') socket.write(bytes)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

describe('abuse', () => {
  let server: ServerProcess
  let api: Api
  let baseline = 0

  beforeAll(async () => {
    server = await startServerProcess()
    api = createApi(server)
    // Warm: the first requests of a process cost memory that stays.
    for (let k = 0; k < 200; k++)
      await api.post('/api/v1/register', { instances: [{ service: 'warm', host: '127.0.0.1', port: 1 }] })
    baseline = await metric(api, 'process_resident_memory_bytes')
  })

  /** Whatever was done, the server answers as before and calls nothing a fault of its own. */
  async function unharmed(): Promise<void> {
    const times: number[] = []
    for (let k = 0; k < 3; k++) {
      const began = performance.now()
      expect((await api.get('/livez')).status).toBe(200)
      times.push(performance.now() - began)
    }
    // The best of three: other processes of the machine may hold up one of them.
    expect(Math.min(...times)).toBeLessThan(1_000)
    expect((await api.get('/api/v1/services/warm')).status).toBe(200)
    const stream = await openStream(server)
    expect(await stream.ask({ type: 'ping' })).toMatchObject({ type: 'pong' })
    await stream.close()
    expect(server.stdout()).not.toMatch(/"level":"(error|fatal)"|mistake of this program/)
    expect(server.stderr()).not.toMatch(/Error|at .*\.js:/)
  }

  afterEach(unharmed)

  afterAll(async () => {
    api.close()
    await killServerProcesses()
  })

  // Begun first, because the server gives headers 10 s; the test that comes last sees them end.
  const slow: Socket[] = []
  let cutOff: Promise<unknown>

  it('slow senders of headers and bodies, and half-open streams, hold up no other client', async () => {
    const body = `POST /api/v1/register HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`
    const starts = [
      'GET /api/v1/services HTTP/1.1\r\nHost: ',
      `GET ${STREAM_PATH} HTTP/1.1\r\n${HOST}Upgrade: websocket\r\n`,
      body,
    ]
    const opened = await Promise.all(
      starts.map((bytes) => Promise.all(Array.from({ length: 50 }, () => open(server, bytes)))),
    )
    slow.push(...opened.flat())
    // Bodies have 60 s, which is too long for a test.
    cutOff = Promise.all(
      slow.slice(0, 100).map((socket) => new Promise((resolve) => socket.resume().once('close', resolve))),
    )
    const times: number[] = []
    for (let k = 0; k < 100; k++) {
      const began = performance.now()
      await api.get('/api/v1/services/warm')
      times.push(performance.now() - began)
    }
    expect(times.toSorted((x, y) => x - y)[90]).toBeLessThan(1_000)
  })

  it.each([
    ['zeros', Buffer.alloc(10_000)],
    ['noise', Buffer.from(Array.from({ length: 10_000 }, (_, k) => (k * 7919) % 256))],
    ['TLS', Buffer.from('16030100f8010000f40303', 'hex')],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['no Host', 'GET /api/v1/services HTTP/1.1\r\n\r\n'],
    ['a version of the future', Buffer.from('GET /\u00ff HTTP/9\r\n\r\n', 'latin1')],
    ['a broken Host and length', 'POST /api/v1/register HTTP/1.1\r\nHost: [\r\nContent-Length: x\r\n\r\n'],
    [
      'two lengths',
      `POST /api/v1/register HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}`,
    ],
    [
      'length and chunks',
      `POST /api/v1/register HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'a bad chunk',
      `POST /api/v1/register HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
    ],
    ['a huge header', `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['a thousand headers', `GET / HTTP/1.1\r\n${HOST}${'X: y\r\n'.repeat(20_000)}\r\n`],
  ])('%s on the port are answered with 4xx and the connection ends', async (_, bytes) => {
    expect(await rawExchange(server, bytes, 5_000)).toMatch(/^HTTP\/1\.1 4\d\d /)
  })

  it('two thousand connections that come and go', async () => {
    for (let round = 0; round < 20; round++) {
      const sockets = await Promise.all(
        Array.from({ length: 100 }, () => open(server, round % 2 ? 'GET /liv' : '')),
      )
      for (const [at, socket] of sockets.entries()) {
        if (at % 2) socket.resetAndDestroy()
        else socket.destroy()
      }
    }
    await expect.poll(() => metric(api, 'rollcall_budget_used{quota="connectionsMax"}')).toBe(slow.length + 1)
  })

  it('a hundred readers of events that never read, and leave without a word', async () => {
    const deaf = await Promise.all(
      Array.from({ length: 100 }, async () =>
        (await open(server, `GET /api/v1/watch?service=warm HTTP/1.1\r\n${HOST}\r\n`)).pause(),
      ),
    )
    await expect.poll(() => metric(api, 'rollcall_sse_subscribers')).toBe(100)
    for (let k = 0; k < 100; k++) {
      await api.post('/api/v1/register', {
        instances: [
          { service: 'warm', host: '127.0.0.1', port: 1, metadata: { k: String(k), x: 'x'.repeat(4_000) } },
        ],
      })
    }
    for (const socket of deaf) socket.destroy()
    await expect.poll(() => metric(api, 'rollcall_sse_subscribers')).toBe(0)
    await expect.poll(() => metric(api, 'rollcall_budget_used{quota="watchesMax"}')).toBe(0)
  })

  it.each([
    [
      '__proto__',
      '{"instances":[{"service":"p","host":"127.0.0.1","port":1,"metadata":{"__proto__":"x"}}]}',
      400,
    ],
    [
      'constructor',
      '{"instances":[{"service":"p","host":"127.0.0.1","port":1,"metadata":{"constructor":"x","toString":"y","hasOwnProperty":"z"}}]}',
      200,
    ],
    [
      '__proto__ as a field',
      '{"__proto__":{"instances":[]},"instances":[{"service":"p","host":"127.0.0.1","port":1,"__proto__":{"weight":1}}]}',
      200,
    ],
    [
      'names of Object.prototype',
      '{"namespace":"__proto__","instances":[{"service":"constructor","group":"toString","id":"__proto__","host":"127.0.0.1","port":1}]}',
      200,
    ],
    ['a deep nest', `{"instances":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, 400],
    [
      'a deep nest in an unknown field',
      `{"x":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)},"instances":[]}`,
      400,
    ],
    ['huge numbers', '{"instances":[{"service":"p","host":"127.0.0.1","port":1e309}]}', 400],
    [
      'more digits than a double holds',
      '{"instances":[{"service":"p","host":"127.0.0.1","port":1,"incarnation":9007199254740993}]}',
      400,
    ],
    [
      '-0',
      '{"instances":[{"service":"p","id":"zero","host":"127.0.0.1","port":1,"weight":-0,"incarnation":-0}]}',
      200,
    ],
    ['one key twice', '{"instances":[],"instances":[{"service":"p","host":"127.0.0.1","port":2}]}', 200],
    [
      'lone surrogates',
      '{"instances":[{"service":"p","id":"s","host":"127.0.0.1","port":1,"metadata":{"a":"\\ud800"}}]}',
      200,
    ],
    [
      'control characters',
      '{"instances":[{"service":"p","id":"c","host":"127.0.0.1","port":1,"metadata":{"a\\u0000\\n\\r":"\\u2028\\u0007"}}]}',
      200,
    ],
  ])('JSON with %s', async (_, raw, status) => {
    expect((await api.call('POST', '/api/v1/register', { raw })).status).toBe(status)
    const list = await api.get('/api/v1/services/p')
    if (list.status === 200)
      for (const { digest } of (list.body as View).instances) expect(digest).toMatch(/^[0-9a-f]{16}$/)
    expect((await api.get('/api/v1/services?namespace=__proto__')).status).toBe(200)
    expect(({} as Record<string, unknown>)['weight']).toBeUndefined()
  })

  it('what a list holds travels through events unbroken', async () => {
    const events = await openEvents(server, 'service=p')
    await expect.poll(() => events.events.length).toBe(1)
    expect(events.events[0]?.data).toMatchObject({ service: 'p' })
    events.close()
  })

  it('ten thousand query parameters and a path of dots', async () => {
    for (const path of [
      `/api/v1/watch?${'service=a&'.repeat(1_000)}`,
      `/api/v1/services?${'x=1&'.repeat(3_000)}`,
      '/api/v1/services/../../../etc/passwd',
      `/${'../'.repeat(4_000)}`,
    ]) {
      expect((await api.get(path)).status).toBeLessThan(500)
    }
    const tooLong = await rawExchange(
      server,
      `GET /api/v1/services?${'service=a&'.repeat(10_000)} HTTP/1.1\r\n${HOST}\r\n`,
    )
    expect(tooLong).toMatch(/^HTTP\/1\.1 431 /)
  })

  describe('of the stream', () => {
    function dial(): Promise<WebSocket> {
      return new Promise((resolve, reject) => {
        const ws = new WebSocket(`ws://${server.host}:${server.port}${STREAM_PATH}`, STREAM_PROTOCOL)
        ws.once('open', () => resolve(ws))
        ws.once('error', reject)
      })
    }

    const closeOf = (ws: WebSocket): Promise<number> =>
      new Promise((resolve) => {
        ws.on('error', () => {})
        ws.once('close', resolve)
      })

    const HELLO = '{"type":"hello"}'
    it.each<readonly [string, readonly (string | Buffer)[], readonly number[]]>([
      ['no hello first', ['{"type":"ping"}'], [4400]],
      ['no JSON', [HELLO, '{"type":'], [4400]],
      ['no object', [HELLO, '[]'], [4400]],
      ['no type', [HELLO, '{}'], [4400]],
      ['a binary frame', [HELLO, Buffer.from('{"type":"ping"}')], [4400]],
      ['a frame over 1 MiB', [HELLO, `{"type":"ping","x":"${'x'.repeat(1_100_000)}"}`], [1009]],
      ['an empty frame', [HELLO, ''], [4400]],
    ])('%s ends it with its code', async (_, frames, codes) => {
      const ws = await dial()
      const closed = closeOf(ws)
      for (const frame of frames) ws.send(frame)
      expect(codes).toContain(await closed)
    })

    it('who upgrades and never says hello is shown out after 5 s', async () => {
      const began = performance.now()
      expect(await closeOf(await dial())).toBe(4400)
      expect(performance.now() - began).toBeLessThan(7_000)
    }, 10_000)

    it.each([
      ['invalid UTF-8 in a text frame', Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe])],
      ['a frame without mask', Buffer.from([0x81, 0x02, 0x7b, 0x7d])],
      ['a reserved opcode', Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
      ['a fragmented ping', Buffer.from([0x09, 0x80, 0, 0, 0, 0])],
      ['a length of 2^63', Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
      ['noise', Buffer.from(Array.from({ length: 5_000 }, (_, k) => (k * 7919) % 251))],
    ])('%s ends the connection', async (_, bytes) => {
      const head = `GET ${STREAM_PATH} HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ${STREAM_PROTOCOL}\r\n\r\n`
      const began = performance.now()
      expect(await rawExchange(server, Buffer.concat([Buffer.from(head), bytes]), 10_000)).toMatch(
        /^HTTP\/1\.1 101 /,
      )
      expect(performance.now() - began).toBeLessThan(4_000)
    })

    it('messages that make no sense are refused one by one and the stream lives on', async () => {
      const stream = await openStream(server)
      const refused = [
        { type: 'watch' }, { type: 'watch', services: [{ service: 'a b' }] }, { type: 'register', instances: 'all' },
        { type: 'signs', services: [{ service: 'a', sign: 'x' }] }, { type: 'dance' }, { type: 'hello' }, { type: 'toString' },
        { type: 'lookup', service: 'absent' }, { type: '__proto__' }, { type: 'services', limit: -1 },
        { type: 'watch', services: Array.from({ length: 10_001 }, () => ({ service: 'a' })) },
      ] // prettier-ignore
      for (const message of refused)
        expect([message.type, await stream.ask(message as never)]).toMatchObject([
          message.type,
          { type: 'error' },
        ])
      expect(stream.closed).toBeUndefined()
      await stream.close()
    })
  })

  it('is cut off in the end, and what it cost is given back', async () => {
    await cutOff
    for (const socket of slow) socket.destroy()
    await expect.poll(() => metric(api, 'rollcall_budget_used{quota="connectionsMax"}')).toBe(1)
    const left = (await metric(api, 'process_resident_memory_bytes')) - baseline
    process.stdout.write(`abuse left ${(left / 2 ** 20).toFixed(0)} MiB behind\n`)
    // Garbage that the heap has not collected yet, but nothing that grows with what was sent.
    expect(left).toBeLessThan(120 * 2 ** 20)
  }, 20_000)
})

describe('stopping', () => {
  const directories: string[] = []

  afterEach(async () => {
    await killServerProcesses()
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: goaway to streams, an end for all who wait, exit 0 within 5 s',
    async (signal) => {
      const server = await startServerProcess()
      const { api } = await openCheckedApi(server)
      const stream = await openStream(server)
      await stream.ask({ type: 'watch', services: [{ service: 's' }] })
      const events = await openEvents(server, 'service=s')
      const poll = api.get('/api/v1/services/s?since=0000000000000000&wait=60s')
      await expect.poll(() => events.events.length).toBe(1)
      await expect.poll(() => metric(api, 'rollcall_budget_used{quota="waitersMax"}')).toBe(1)
      const began = performance.now()
      const stopped = server.stop(signal)
      await expect.poll(() => stream.messages.at(-1)).toMatchObject({ type: 'goaway', reason: 'stopping' })
      expect(await api.get('/readyz')).toMatchObject({
        status: 503,
        body: { ready: false, error: { code: 'not_ready' } },
      })
      // Who has not been told yet is served to the last moment.
      expect((await api.get('/api/v1/services')).status).toBe(200)
      expect(await stopped).toEqual({ code: 0, signal: null })
      expect(performance.now() - began).toBeLessThan(5_000)
      expect(await poll).toMatchObject({ status: 503, body: { error: { code: 'stopping' } } })
      await expect.poll(() => [stream.closed?.code, events.ended]).toEqual([1001, true])
      expect(server.stdout()).toMatch(/"message":"stopped"/)
      api.close()
    },
  )

  it('a reader that does not read cannot hold the stop up', async () => {
    const server = await startServerProcess()
    const stream = await openStream(server)
    stream.ws.pause()
    const half = await open(
      server,
      `POST /api/v1/register HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`,
    )
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    stream.drop()
    half.destroy()
  }, 20_000)

  it('under load loses nothing that was acknowledged', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-stop-'))
    directories.push(dataDir)
    const server = await startServerProcess({ dataDir })
    const acked: string[] = []
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      const api = createApi(server)
      try {
        for (let batch = 0; ; batch++) {
          const id = `w${writer}-${batch}`
          const { status, body } = await api.post('/api/v1/register', {
            instances: [{ service: 'load', id, host: '127.0.0.1', port: 1 }],
          })
          const [result] = status === 200 ? (body as RegisterResponse).results : []
          if (result?.ok && result.durability === 'disk') acked.push(id)
        }
      } catch {
        api.close()
      }
    })
    await expect.poll(() => acked.length).toBeGreaterThan(300)
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    await Promise.all(writers)
    const again = await startServerProcess({ dataDir })
    const api = createApi(again)
    const view = (await api.get('/api/v1/services/load')).body as View
    const present = new Set(view.instances.map(({ id }) => id))
    expect(acked.filter((id) => !present.has(id))).toEqual([])
    api.close()
  })
})
