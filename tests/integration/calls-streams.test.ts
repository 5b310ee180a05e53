/** What becomes of a stream that is sent, and of connections, however a call ends: descriptors are counted. */
import { once } from 'node:events'
import { createReadStream, readdirSync, type ReadStream } from 'node:fs'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSocketServer, type AddressInfo, type Server as SocketServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type FetchInit, type Rollcall, type Service } from '@rollcall/client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { soon } from './support/soon.js'
import { freePort, until } from './support/processes.js'

const UPLOADS = 20
const FILE_BYTES = 20_000_000
const clients: Rollcall[] = []
const servers: (Server | SocketServer)[] = []
let folder = ''
let file = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollcall-streams-'))
  file = join(folder, 'large')
  await writeFile(file, '')
  await truncate(file, FILE_BYTES)
})
afterAll(() => rm(folder, { recursive: true }))
afterEach(async () => {
  await Promise.all(clients.splice(0).map((rollcall) => rollcall.close()))
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  }
})

async function listen(server: Server | SocketServer): Promise<number> {
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

async function serviceAt(...ports: number[]): Promise<{ rollcall: Rollcall; service: Service }> {
  const rollcall = await connect({
    snapshotDir: false,
    warmup: false,
    static: { web: ports.map((port) => ({ host: '127.0.0.1', port })) },
  })
  clients.push(rollcall)
  return { rollcall, service: rollcall.service('web', { balancer: 'round-robin' }) }
}

const provider = (listener: RequestListener): Promise<number> => listen(createServer(listener))
const refuses: RequestListener = (_request, response) => {
  response.writeHead(413, { connection: 'close' })
  response.end('too large')
}
const hangs: RequestListener = (request) => request.pause()
/** Open files of this process with the one that is sent behind them; not on Windows. */
const open = (): number => readdirSync('/dev/fd').length

async function post(service: Service, init: FetchInit = {}): Promise<{ body: ReadStream; end: string }> {
  const body = createReadStream(file)
  const end = await soon(
    service
      .fetch('/', { method: 'POST', body, ...init })
      .then(async (response) => `${response.status} ${await response.text()}`)
      // Also where the answer breaks off while it is read.
      .catch((error: unknown) => String((error as { code?: string }).code)),
    20_000,
  )
  return { body, end }
}

describe('a stream that is sent', () => {
  it('is closed with the connection of an instance that answers without reading it', async () => {
    const { service } = await serviceAt(await provider(refuses))
    const before = open()
    for (let n = 0; n < UPLOADS; n += 1) {
      const { body, end } = await post(service)
      // Where the instance was faster than the answer, that is lost: what counts is the file.
      expect(['413 too large', 'unreachable']).toContain(end)
      await until(() => body.destroyed, 'the file is closed')
    }
    await until(() => open() <= before + 2, 'no descriptor is left')
  })

  it('is closed when a complete answer has come, although the connection stays', async () => {
    const { service } = await serviceAt(await provider((_request, response) => response.end('unread')))
    const { body, end } = await post(service)
    expect(end).toBe('200 unread')
    await until(() => body.destroyed, 'the file is closed')
  })

  it('is closed when an answer was begun and the connection was reset', async () => {
    const resets: RequestListener = (request, response) => {
      response.writeHead(401, { 'content-length': '5' })
      response.write('n', () => request.socket.resetAndDestroy())
    }
    const { service } = await serviceAt(await provider(resets))
    const { body, end } = await post(service)
    expect(end).not.toMatch(/^200/)
    await until(() => body.destroyed, 'the file is closed')
  })

  it.each([
    ['the time is over', () => ({ timeoutMs: 100 }), 'timeout'],
    ['the attempt has taken too long', () => ({ tryTimeoutMs: 100 }), 'timeout'],
    ['its caller wants no answer any more', () => ({ signal: AbortSignal.timeout(100) }), 'aborted'],
  ])('is closed when %s', async (_, init, code) => {
    const { service } = await serviceAt(await provider(hangs))
    const { body, end } = await post(service, init())
    expect(end).toBe(code)
    await until(() => body.destroyed, 'the file is closed')
  })

  it('is closed when no instance could be reached, or nothing could be sent', async () => {
    const { service } = await serviceAt(await freePort())
    for (const [init, code] of [
      [{}, 'unreachable'],
      [{ method: 'GE T' }, 'invalid_argument'],
      [{ timeoutMs: -1 }, 'invalid_argument'],
      [{ signal: {} as AbortSignal }, 'invalid_argument'],
    ] as const) {
      const { body, end } = await post(service, init)
      expect(end).toBe(code)
      expect(body.destroyed).toBe(true)
    }
  })

  it('is closed by close(), before and after the answer began', async () => {
    const begins: RequestListener = (request, response) => {
      request.pause()
      response.write('begun')
    }
    for (const listener of [hangs, begins]) {
      const { rollcall, service } = await serviceAt(await provider(listener))
      const body = createReadStream(file)
      const ended = service
        .fetch('/', { method: 'POST', body })
        .then((r) => r.text())
        .catch(() => 'failed')
      await until(() => body.bytesRead > 0, 'it is being sent')
      await rollcall.close()
      expect(await soon(ended)).toBe('failed')
      await until(() => body.destroyed, 'the file is closed')
      const late = createReadStream(file)
      await expect(service.fetch('/', { method: 'POST', body: late })).rejects.toMatchObject({
        code: 'closed',
      })
      expect(late.destroyed).toBe(true)
    }
  })

  it('is sent whole to the instance that takes it', async () => {
    const counts: RequestListener = (request, response) => {
      let bytes = 0
      request.on('data', (data: Buffer) => (bytes += data.length))
      request.once('end', () => response.end(String(bytes)))
    }
    const { service } = await serviceAt(await freePort(), await provider(counts))
    for (let n = 0; n < 4; n += 1) expect((await post(service)).end).toBe(`200 ${FILE_BYTES}`)
  })

  it('fails with a typed error when its instance goes away', async () => {
    const port = await listen(
      createSocketServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
    )
    const { service } = await serviceAt(port)
    expect((await post(service)).end).toBe('unreachable')
  })
})

it('gives statuses that no constructor takes, and leaves no connection', async () => {
  let connections = 0
  const server = createServer((_request, response) => {
    response.statusCode = 600
    response.end(Buffer.alloc(2_000_000))
  })
  server.on('connection', (socket) => {
    connections += 1
    socket.once('close', () => (connections -= 1))
  })
  const { rollcall, service } = await serviceAt(await listen(server))
  for (let n = 0; n < UPLOADS; n += 1) {
    const response = await service.fetch('/')
    expect(response.status).toBe(600)
    await response.body!.cancel()
  }
  expect((await (await service.fetch('/')).arrayBuffer()).byteLength).toBe(2_000_000)
  await rollcall.close()
  await until(() => connections === 0, 'all connections are closed')
})

it('sends paths as fetch does', async () => {
  const { service } = await serviceAt(await provider((request, response) => response.end(request.url)))
  const told = async (path: string): Promise<string> => (await service.fetch(path)).text()
  expect(await told('/käse')).toBe('/k%C3%A4se')
  expect(await told('/a b')).toBe('/a%20b')
  expect(await told('/a#f')).toBe('/a')
})
