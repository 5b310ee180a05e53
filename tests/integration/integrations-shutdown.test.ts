/** The end of servers whose connections do not end by themselves, and servers that listen at a path. */
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer, request as secureRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { NestFactory } from '@nestjs/core'
import fastify from 'fastify'
import { connect, type Rollcall } from '@rollcall/client'
import { serve, type Provider } from '@rollcall/integrations/express'
import { rollcall } from '@rollcall/integrations/fastify'
import { RollcallModule, ROLLCALL_PROVIDER } from '@rollcall/integrations/nest'
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const REQUESTS_MS = 300
/** Who is still waiting after this would wait for ever. */
const PATIENCE_MS = 5_000

let registry: ServerProcess
let client: Rollcall
beforeAll(async () => {
  registry = await startServerProcess()
  client = await connect({ registries: [registry.url], snapshotDir: false })
})
afterAll(async () => {
  await client.close()
  await killServerProcesses()
})

interface Running {
  readonly server: Server
  close(): Promise<unknown>
}

const OPTIONS = { service: 'orders', host: '127.0.0.1', settleMs: 0, requestsMs: REQUESTS_MS }
const unanswered: RequestListener = () => undefined
const tls = (name: string): Buffer => readFileSync(new URL(`fixtures/tls/${name}`, import.meta.url))

/** Servers that take over connections for WebSockets and tunnels, and answer no request. */
const FRAMEWORKS: Readonly<Record<string, () => Promise<Running>>> = {
  express: () => serve(unanswered, { ...OPTIONS, client, listen: { host: '127.0.0.1' } }),
  'a server with TLS': () => {
    const server = createSecureServer({ cert: tls('instance.crt'), key: tls('instance.key') }, unanswered)
    return serve(server, { ...OPTIONS, client, listen: { host: '127.0.0.1' } })
  },
  async fastify() {
    const app = fastify()
    await app.register(rollcall, { ...OPTIONS, client })
    app.get('/', () => new Promise(() => undefined))
    await app.listen({ host: '127.0.0.1', port: 0 })
    await app.rollcall.registered
    return { server: app.server, close: () => app.close() }
  },
  async nest() {
    // oxlint-disable-next-line typescript/no-extraneous-class -- Nest knows modules by their classes
    class Root {}
    const imports = [RollcallModule.forRoot({ client, register: OPTIONS })]
    const app = await NestFactory.create({ module: Root, imports }, { logger: ['error'] })
    app.use(unanswered)
    await app.listen(0, '127.0.0.1')
    await app.get<Provider>(ROLLCALL_PROVIDER).registered
    return { server: app.getHttpServer() as Server, close: () => app.close() }
  },
}

/** A connection that the server took over, or whose request it does not answer; resolves when that is so. */
async function opened(server: Server, what: 'WebSocket' | 'tunnel' | 'request'): Promise<Duplex> {
  const secure = server instanceof createSecureServer().constructor
  const { port } = server.address() as AddressInfo
  const headers = what === 'WebSocket' ? { connection: 'upgrade', upgrade: 'websocket' } : {}
  const method = what === 'tunnel' ? 'CONNECT' : 'GET'
  const path = what === 'tunnel' ? 'example:80' : '/'
  const outgoing = (secure ? secureRequest : request)({
    ...{ host: '127.0.0.1', port, headers, method, path, rejectUnauthorized: false },
  })
  const reached = once(server, what === 'request' ? 'request' : what === 'tunnel' ? 'connect' : 'upgrade')
  outgoing.on('error', () => undefined).end()
  const [socket] = (await once(
    outgoing,
    what === 'request' ? 'socket' : what === 'tunnel' ? 'connect' : 'upgrade',
  ).then(([first, second]: unknown[]) => [second ?? first])) as [Duplex]
  await reached
  socket.on('error', () => undefined).resume()
  return socket
}

function takeOver(server: Server): void {
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => undefined)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
  })
  server.on('connect', (_request, socket) => {
    socket.on('error', () => undefined)
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
  })
}

describe.each(Object.entries(FRAMEWORKS))('the end of %s', (_name, start) => {
  it.each(['WebSocket', 'tunnel', 'request'] as const)(
    'comes after `requestsMs` while a %s is open',
    async (what) => {
      const running = await start()
      const { server } = running
      takeOver(server)
      const socket = await opened(server, what)
      const cut = once(socket, 'close')
      const startedAt = performance.now()
      const closing = running.close().then(() => 'closed')
      const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, 'still waiting').unref())
      const outcome = await Promise.race([closing, patience])
      socket.destroy()
      expect(outcome).toBe('closed')
      expect(performance.now() - startedAt).toBeGreaterThan(REQUESTS_MS - 50)
      await cut
      await closing
    },
  )
})

describe('a server that listens at a path', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-path-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const refusal = {
    code: 'invalid_argument',
    field: 'port',
    message: expect.stringMatching(/listens at .*\.sock.*name the port/s) as string,
  }

  it('is refused by serve without a port, and closed again', async () => {
    const path = join(folder, 'refused.sock')
    const server = createServer()
    await expect(serve(server, { ...OPTIONS, client, listen: { path } })).rejects.toMatchObject(refusal)
    expect([server.listening, existsSync(path)]).toEqual([false, false])
  })

  it('is registered by serve with the port that others reach', async () => {
    const path = join(folder, 'served.sock')
    const served = await serve(unanswered, { ...OPTIONS, client, port: 8443, listen: { path } })
    expect(served.server.address()).toBe(path)
    expect((await served.registered).id).toBe('127.0.0.1:8443')
    await served.close()
  })

  it('is refused by the Fastify plugin without a port, and serves', async () => {
    const app = fastify()
    await app.register(rollcall, { ...OPTIONS, client })
    await app.listen({ path: join(folder, 'fastify.sock') })
    await expect(app.rollcall.registered).rejects.toMatchObject(refusal)
    await app.close()
  })

  it('is registered by the Fastify plugin with the port that others reach', async () => {
    const app = fastify()
    await app.register(rollcall, { ...OPTIONS, client, port: 8444 })
    await app.listen({ path: join(folder, 'fastify-port.sock') })
    expect((await app.rollcall.registered).id).toBe('127.0.0.1:8444')
    await app.close()
  })
})
