/** The listener over real sockets: bounds, closing, several addresses. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { NO_LOGGER, NO_METER, NO_REFUSALS, type Logger, type Meter } from '@rollcall/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createSystemClock } from '../../packages/server/src/clock.js'
import { createConnections } from '../../packages/server/src/listener/connections.js'
import { createHttpListener } from '../../packages/server/src/listener/http-listener.js'
import type {
  HttpListener,
  HttpListenerDeps,
  HttpListenerOptions,
} from '../../packages/server/src/listener/http-listener.js'
import { createListeners } from '../../packages/server/src/listener/listeners.js'
import type { Mount } from '../../packages/server/src/listener/mounts.js'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

interface SetUp extends Omit<Mount, 'path'>, HttpListenerOptions {
  readonly logger: Logger
  readonly meter: Meter
  readonly connectionsMax: number
}

function depsOf({
  logger = NO_LOGGER,
  meter = NO_METER,
  connectionsMax = 100,
}: Partial<SetUp>): HttpListenerDeps {
  const deps = { clock: createSystemClock(), logger, meter, refusals: NO_REFUSALS }
  return { ...deps, connections: createConnections(deps, connectionsMax) }
}

async function setUp(
  some: Partial<SetUp> = {},
): Promise<{ listener: HttpListener; host: string; port: number }> {
  const {
    handleRequest = (_request, response) => void response.end('hello'),
    handleUpgrade = (_request, socket) => void socket.destroy(),
  } = some
  const mounts = [{ path: '/', handleRequest, handleUpgrade }]
  const listener = createHttpListener(depsOf(some), { host: '127.0.0.1', port: 0, mounts, ...some })
  cleanUp.push(() => listener.close(0))
  return { listener, ...(await listener.start()) }
}

interface Client {
  readonly socket: Socket
  /** Everything received so far. */
  text(): string
  closed: boolean
}

async function open(port: number, localAddress = '127.0.0.1'): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  const chunks: Buffer[] = []
  const client: Client = { socket, text: () => Buffer.concat(chunks).toString(), closed: false }
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  socket.on('close', () => (client.closed = true))
  cleanUp.push(() => socket.destroy())
  await once(socket, 'connect')
  return client
}

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'

describe('the listener', () => {
  it('says where it listens and answers there', async () => {
    const { host, port } = await setUp()
    expect(host).toBe('127.0.0.1')
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello')
  })

  it('names the address that is taken', async () => {
    const { port } = await setUp()
    await expect(setUp({ port })).rejects.toMatchObject({
      code: 'invalid_argument',
      field: 'listen',
      message: `cannot listen on 127.0.0.1:${port}: another process listens there`,
      details: { address: `127.0.0.1:${port}`, reason: 'EADDRINUSE' },
    })
    await expect(setUp({ host: '203.0.113.9' })).rejects.toMatchObject({
      details: { reason: 'EADDRNOTAVAIL' },
    })
  })

  it.each([
    ['garbage', '\x16\x03\x01\x02\x00garbage\r\n\r\n', '400 Bad Request', 'malformed'],
    ['a bad request line', 'GET\r\n\r\n', '400 Bad Request', 'malformed'],
    [
      'endless headers',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
      'malformed',
    ],
  ])('answers %s and goes on', async (_name, bytes, status, code) => {
    const { port } = await setUp()
    const client = await open(port)
    client.socket.write(bytes)
    await expect.poll(() => client.closed).toBe(true)
    expect(client.text()).toContain(`HTTP/1.1 ${status}\r\n`)
    expect(client.text()).toContain(`{"error":{"code":"${code}"`)
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
  })

  it('does not write an error into the middle of an answer', async () => {
    const { port } = await setUp({
      handleRequest(_request, response) {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' })
        response.write('event: view\n\n')
      },
    })
    const client = await open(port)
    client.socket.write(GET)
    await expect.poll(() => client.text()).toContain('event: view')
    client.socket.write('garbage\r\n\r\n')
    await expect.poll(() => client.closed).toBe(true)
    expect(client.text()).not.toContain('400 Bad Request')
  })

  it('survives clients that reset', async () => {
    const error = vi.fn()
    const { port } = await setUp({ logger: { ...NO_LOGGER, error } })
    for (let n = 0; n < 20; n++) {
      const client = await open(port)
      client.socket.write('GET / HT')
      client.socket.resetAndDestroy()
    }
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
    expect(error).not.toHaveBeenCalled()
  })

  it('answers 500 for a handler that throws, logs it, and lives on', async () => {
    const error = vi.fn()
    const { port } = await setUp({
      logger: { ...NO_LOGGER, error },
      handleRequest() {
        throw new Error('a mistake')
      },
    })
    const response = await fetch(`http://127.0.0.1:${port}/`)
    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({ error: { code: 'internal' } })
    expect(error).toHaveBeenCalledTimes(1)
  })

  it('holds no more connections than it may, counts the others and logs once', async () => {
    const warn = vi.fn()
    const count = vi.fn()
    const set = vi.fn()
    const { port } = await setUp({
      logger: { ...NO_LOGGER, warn },
      meter: { ...NO_METER, count, set },
      connectionsMax: 3,
    })
    const clients = [await open(port), await open(port)]
    const other = await open(port, '127.0.0.2')
    await expect.poll(() => set.mock.lastCall).toEqual(['rollcall_budget_used', 3, 'connectionsMax'])
    const late = [await open(port), await open(port)]
    await expect.poll(() => late.map((client) => client.closed)).toEqual([true, true])
    expect(count.mock.calls).toEqual([
      ['rollcall_limit_refusals_total', 1, 'connectionsMax'],
      ['rollcall_connections_dropped_total'],
      ['rollcall_limit_refusals_total', 1, 'connectionsMax'],
      ['rollcall_connections_dropped_total'],
    ])
    expect(warn.mock.calls).toEqual([[{ connections: 1, connectionsMax: 3 }, 'connections dropped']])
    other.socket.destroy()
    clients[0]?.socket.write(GET)
    await expect.poll(() => clients[0]?.text()).toContain('hello')
    clients[1]?.socket.destroy()
    await expect.poll(() => set.mock.lastCall).toEqual(['rollcall_budget_used', 1, 'connectionsMax'])
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
  })

  it('leaves connections to other peers', async () => {
    const { port } = await setUp({ connectionsMax: 8 })
    const clients: Client[] = []
    for (let n = 0; n < 8; n++) clients.push(await open(port, '127.0.0.2'))
    await expect.poll(() => clients.filter((client) => client.closed)).toHaveLength(2)
    const other = await open(port)
    other.socket.write(GET)
    await expect.poll(() => other.text()).toContain('hello')
  })

  it('hands upgrades over and drops those whose handler throws', async () => {
    let upgrades = 0
    const { port } = await setUp({
      handleUpgrade(_request, socket) {
        if (upgrades++ > 0) throw new Error('a mistake')
        socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      },
    })
    const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    for (const expected of ['101 Switching Protocols', '']) {
      const client = await open(port)
      client.socket.write(upgrade)
      await expect.poll(() => client.closed).toBe(true)
      expect(client.text()).toContain(expected)
    }
    expect(upgrades).toBe(2)
  })

  it('cuts off who takes too long to ask, not who waits long for an answer', async () => {
    const answers: (() => void)[] = []
    const listener = await setUp({
      handleRequest: (_request, response) => void answers.push(() => response.end('late')),
      headersMs: 200,
      requestMs: 300,
    })
    const patient = await open(listener.port)
    patient.socket.write(GET)
    const slow = await open(listener.port)
    slow.socket.write('GET / HTTP/1.1\r\nHost:')
    await expect.poll(() => slow.closed, { interval: 100 }).toBe(true)
    expect(slow.text()).toContain('408 Request Timeout')
    expect(patient.closed).toBe(false)
    for (const answer of answers) answer()
    await expect.poll(() => patient.text()).toContain('late')
  })
})

