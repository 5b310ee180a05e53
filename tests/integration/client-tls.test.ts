/** TLS of the SDK: registries and instances behind an authority of one's own, names, and certificates of clients. */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpsServer } from 'node:https'
import { connect as connectTo, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { connect, type ConnectOptions, type Rollcall } from '@rollcall/client'
import { killCommands, killServerProcesses, startCommand, startServerProcess } from '@rollcall/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { certificates, hasOpenssl } from './support/certificates.js'

type Made = Awaited<ReturnType<typeof certificates<'registry.internal' | 'orders.internal' | 'web'>>>

let made: Made
let stranger: Made
let registryPort: number
const servers: Server[] = []
const clients: Rollcall[] = []

async function listening(server: Server): Promise<number> {
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

/** What stands before a registry and speaks TLS for it. */
async function terminator(options: TlsOptions = {}): Promise<string> {
  const server = createTlsServer({ ...made.of['registry.internal'], ...options }, (socket) => {
    const inner = connectTo(registryPort, '127.0.0.1')
    socket.on('error', () => inner.destroy()).pipe(inner)
    inner.on('error', () => socket.destroy()).pipe(socket)
  })
  server.on('tlsClientError', () => undefined)
  return `https://127.0.0.1:${await listening(server)}`
}

async function client(options: ConnectOptions): Promise<Rollcall> {
  const rollcall = await connect({ snapshotDir: false, warmup: false, ...options })
  clients.push(rollcall)
  return rollcall
}

/** How a registration stands after three seconds at most. */
async function stateOf(options: ConnectOptions): Promise<string> {
  const times = { pendingMs: 1_000 }
  const { state } = await (
    await client({ ...options, times })
  ).register({ service: 's', host: '127.0.0.1', port: 1 })
  return state
}

// What makes certificates is not on every machine.
describe.skipIf(!hasOpenssl())('TLS', () => {
  beforeAll(async () => {
    const names = ['registry.internal', 'orders.internal', 'web'] as const
    made = await certificates(...names)
    stranger = await certificates(...names)
    registryPort = Number(new URL((await startServerProcess()).url).port)
  })

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((each) => each.close()))
    for (const server of servers.splice(0)) server.close()
  })

  afterAll(killServerProcesses)

  it('of a registry needs its authority, and its name where it is called by another', async () => {
    const registries = [await terminator()]
    const servername = 'registry.internal'
    expect(await stateOf({ registries, tls: { ca: made.ca, servername } })).toBe('up')
    expect(await stateOf({ registries, tls: { ca: [stranger.ca, Buffer.from(made.ca)], servername } })).toBe(
      'up',
    )
    expect(await stateOf({ registries, tls: { ca: made.ca } })).toBe('pending')
    expect(await stateOf({ registries, tls: { ca: stranger.ca, servername } })).toBe('pending')
    expect(await stateOf({ registries })).toBe('pending')
    expect(await stateOf({ clusters: { east: { registries, tls: { ca: made.ca, servername } } } })).toBe('up')
  })

  it('shows the own certificate where a registry asks for one', async () => {
    const registries = [await terminator({ requestCert: true, rejectUnauthorized: true, ca: made.ca })]
    const tls = { ca: made.ca, servername: 'registry.internal' }
    expect(await stateOf({ registries, tls: { ...tls, ...made.of.web } })).toBe('up')
    expect(await stateOf({ registries, tls: { ...tls, ...stranger.of.web } })).toBe('pending')
    expect(await stateOf({ registries, tls })).toBe('pending')
  })

  it('of instances holds for fetch: one name for all, called by address', async () => {
    const options = {
      ...made.of['orders.internal'],
      requestCert: true,
      rejectUnauthorized: true,
      ca: made.ca,
    }
    const answering = (): Server =>
      createHttpsServer(options, (request, response) =>
        response.end(`${request.method} ${request.headers.host}`),
      )
    const ports = [await listening(answering()), await listening(answering())]
    const list = ports.map((port) => ({ host: '127.0.0.1', port, protocol: 'https' }))
    const tls = { ca: made.ca, servername: 'orders.internal', ...made.of.web }
    const rollcall = await client({ static: { orders: list } })
    const orders = rollcall.service('orders', { tls })
    const answers = new Set<string>()
    for (let call = 0; call < 4; call += 1) answers.add(await (await orders.fetch('/')).text())
    expect(answers).toEqual(new Set(ports.map((port) => `GET 127.0.0.1:${port}`)))
    for (const wrong of [
      undefined,
      { ca: made.ca },
      { ca: made.ca, servername: 'orders.internal' },
      { ...tls, ca: stranger.ca },
    ]) {
      const service = (await client({ static: { orders: list } })).service('orders', {
        ...(wrong && { tls: wrong }),
      })
      const failure = await service.fetch('/', { timeoutMs: 3_000 }).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'unreachable' })
    }
  })

  it('of the command line takes files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-cli-tls-'))
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text)
      return join(folder, name)
    }
    const registry = await terminator({ requestCert: true, rejectUnauthorized: true, ca: made.ca })
    const ca = ['--ca', await file('ca.crt', made.ca), '--server-name', 'registry.internal']
    const own = [
      '--cert',
      await file('own.crt', made.of.web.cert),
      '--key',
      await file('own.key', made.of.web.key),
    ]
    const ask = async (...args: readonly string[]): Promise<[number | null, string]> => {
      const command = startCommand([...args, '--registry', registry, '--timeout', '5s'])
      return [(await command.exited).code, command.stderr()]
    }
    try {
      const register = ['register', '--service', 'tls', '--host', '127.0.0.1', '--port', '9']
      expect(await ask(...register, ...ca, ...own)).toEqual([0, expect.anything()])
      expect(await ask('instances', 'tls', ...ca, ...own)).toEqual([0, ''])
      expect((await ask('instances', 'tls', ...ca))[0]).toBe(3)
      expect((await ask('instances', 'tls', ...own))[0]).toBe(3)
      const [code, text] = await ask('instances', 'tls', '--ca', join(folder, 'none.crt'))
      expect([code, text]).toEqual([2, expect.stringContaining('none.crt')])
    } finally {
      await rm(folder, { recursive: true, force: true })
      await killCommands()
    }
  })

  it('is checked before it fails', async () => {
    const registries = ['https://127.0.0.1:1']
    const { cert, key } = made.of.web
    const wrong: [unknown, string][] = [
      [{ rejectUnauthorized: false }, 'tls.rejectUnauthorized'],
      [{ cert }, 'tls.key'],
      [{ key }, 'tls.cert'],
      [{ ca: '/etc/ssl/ca.pem' }, 'tls.ca'],
      [{ ca: [3] }, 'tls.ca'],
      [{ servername: '10.0.0.1' }, 'tls.servername'],
      [{ servername: '' }, 'tls.servername'],
      [{ cert, key: stranger.of.web.key }, 'tls'],
      ['ca.pem', 'tls'],
      [null, 'tls'],
    ]
    for (const [tls, field] of wrong) {
      const options = { registries, tls } as ConnectOptions
      await expect(connect(options)).rejects.toMatchObject({ code: 'invalid_argument', field })
    }
    const rollcall = await client({ static: { s: [{ host: '127.0.0.1', port: 1 }] } })
    expect(() => rollcall.service('s', { tls: { ca: 'none' } })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', field: 'tls.ca' }),
    )
  })
})
