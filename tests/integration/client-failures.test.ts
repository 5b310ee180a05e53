/** What the SDK does when calls fail and lists vanish, with real sockets and a real node. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createSocketServer, type AddressInfo, type Server as SocketServer } from 'node:net'
import { WebSocket } from 'ws'
import { connect, type ConnectOptions, type Rollcall, type Service } from '@rollcall/client'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { end, endAll, freePort, start, until } from './support/processes.js'

const clients: Rollcall[] = []
const servers: (Server | SocketServer)[] = []

async function client(options: ConnectOptions): Promise<Rollcall> {
  const rollcall = await connect({ snapshotDir: false, ...options })
  clients.push(rollcall)
  return rollcall
}

/** A provider that answers with its port. */
async function provider(port = 0): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const server = createServer((_request, response) => response.end(String(own)))
  servers.push(server)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const own = (server.address() as AddressInfo).port
  return {
    port: own,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A provider that cuts off every connection, and counts them. */
async function hangsUp(): Promise<{ readonly port: number; connections: number }> {
  const state = { port: 0, connections: 0 }
  const server = createSocketServer((socket) => {
    state.connections += 1
    socket.destroy()
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  state.port = (server.address() as AddressInfo).port
  return state
}

async function fixed(...ports: number[]): Promise<Service> {
  const list = ports.map((port) => ({ host: '127.0.0.1', port }))
  const service = (await client({ registries: [], static: { web: list } })).service('web')
  await service.ready()
  return service
}

/** Registers as a script would: over HTTP, with a lease and no session. */
async function registerByHand(url: string, service: string, port: number): Promise<void> {
  const response = await fetch(`${url}/api/v1/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances: [{ service, host: '127.0.0.1', port }] }),
  })
  expect(response.status).toBe(200)
}

/** Lets a node make its baseline probe, without which a refusal means nothing. */
const baseline = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 500))

const answer = async (service: Service): Promise<number> => Number(await (await service.fetch('/')).text())

afterEach(async () => {
  await Promise.all(clients.splice(0).map((rollcall) => rollcall.close()))
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  }
})

afterAll(endAll)

describe('an instance that fails', () => {
  it('is left out, tried again by one call, and back for all when that succeeds', async () => {
    const [dead, well] = [await provider(), await provider()]
    const service = await fixed(dead.port, well.port)
    await dead.stop()
    for (let call = 0; call < 20; call += 1) expect(await answer(service)).toBe(well.port)
    expect(service.pick().port).toBe(well.port)
    const again = await provider(dead.port)
    let calls = 0
    const startedAt = performance.now()
    while ((await answer(service)) !== again.port) {
      calls += 1
      expect(performance.now() - startedAt).toBeLessThan(10_000)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(calls).toBeGreaterThan(0)
    const ports = new Set<number>()
    for (let call = 0; call < 10; call += 1) ports.add(await answer(service))
    expect(ports).toEqual(new Set([dead.port, well.port]))
  })

  it('is asked by the registry at the first failed call, long before its lease ends', async () => {
    const registry = await start('registry-child.mjs', `127.0.0.1:${await freePort()}`)
    const [dead, well] = [await provider(), await provider()]
    await registerByHand(registry.ready, 'hinted', dead.port)
    await registerByHand(registry.ready, 'hinted', well.port)
    const service = (await client({ registries: [registry.ready] })).service('hinted')
    await until(() => service.instances().length === 2, 'both are listed')
    await baseline()
    await dead.stop()
    const state = (): string | undefined => service.instances().find((item) => item.port === dead.port)?.state
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(state()).toBe('up')
    expect(await answer(service)).toBe(well.port)
    expect(await answer(service)).toBe(well.port)
    const tookMs = await until(() => state() === 'down', 'the registry found out')
    expect(tookMs).toBeLessThan(1_000)
    await end(registry, 'SIGTERM')
  })
})

describe('a service that fails as a whole', () => {
  it('is not hammered: calls end quickly, with typed errors', async () => {
    const all = [await hangsUp(), await hangsUp(), await hangsUp()]
    const service = await fixed(...all.map((item) => item.port))
    const codes = new Set<unknown>()
    let limited = 0
    const startedAt = performance.now()
    for (let call = 0; call < 1_000; call += 1) {
      const error = await service.fetch('/').then(
        () => undefined,
        (reason: { code: string; details?: { limited?: boolean } }) => reason,
      )
      codes.add(error?.code)
      if (error?.details?.limited === true) limited += 1
    }
    const seconds = (performance.now() - startedAt) / 1_000
    expect(codes).toEqual(new Set(['unreachable']))
    const connections = all.reduce((sum, item) => sum + item.connections, 0)
    expect(connections).toBeLessThan(150 + 40 * seconds)
    expect(limited).toBeGreaterThan(800)
  })
})

describe('close()', () => {
  it('waits for the acknowledgement of every subscriber, and no longer', async () => {
    const registry = await start('registry-child.mjs', `127.0.0.1:${await freePort()}`)
    const { port } = await provider()
    const leaver = await client({ registries: [registry.ready] })
    await leaver.register({ service: 'leaving', port })
    const consumers = await Promise.all([1, 2, 3].map(() => client({ registries: [registry.ready] })))
    const services = consumers.map((consumer) => consumer.service('leaving'))
    await Promise.all(services.map((service) => service.ready()))
    const seen = services.map(async (service) => {
      for await (const { instances } of service.changes())
        if (instances.some(({ state }) => state === 'draining')) return
    })
    // A reader of events says nothing: what was sent counts.
    const reader = new AbortController()
    const events = await fetch(`${registry.ready}/api/v1/watch?service=leaving`, { signal: reader.signal })
    expect(events.status).toBe(200)
    // Whatever else happens to the service is nothing to wait for.
    const restless = await (
      await client({ registries: [registry.ready] })
    ).register({ service: 'leaving', port: 1 })
    let weight = 1
    const changing = setInterval(() => void restless.update({ weight: ++weight }), 10)
    const startedAt = performance.now()
    await leaver.close()
    const tookMs = performance.now() - startedAt
    clearInterval(changing)
    expect(tookMs).toBeGreaterThan(100)
    await Promise.all(seen)
    reader.abort()
    // A subscriber that never acknowledges: the full second.
    const deaf = new WebSocket(`${registry.ready.replace('http', 'ws')}/api/v1/stream`, 'rollcall.v1')
    await new Promise((resolve) => deaf.addEventListener('open', resolve))
    deaf.send('{"type":"hello"}')
    deaf.send('{"type":"watch","services":[{"service":"leaving"}]}')
    const second = await client({ registries: [registry.ready] })
    await second.register({ service: 'leaving', port })
    const again = performance.now()
    await second.close()
    const deafMs = performance.now() - again
    expect(deafMs).toBeGreaterThan(1_000)
    expect(tookMs).toBeLessThan(deafMs)
    deaf.close()
    await end(registry, 'SIGTERM')
  })
})

describe('a list that vanishes', () => {
  it('is called on while its instances answer, and not longer', async () => {
    const registry = await start('registry-child.mjs', `127.0.0.1:${await freePort()}`)
    const [first, second] = [await provider(), await provider()]
    await registerByHand(registry.ready, 'forgotten', first.port)
    await registerByHand(registry.ready, 'forgotten', second.port)
    const rollcall = await client({ registries: [registry.ready] })
    const service = rollcall.service('forgotten')
    await until(() => service.instances().length === 2, 'both are listed')
    await end(registry, 'SIGKILL')
    const empty = await start('registry-child.mjs', new URL(registry.ready).host)
    await until(
      () => service.instances().length === 0,
      'a registry without memory is believed as far as it goes',
    )
    expect(rollcall.status().services[0]).toMatchObject({ kept: 2, instances: 0 })
    const ports = [await answer(service), await answer(service)]
    expect(new Set(ports)).toEqual(new Set([first.port, second.port]))
    await first.stop()
    for (let call = 0; call < 4; call += 1) expect(await answer(service)).toBe(second.port)
    await second.stop()
    await expect(service.fetch('/')).rejects.toMatchObject({ code: 'unreachable' })
    await expect(service.ready({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'no_instances' })
    expect(() => service.pick()).toThrow(expect.objectContaining({ code: 'no_instances' }))
    await end(empty, 'SIGTERM')
  })
})