describe('closing the listener', () => {
  it('lets requests finish, closes idle connections at once, and accepts no more', async () => {
    const answers: (() => void)[] = []
    const { listener, port } = await setUp({
      handleRequest(request, response) {
        if (request.url === '/slow') answers.push(() => response.end('finished'))
        else response.end('hello')
      },
    })
    const idle = await open(port)
    idle.socket.write(GET)
    await expect.poll(() => idle.text()).toContain('hello')
    const silent = await open(port)
    const busy = await open(port)
    busy.socket.write(GET.replace('/', '/slow'))
    await expect.poll(() => answers.length).toBe(1)

    const closing = listener.close(20_000)
    await expect.poll(() => [idle.closed, silent.closed]).toEqual([true, true])
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
    expect(busy.closed).toBe(false)
    for (const answer of answers) answer()
    await closing
    await expect.poll(() => busy.closed).toBe(true)
    expect(busy.text()).toContain('finished')
  })

  it('destroys what is left after the deadline, upgraded connections included', async () => {
    let upgraded = false
    const { listener, port } = await setUp({
      handleRequest: () => {},
      handleUpgrade: () => void (upgraded = true),
    })
    const stuck = await open(port)
    stuck.socket.write(GET)
    const stream = await open(port)
    stream.socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    await expect.poll(() => upgraded).toBe(true)
    await listener.close(50)
    await expect.poll(() => [stuck.closed, stream.closed]).toEqual([true, true])
  })

  it('may come twice, before the start, or during it', async () => {
    const { listener } = await setUp()
    await Promise.all([listener.close(), listener.close()])
    const options = { host: '127.0.0.1', port: 0, mounts: [{ path: '/', handleRequest: () => {} }] }
    const unused = createHttpListener(depsOf({}), options)
    await unused.close()
    await expect(unused.start()).rejects.toMatchObject({ code: 'closed' })
    const hasty = createHttpListener(depsOf({}), options)
    const started = hasty.start()
    await hasty.close()
    const { port } = await started
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
  })
})

describe('several listeners', () => {
  const at = (port: number, text: string): HttpListenerOptions => ({
    host: '127.0.0.1',
    port,
    mounts: [{ path: '/', handleRequest: (_request, response) => void response.end(text) }],
  })

  it('answer each with its own mounts, and count their connections together', async () => {
    const set = vi.fn()
    const listeners = createListeners(depsOf({ meter: { ...NO_METER, set } }), [at(0, 'one'), at(0, 'two')])
    cleanUp.push(() => listeners.close(0))
    const bound = await listeners.start()
    for (const { port } of bound) await open(port)
    await expect.poll(() => set.mock.lastCall).toEqual(['rollcall_budget_used', 2, 'connectionsMax'])
    const texts = bound.map(async ({ port }) => (await fetch(`http://127.0.0.1:${port}/`)).text())
    expect(await Promise.all(texts)).toEqual(['one', 'two'])
    await listeners.close(0)
    await expect.poll(() => set.mock.lastCall).toEqual(['rollcall_budget_used', 0, 'connectionsMax'])
  })

  it('leave nothing open when one address is taken', async () => {
    const { port } = await setUp()
    const free = await setUp()
    await free.listener.close(0)
    const listeners = createListeners(depsOf({}), [at(free.port, 'one'), at(port, 'two')])
    await expect(listeners.start()).rejects.toMatchObject({ field: 'listen' })
    await expect(fetch(`http://127.0.0.1:${free.port}/`)).rejects.toThrow()
  })
})
