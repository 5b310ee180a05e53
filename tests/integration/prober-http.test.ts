/** HTTP probes of real servers, plain and over TLS. */
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { closedPort, listen, setUp, stoppedProcess, TLS } from './prober.fixture.js'

/** A health endpoint, and what it was asked. */
async function serve(
  handle: RequestListener,
): Promise<{ readonly port: number; readonly asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    handle(request, response)
  })
  return { port: await listen(server), asked }
}

async function serveTls(): Promise<{ readonly port: number; readonly names: (string | false | null)[] }> {
  const names: (string | false | null)[] = []
  const server = createTlsServer(TLS, (request, response) => {
    names.push((request.socket as TLSSocket & { servername: string | false | null }).servername)
    response.end(request.headers.host)
  })
  server.on('tlsClientError', () => {})
  return { port: await listen(server), names }
}

describe('HTTP probes of real servers', () => {
  it('ask the path with the headers that were registered and believe the status', async () => {
    const { probe, explain } = setUp()
    const { port, asked } = await serve((request, response) => {
      response.statusCode = request.url === '/health' && request.headers['x-token'] === 'secret' ? 200 : 503
      response.end('{"status":"fine"}')
    })
    const headers = { 'X-Token': 'secret' }
    expect(await probe({ type: 'http', port, path: '/health', headers })).toBe('succeeded')
    expect(await explain({ type: 'http', port, path: '/health' })).toEqual({
      outcome: 'failed',
      cause: 'status 503',
    })
    expect(await probe({ type: 'http', port, status: '200-299,503' })).toBe('succeeded')
    expect(asked.map((request) => [request.method, request.url, request.headers.connection])).toContainEqual([
      'GET',
      '/health',
      'close',
    ])
    expect(asked[0]?.headers.host).toBe(`127.0.0.1:${port}`)
  })

  it('go to the address that was judged, and name the host that was registered', async () => {
    const { probe, sockets } = setUp({ networks: ['127.0.0.0/8'] })
    const { port, asked } = await serve((_request, response) => response.end())
    expect(await probe({ type: 'http', port, host: 'localhost' })).toBe('succeeded')
    expect(asked[0]?.headers.host).toBe(`localhost:${port}`)
    expect(sockets.length).toBeGreaterThan(0)
    expect(await probe({ type: 'http', port, peer: '192.0.2.1', host: '127.0.0.2' })).toBe('refused')
    expect(asked).toHaveLength(1)
  })

  it('follow no redirect', async () => {
    const { explain } = setUp()
    const elsewhere = await serve((_request, response) => response.end())
    const { port } = await serve((_request, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${elsewhere.port}/` }).end()
    })
    expect(await explain({ type: 'http', port })).toEqual({ outcome: 'failed', cause: 'status 302' })
    expect(elsewhere.asked).toEqual([])
  })

  it('tell a process that hangs from one that is gone, which TCP cannot', async () => {
    const { probe, explain } = setUp()
    const hung = await stoppedProcess(100)
    expect(await probe({ type: 'tcp', port: hung })).toBe('succeeded')
    expect(await explain({ type: 'http', port: hung, timeoutMs: 300 })).toEqual({
      outcome: 'failed',
      cause: 'timeout',
    })
    expect(await probe({ type: 'http', port: await closedPort() })).toBe('refused')
  })

  it('cut off a server that answers without end', async () => {
    const { probe } = setUp()
    let cut = false
    const { port } = await serve((_request, response) => {
      const talking = setInterval(() => response.write('x'.repeat(1_000)), 1)
      response.on('close', () => {
        cut = true
        clearInterval(talking)
      })
    })
    expect(await probe({ type: 'http', port })).toBe('succeeded')
    await expect.poll(() => cut).toBe(true)
  })

  it('take one connection each and leave none', async () => {
    const { probe, sockets } = setUp({ concurrencyMax: 16 })
    let opened = 0
    let closed = 0
    const server = createServer((_request, response) => response.end('ok'))
    server.on('connection', (socket) => {
      opened++
      socket.on('close', () => closed++)
    })
    const port = await listen(server)
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => probe({ type: 'http', port })))
    expect(outcomes.filter((outcome) => outcome === 'succeeded')).toHaveLength(200)
    await expect.poll(() => [opened, closed]).toEqual([200, 200])
    expect(sockets.filter((socket) => !socket.destroyed)).toEqual([])
  })

  it('do not pile up where thousands are accepted and never answered', async () => {
    const { probe, sockets } = setUp({ concurrencyMax: 500 })
    const { port } = await serve(() => {})
    let openMax = 0
    const outcomes = await Promise.all(
      Array.from({ length: 2_000 }, async () => {
        const outcome = await probe({ type: 'http', port, timeoutMs: 200 })
        openMax = Math.max(openMax, sockets.filter((socket) => !socket.destroyed).length)
        return outcome
      }),
    )
    expect(new Set(outcomes)).toEqual(new Set(['failed']))
    expect(openMax).toBeLessThanOrEqual(500)
    expect(sockets.filter((socket) => !socket.destroyed)).toEqual([])
  })
})

describe('HTTP probes over TLS', () => {
  it('verify the registered host, by name and by address', async () => {
    const { probe, explain } = setUp({}, TLS.cert)
    const { port, names } = await serveTls()
    expect(await explain({ type: 'http', port, host: 'localhost', tls: true })).toEqual({
      outcome: 'succeeded',
    })
    expect(await probe({ type: 'http', port, tls: true })).toBe('succeeded')
    expect(await probe({ type: 'http', port, tls: { serverName: 'orders.example' } })).toBe('succeeded')
    expect(names).toEqual(['localhost', false, 'orders.example'])
    expect(await explain({ type: 'http', port, tls: { serverName: 'other.example' } })).toEqual({
      outcome: 'failed',
      cause: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    expect(names).toHaveLength(3)
  })

  it('trust no certificate that Node does not trust, unless they are told to', async () => {
    const { probe, explain } = setUp()
    const { port, names } = await serveTls()
    expect(await explain({ type: 'http', port, tls: true })).toEqual({
      outcome: 'failed',
      cause: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    })
    expect(names).toEqual([])
    expect(await probe({ type: 'http', port, tls: { insecure: true } })).toBe('succeeded')
  })

  it('fail where only one side speaks TLS, and are refused as any other', async () => {
    const { probe } = setUp({}, TLS.cert)
    const { port } = await serveTls()
    const plain = await serve((_request, response) => response.end())
    expect(await probe({ type: 'http', port })).toBe('failed')
    expect(await probe({ type: 'http', port: plain.port, tls: true })).toBe('failed')
    expect(await probe({ type: 'http', port: await closedPort(), tls: true })).toBe('refused')
    expect(await probe({ type: 'http', port: await stoppedProcess(100), tls: true, timeoutMs: 300 })).toBe(
      'failed',
    )
  })
})
