/** Channels of grpc-js whose service has nobody left to call: calls fail with UNAVAILABLE, and go through again. */
import { randomUUID } from 'node:crypto'
import { Client, credentials, Server, ServerCredentials, status, type ServiceError } from '@grpc/grpc-js'
import { connect, type Registration, type Rollcall } from '@rollcall/client'
import { installResolver } from '@rollcall/integrations/grpc'
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import type { Explanation } from '@rollcall/wire'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { end, endAll, start, until } from './support/processes.js'

/** Longer than anything here has to take: who waits for ever ends with DEADLINE_EXCEEDED. */
const DEADLINE_MS = 8_000

let registry: ServerProcess
let provider: Rollcall
let consumer: Rollcall
let scheme: string
let service: string
let port: number
let opened: Client[] = []
const server = new Server()

const bytes = (text: string): Buffer => Buffer.from(text)
const text = (buffer: Buffer): string => buffer.toString()

beforeAll(async () => {
  server.addService(
    {
      get: {
        path: '/shop.Orders/Get',
        requestStream: false,
        responseStream: false,
        requestSerialize: bytes,
        requestDeserialize: text,
        responseSerialize: bytes,
        responseDeserialize: text,
      },
    },
    { get: (_call: unknown, done: (error: null, answer: string) => void) => done(null, 'answered') },
  )
  port = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  registry = await startServerProcess()
  provider = await connect({ registries: [registry.url], snapshotDir: false })
  // Who live on: of a node that hears one instance only, the refusal of this one would be a mass refusal.
  await provider.register(
    [1, 2, 3].map((id) => ({ service: 'others', id: String(id), host: '127.0.0.1', port })),
  )
})

beforeEach(async () => {
  service = `orders-${randomUUID()}`
  scheme = `rollcall-${randomUUID()}`
  consumer = await connect({ registries: [registry.url], snapshotDir: false })
  installResolver(consumer, { scheme })
})

afterEach(async () => {
  for (const client of opened) client.close()
  opened = []
  await consumer.close()
})

afterAll(async () => {
  await provider.close()
  server.forceShutdown()
  await endAll()
  await killServerProcesses()
})

function channel(): Client {
  const client = new Client(`${scheme}:///${service}`, credentials.createInsecure())
  opened.push(client)
  return client
}

/** The answer, or the name of the status and what it says. */
function call(client: Client): Promise<string> {
  return new Promise((resolve) => {
    const done = (error: ServiceError | null, answer?: string): void =>
      resolve(error === null ? answer! : `${status[error.code]} ${error.details}`)
    const deadline = Date.now() + DEADLINE_MS
    client.makeUnaryRequest('/shop.Orders/Get', bytes, text, 'order 42', { deadline }, done)
  })
}

/** Waits until the node has connected to an instance once: without that a refusal means nothing. */
async function connectedOnce(id: string): Promise<void> {
  const url = `${registry.url}/api/v1/explain?service=${service}&id=${id}`
  await until(async () => {
    const { evidence } = (await (await fetch(url)).json()) as Explanation
    return evidence?.baseline === true
  }, 'the node has connected to it')
}

const register = (more: { readonly weight?: number } = {}): Promise<Registration> =>
  provider.register({ service, host: '127.0.0.1', port, ...more })

/** An operator sets (`PUT`) or takes back (`DELETE`) what stands for the instance of this service. */
async function override(method: 'PUT' | 'DELETE', more: object = {}): Promise<void> {
  const answer = await fetch(`${registry.url}/api/v1/overrides`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances: [{ service, id: `127.0.0.1:${port}` }], ...more }),
  })
  expect(answer.status).toBe(200)
}

const nobody = (known: string): string =>
  `UNAVAILABLE ${service} has no instance that can be called: ${known}`

const nobodyIsLeft = (): Promise<unknown> =>
  until(() => consumer.service(service).candidates().length === 0, 'nobody can be called')

const somebodyIsBack = (client: Client): Promise<unknown> =>
  until(async () => (await call(client)) === 'answered', 'calls are answered again')

describe('a channel that had an instance', () => {
  it('fails calls at once when it was deregistered, and recovers', async () => {
    const registration = await register()
    const client = channel()
    expect(await call(client)).toBe('answered')
    await registration.deregister()
    await nobodyIsLeft()
    expect(await call(client)).toBe(nobody('none is registered'))
    expect(await call(client)).toBe(nobody('none is registered'))
    const again = await register()
    await somebodyIsBack(client)
    await again.deregister()
  })

  it('fails calls at once when it is down, and recovers', async () => {
    const child = await start('grpc-child.mjs', registry.url, service)
    const client = channel()
    expect(await call(client)).toBe(String(child.process.pid))
    await connectedOnce(child.ready)
    await end(child, 'SIGKILL')
    await until(() => consumer.service(service).instances()[0]?.state === 'down', 'it is down')
    expect(await call(client)).toBe(nobody('1 down'))
    const again = await register()
    await somebodyIsBack(client)
    await again.deregister()
  })

  it('fails calls at once when it is disabled, and recovers', async () => {
    const registration = await register()
    const client = channel()
    expect(await call(client)).toBe('answered')
    await override('PUT', { disable: true })
    await nobodyIsLeft()
    expect(await call(client)).toBe(nobody('1 disabled'))
    await override('DELETE')
    await somebodyIsBack(client)
    await registration.deregister()
  })

  it('calls it as the SDK does while every weight is 0', async () => {
    const registration = await register({ weight: 0 })
    expect(await call(channel())).toBe('answered')
    await registration.deregister()
  })

  it('goes on with it when the client is closed, as the last calls of a shutdown need; a new channel fails at once', async () => {
    const child = await start('grpc-child.mjs', registry.url, service)
    const client = channel()
    const answer = String(child.process.pid)
    expect(await call(client)).toBe(answer)
    await consumer.close()
    expect(await call(client)).toBe(answer)
    expect(await call(channel())).toBe('UNAVAILABLE the client was closed')
    await end(child, 'SIGKILL')
    expect(await call(client)).toMatch(/^UNAVAILABLE /)
  })
})

describe('a channel that had none yet', () => {
  it('fails calls at once when all that is registered cannot be called, and recovers', async () => {
    const registration = await provider.register({ service, host: '127.0.0.1', port, state: 'starting' })
    await until(() => consumer.service(service).instances().length === 1, 'it is known')
    const client = channel()
    expect(await call(client)).toBe(nobody('1 starting'))
    await registration.setState('up')
    await somebodyIsBack(client)
    await registration.deregister()
  })

  it('fails calls of a service that is not known after its wait, then at once, and recovers', async () => {
    const client = channel()
    expect(await call(client)).toMatch(/^UNAVAILABLE /)
    const startedAt = performance.now()
    for (let turn = 0; turn < 10; turn++) expect(await call(client)).toMatch(/^UNAVAILABLE /)
    expect(performance.now() - startedAt).toBeLessThan(4_000)
    const registration = await register()
    await somebodyIsBack(client)
    await registration.deregister()
  })
})
