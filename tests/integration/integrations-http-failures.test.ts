/** What undici and axios make of an instance that cannot be talked to, and of a request that broke: the same as `fetch`. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { createServer as createSocketServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import axios from 'axios'
import { fetch as undiciFetch, request, type Dispatcher } from 'undici'
import { connect, isRegistryError, type Rollcall } from '@rollcall/client'
import { createAdapter } from '@rollcall/integrations/axios'
import { createDispatcher } from '@rollcall/integrations/undici'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from './support/processes.js'

const CALLS = 20
const servers: Server[] = []
const sockets = new Set<Socket>()
const clients: Rollcall[] = []

interface Place {
  readonly port: number
  readonly protocol: string
}

async function listen(server: Server, protocol: string): Promise<Place> {
  servers.push(server)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket)).on('error', () => undefined)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { port: (server.address() as AddressInfo).port, protocol }
}

const good = (): Promise<Place> =>
  listen(
    createHttpServer((incoming, response) => incoming.resume().once('end', () => response.end('good'))),
    'http',
  )

/** Another program, which listens where an instance did. */
const stranger = (protocol: string): Promise<Place> =>
  listen(
    createSocketServer((socket) => void socket.once('data', () => socket.end('SSH-2.0-x\r\n'))),
    protocol,
  )

/** Ends connections at the first byte: with TLS in the middle of the handshake. */
const hangingUp = (protocol: string): Promise<Place> =>
  listen(
    createSocketServer((socket) => void socket.once('data', () => socket.destroy())),
    protocol,
  )

const file = (name: string): Buffer => readFileSync(new URL(`fixtures/tls/${name}`, import.meta.url))

/** A certificate that no authority known here has signed. */
const unknownCertificate = (): Promise<Place> =>
  listen(
    createSecureServer({ cert: file('instance.crt'), key: file('instance.key') }, (_request, response) =>
      response.end('never'),
    ),
    'https',
  )

/** A client that knows `web` by a static list, and the first of it is called first. */
async function client(...places: Place[]): Promise<Rollcall> {
  const list = places.map((place) => ({ host: '127.0.0.1', ...place }))
  const rollcall = await connect({ snapshotDir: false, static: { web: list }, warmup: false })
  clients.push(rollcall)
  return rollcall
}

interface Sent {
  readonly method: 'GET' | 'POST'
  readonly body?: string | Readable
}

type Send = (sent: Sent) => Promise<string>

const URL_OF_WEB = 'http://web.rollcall/'

/** Each library; rejects with its own error. */
const LIBRARIES: Readonly<Record<string, (rollcall: Rollcall) => Send>> = {
  "the SDK's fetch": (rollcall) => async (sent) =>
    (await rollcall.service('web').fetch('/', sent as Parameters<Service['fetch']>[1])).text(),
  undici(rollcall) {
    const dispatcher = createDispatcher(rollcall)
    return async (sent) => (await request(URL_OF_WEB, { dispatcher, ...sent })).body.text()
  },
  'fetch of Node': (rollcall) => {
    const dispatcher: Dispatcher = createDispatcher(rollcall)
    return async ({ body, ...sent }) => {
      const stream = body instanceof Readable ? { body: Readable.toWeb(body), duplex: 'half' } : { body }
      return (await fetch(URL_OF_WEB, { dispatcher, ...sent, ...stream } as unknown as RequestInit)).text()
    }
  },
  axios: (rollcall) => {
    const api = axios.create({ adapter: createAdapter(rollcall), responseType: 'text' })
    return async ({ method, body }) =>
      (await api.request<string>({ url: URL_OF_WEB, method, data: body })).data
  },
}

type Service = ReturnType<Rollcall['service']>

/** The code and the phase of the RegistryError in the error of a call, wherever the library puts it. */
async function failure(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    (answer) => Promise.reject(new Error(`answered ${String(answer)}`)),
    (reason: unknown) => reason,
  )
  const found = [error, (error as Error).cause].find(isRegistryError)
  return found === undefined
    ? `foreign: ${String(error)}`
    : `${found.code} ${String(found.details?.['phase'])}`
}

const candidates = (rollcall: Rollcall): number => rollcall.service('web').candidates().length

afterEach(async () => {
  await Promise.all(clients.splice(0).map((rollcall) => rollcall.close()))
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

describe.each(Object.entries(LIBRARIES))('%s', (_name, library) => {
  it.each([
    ['has an unknown certificate', unknownCertificate],
    ['breaks the handshake off', () => hangingUp('https')],
    ['knows no TLS', () => stranger('https')],
  ])('goes elsewhere, whatever the method, and leaves out the instance that %s', async (_what, bad) => {
    const rollcall = await client(await bad(), await good())
    const send = library(rollcall)
    for (let n = 0; n < CALLS; n += 1) expect(await send({ method: 'POST', body: 'x' })).toBe('good')
    expect(candidates(rollcall)).toBe(1)
  })

  it('goes elsewhere with a GET, and leaves out the instance whose port another program has', async () => {
    const rollcall = await client(await stranger('http'), await good())
    const send = library(rollcall)
    for (let n = 0; n < CALLS; n += 1) expect(await send({ method: 'GET' })).toBe('good')
    expect(candidates(rollcall)).toBe(1)
  })

  it.each([
    ['another program has the port', stranger],
    ['the connection breaks', hangingUp],
  ])('gives a RegistryError for a POST, with a text and with a stream, when %s', async (_what, bad) => {
    const rollcall = await client(await bad('http'))
    const send = library(rollcall)
    expect(await failure(send({ method: 'POST', body: 'x' }))).toBe('unreachable sent')
    expect(await failure(send({ method: 'POST', body: Readable.from(['a ', 'stream']) }))).toBe(
      'unreachable sent',
    )
  })

  it('gives a RegistryError for a POST with a stream that no instance took', async () => {
    const send = library(await client({ port: await freePort(), protocol: 'http' }))
    const body = Readable.from(['a ', 'stream'])
    expect(await failure(send({ method: 'POST', body }))).toMatch(/^unreachable /)
  })

  it('holds a stream that fails by itself against no instance', async () => {
    const rollcall = await client(await good(), await good())
    const send = library(rollcall)
    for (let n = 0; n < 4; n += 1) {
      const body = Readable.from(
        (async function* () {
          yield 'a '
          await Promise.reject(new Error('the disk is gone'))
        })(),
      )
      // The SDK has one kind of error; the libraries hand on that of the stream.
      expect(await failure(send({ method: 'POST', body }))).toMatch(/^(foreign: |invalid_argument )/)
    }
    expect(candidates(rollcall)).toBe(2)
  })
})

it('call with fetch, which undici makes its own, judges the port of another program alike', async () => {
  const rollcall = await client(await stranger('http'), await good())
  const service = rollcall.service('web')
  for (let n = 0; n < CALLS; n += 1) {
    const answer = await service.call(
      async ({ port }) => (await undiciFetch(`http://127.0.0.1:${port}/`)).text(),
      { idempotent: true },
    )
    expect(answer).toBe('good')
  }
  expect(candidates(rollcall)).toBe(1)
})

it('a dispatcher that was closed is a mistake of its caller', async () => {
  const rollcall = await client(await good())
  const dispatcher = createDispatcher(rollcall)
  await dispatcher.close()
  expect(await failure(request(URL_OF_WEB, { dispatcher }))).toMatch(/^foreign: /)
  expect(candidates(rollcall)).toBe(1)
  expect(
    await rollcall
      .service('web')
      .fetch('/')
      .then((response) => response.text()),
  ).toBe('good')
})
