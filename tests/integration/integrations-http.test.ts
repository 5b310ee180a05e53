/** Requests through undici and axios to services: what is repeated, what is not, what is left alone. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import axios, { isAxiosError } from 'axios'
import { request, type Dispatcher } from 'undici'
import { connect, type Rollcall } from '@rollcall/client'
import { createAdapter } from '@rollcall/integrations/axios'
import { createDispatcher } from '@rollcall/integrations/undici'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from './support/processes.js'

const servers: Server[] = []
const clients: Rollcall[] = []

async function serving(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

/** Answers with method, path, query and body; counts. */
async function echo(): Promise<{ readonly port: number; calls: number }> {
  const state = { port: 0, calls: 0 }
  state.port = await serving((incoming, response) => {
    state.calls += 1
    void bodyOf(incoming).then((body) => response.end(`${incoming.method} ${incoming.url} ${body}`))
  })
  return state
}

/** Takes the request and cuts the connection; counts. */
async function cutting(): Promise<{ readonly port: number; calls: number }> {
  const state = { port: 0, calls: 0 }
  state.port = await serving((incoming) => {
    state.calls += 1
    incoming.resume().once('end', () => incoming.socket.destroy())
  })
  return state
}

async function bodyOf(stream: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of stream) body += String(chunk)
  return body
}

/** A client that knows `web` by a static list, in this order. */
async function client(...ports: number[]): Promise<Rollcall> {
  const list = ports.map((port) => ({ host: '127.0.0.1', port }))
  const rollcall = await connect({ snapshotDir: false, static: { web: list }, warmup: false })
  clients.push(rollcall)
  await rollcall.service('web', { balancer: () => inOrder() }).ready()
  return rollcall
}

/** The first of the list always comes first. */
function inOrder(): ReturnType<import('@rollcall/client').BalancerFactory> {
  let list: Parameters<ReturnType<typeof inOrder>['update']>[0] = []
  return { update: (candidates) => (list = candidates), pick: () => list[0] }
}

interface Sent {
  readonly method?: 'GET' | 'POST' | 'PUT'
  readonly body?: string | Readable
  readonly signal?: AbortSignal
}

type Send = (url: string, sent?: Sent) => Promise<string>

/** Each library; rejects with its own error. */
const LIBRARIES: Readonly<Record<string, (rollcall: Rollcall) => Send>> = {
  undici(rollcall) {
    const dispatcher = createDispatcher(rollcall)
    return async (url, { method = 'GET', ...sent } = {}) => {
      const { body } = await request(url, { dispatcher, method, ...sent })
      return body.text()
    }
  },
  'fetch of Node': (rollcall) => {
    const dispatcher: Dispatcher = createDispatcher(rollcall)
    return async (url, { body, ...sent } = {}) => {
      const stream = body instanceof Readable ? { body: Readable.toWeb(body), duplex: 'half' } : { body }
      const init = { dispatcher, ...sent, ...stream } as unknown as RequestInit
      return (await fetch(url, init)).text()
    }
  },
  axios: (rollcall) => {
    const api = axios.create({ adapter: createAdapter(rollcall), responseType: 'text' })
    return async (url, { method = 'GET', body, signal } = {}) =>
      (await api.request<string>({ url, method, data: body, ...(signal && { signal }) })).data
  },
}

/** The code of the RegistryError in an error, wherever the library puts it. */
function codeOf(error: unknown): unknown {
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: { readonly code?: unknown } }
  return cause?.code !== undefined && typeof code !== 'string' ? cause.code : code
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((rollcall) => rollcall.close()))
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

describe.each(Object.entries(LIBRARIES))('%s', (_name, library) => {
  it('goes to an instance, with path, query and body', async () => {
    const { port } = await echo()
    const send = library(await client(port))
    expect(await send('http://web.rollcall/orders/42?full=1')).toBe('GET /orders/42?full=1 ')
    expect(await send('http://web.rollcall/orders', { method: 'POST', body: 'two' })).toBe('POST /orders two')
    const stream = Readable.from(['a ', 'stream'])
    expect(await send('http://web.rollcall/', { method: 'PUT', body: stream })).toBe('PUT / a stream')
  })

  it('goes elsewhere when a connection is refused, whatever the method', async () => {
    const { port } = await echo()
    const send = library(await client(await freePort(), port))
    expect(await send('http://web.rollcall/', { method: 'POST', body: 'two' })).toBe('POST / two')
  })

  it('repeats what may have been executed only if that does no harm', async () => {
    const [bad, good] = [await cutting(), await echo()]
    const send = library(await client(bad.port, good.port))
    expect(await send('http://web.rollcall/')).toBe('GET / ')
    expect([bad.calls, good.calls]).toEqual([1, 1])
    const other = await cutting()
    const sendOnce = library(await client(other.port, good.port))
    const error: unknown = await sendOnce('http://web.rollcall/', { method: 'POST', body: 'x' }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(Error)
    expect([other.calls, good.calls]).toEqual([1, 1])
  })

  it('leaves other hosts alone', async () => {
    const { port } = await echo()
    const send = library(await client(await freePort()))
    expect(await send(`http://127.0.0.1:${port}/?a=b`)).toBe('GET /?a=b ')
  })

  it('ends when its caller wants no more, and holds that against no instance', async () => {
    const port = await serving(() => {})
    const rollcall = await client(port)
    const controller = new AbortController()
    const call = library(rollcall)('http://web.rollcall/', { signal: controller.signal })
    setTimeout(() => controller.abort(), 50)
    const error: unknown = await call.catch((reason: unknown) => reason)
    expect(isAxiosError(error) ? error.code : (error as Error).name).toMatch(/AbortError|ERR_CANCELED/)
    expect(rollcall.service('web').candidates()).toHaveLength(1)
  })

  it('fails with the error of the SDK when there is no instance', async () => {
    const send = library(await client(await freePort()))
    const error: unknown = await send('http://web.rollcall/').catch((reason: unknown) => reason)
    expect(['unreachable', 'ERR_NETWORK']).toContain(codeOf(error))
  })

  it('hands large answers over as they are read', async () => {
    const chunk = 'x'.repeat(65_536)
    const port = await serving((_incoming, response) => {
      Readable.from(Array.from({ length: 64 }, () => chunk)).pipe(response)
    })
    expect(await library(await client(port))('http://web.rollcall/')).toHaveLength(64 * chunk.length)
  })
})
