/** The SDK against a real node in a process of its own, with real providers that are killed. */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectOptions, type Rollcall } from '@rollcall/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Child, end, endAll, freePort, run, start, until } from './support/processes.js'

const clients: Rollcall[] = []
const servers: Server[] = []
let snapshots = ''
let registry: Child
let url = ''

async function client(options: ConnectOptions = {}): Promise<Rollcall> {
  const rollcall = await connect({ registries: [url], snapshotDir: false, ...options })
  clients.push(rollcall)
  return rollcall
}

/** A provider inside this process, for answers of every kind. */
async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ host: string; port: number; server: Server }> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, server }
}

/** Calls all the time until told to stop; collects what failed. */
function caller(
  rollcall: Rollcall,
  service: string,
): { stop(): Promise<{ calls: number; failures: unknown[] }> } {
  const target = rollcall.service(service)
  const failures: unknown[] = []
  let calls = 0
  let going = true
  const loop = async (): Promise<void> => {
    while (going) {
      try {
        await (await target.fetch('/')).text()
      } catch (error) {
        failures.push(error)
      }
      calls += 1
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  const loops = Promise.all([loop(), loop(), loop()])
  return {
    async stop() {
      going = false
      await loops
      return { calls, failures }
    },
  }
}

beforeAll(async () => {
  registry = await start('registry-child.mjs', `127.0.0.1:${await freePort()}`)
  url = registry.ready
})

beforeEach(async () => {
  snapshots = await mkdtemp(join(tmpdir(), 'rollcall-client-'))
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map((rollcall) => rollcall.close()))
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
  await rm(snapshots, { recursive: true, force: true })
})

afterAll(endAll)

describe('the SDK with a real node', () => {
  it('registers, is found, is called, changes and leaves', async () => {
    const { port } = await serve((request, response) => response.end(`answer to ${request.url}`))
    const provider = await client()
    const registration = await provider.register({ service: 'basic', port, metadata: { version: '1.4.2' } })
    expect(registration).toMatchObject({ id: `127.0.0.1:${port}`, state: 'up', host: '127.0.0.1' })
    const target = (await client()).service('basic')
    await target.ready()
    expect(target.pick()).toMatchObject({
      port,
      metadata: { version: '1.4.2' },
      incarnation: registration.incarnation,
    })
    expect(await (await target.fetch('/orders/42')).text()).toBe('answer to /orders/42')
    await registration.update({ weight: 7 })
    await until(() => target.pick().weight === 7, 'the new weight arrives')
    await registration.drain()
    await until(() => target.instances()[0]?.state === 'draining', 'the draining arrives')
    await registration.deregister()
    await until(() => target.instances().length === 0, 'the deregistration arrives')
    expect(() => target.pick()).toThrow(expect.objectContaining({ code: 'no_instances' }))
  })

  it('registers thousands of instances in batches, and finds them', async () => {
    const provider = await client()
    const many = Array.from({ length: 12_000 }, (_, n) => ({
      service: 'many',
      host: '127.0.0.1',
      port: 1 + n,
      probe: { type: 'none' as const },
    }))
    const registrations = await provider.register(many)
    expect(new Set(registrations.map((item) => item.state))).toEqual(new Set(['up']))
    const target = (await client()).service('many')
    await target.ready()
    expect(target.instances()).toHaveLength(12_000)
    await provider.close()
    await until(() => target.instances().length === 0, 'all of them leave')
  })

  it('watches fifty services in the time of one', async () => {
    const provider = await client()
    await provider.register(
      Array.from({ length: 50 }, (_, n) => ({ service: `fifty-${n}`, host: '127.0.0.1', port: 10_000 + n })),
    )
    const consumer = await client()
    const services = Array.from({ length: 50 }, (_, n) => consumer.service(`fifty-${n}`))
    await Promise.all(services.map((service) => service.ready()))
    expect(services.map((service) => service.pick().port)).toEqual(services.map((_, n) => 10_000 + n))
  })

  it('gives watches back, here and at the node', async () => {
    const watches = async (): Promise<number> => {
      const text = await (await fetch(`${url}/metrics`)).text()
      return Number(/^rollcall_budget_used\{quota="watchesMax"\} (\d+)$/m.exec(text)?.[1])
    }
    const others = await watches()
    const consumer = await client()
    await consumer
      .service('kept')
      .ready({ timeoutMs: 1 })
      .catch(() => undefined)
    await until(async () => (await watches()) === others + 1, 'the node knows of the first')
    const before = others + 1
    const names = Array.from({ length: 300 }, (_, n) => `passing-${n}`)
    const passing = names.map((name) => consumer.service(name))
    await until(async () => (await watches()) === before + 300, 'the node knows of all of them')
    for (const service of passing) service.close()
    await until(async () => (await watches()) === before, 'the node has them back')
    expect(consumer.status().services.map(({ service }) => service)).toEqual(['kept'])
  })

  it('does not fight over an id, and says so', async () => {
    const first = await (await client()).register({ service: 'taken', id: 'x', port: 1 })
    const events: string[] = []
    first.onEvent((event) => events.push(event.state))
    const second = await (await client()).register({ service: 'taken', id: 'x', port: 2 })
    expect(second.incarnation).toBeGreaterThan(first.incarnation)
    await until(() => first.state === 'conflict', 'the first one hears of the second')
    const target = (await client()).service('taken')
    await target.ready()
    expect(target.instances().map((item) => item.port)).toEqual([2])
    expect(events).toEqual(['conflict'])
  })

  it('rejects what the node refuses, with its code', async () => {
    const provider = await client()
    const big = { service: 'refused', port: 1, metadata: { k: 'x'.repeat(10_000) } }
    await expect(provider.register(big)).rejects.toMatchObject({ code: 'invalid_argument' })
    await expect(provider.register([{ service: 'refused', port: 2 }, big])).rejects.toMatchObject({
      code: 'invalid_argument',
    })
    const target = (await client()).service('refused')
    await expect(target.ready({ timeoutMs: 300 })).rejects.toMatchObject({ code: 'no_instances' })
  })

  it('knows of a killed provider within a second, and no call fails', async () => {
    const [victim, leaver] = await Promise.all([
      start('provider-child.mjs', url, 'killed'),
      start('provider-child.mjs', url, 'killed'),
      start('provider-child.mjs', url, 'killed'),
    ])
    const consumer = await client()
    const target = consumer.service('killed')
    await until(() => target.instances().length === 3, 'three providers')
    const calls = caller(consumer, 'killed')
    await new Promise((resolve) => setTimeout(resolve, 200))
    await end(victim, 'SIGKILL')
    const tookMs = await until(
      () => target.instances().find((item) => item.id === victim.ready)?.state !== 'up',
      'the dead provider is no longer up',
    )
    await end(leaver, 'SIGTERM')
    await until(
      () => !target.instances().some((item) => item.id === leaver.ready),
      'the graceful one is gone',
    )
    const { failures } = await calls.stop()
    expect(failures).toEqual([])
    expect(tookMs).toBeLessThan(1_000)
  })

  it('goes on calling while the registry is dead, and a new consumer finds its way by the snapshot', async () => {
    const own = await start('registry-child.mjs', `127.0.0.1:${await freePort()}`)
    const provider = await start('provider-child.mjs', own.ready, 'outage')
    const consumer = await client({ registries: [own.ready], snapshotDir: snapshots, times: { saveMs: 10 } })
    const target = consumer.service('outage')
    await target.ready()
    const calls = caller(consumer, 'outage')
    await new Promise((resolve) => setTimeout(resolve, 300))
    await end(own, 'SIGKILL')
    const late = await run('consumer-child.mjs', own.ready, 'outage', snapshots)
    expect(JSON.parse(late.output)).toMatchObject({
      id: provider.ready,
      source: 'snapshot',
      answer: String(provider.process.pid),
    })
    expect(late.code).toBe(0)
    // Back with an empty memory: the provider registers again, and no consumer is without it in between.
    const again = await start('registry-child.mjs', new URL(own.ready).host)
    await until(
      () => target.source === 'registry' && target.instances().length === 1,
      'everything is back',
      15_000,
    )
    const { failures, calls: count } = await calls.stop()
    expect(failures).toEqual([])
    expect(count).toBeGreaterThan(100)
    await end(again, 'SIGTERM')
  })

  it('ends with its process: nothing keeps it alive after close()', async () => {
    const provider = await start('provider-child.mjs', url, 'ends')
    const { code, output } = await run('consumer-child.mjs', url, 'ends', snapshots)
    expect({ code, ...JSON.parse(output) }).toMatchObject({ code: 0, id: provider.ready, source: 'registry' })
    await end(provider, 'SIGTERM')
    expect(provider.process.exitCode).toBe(0)
  })

  it('registers as pending without a registry, and catches up when there is one', async () => {
    const port = await freePort()
    const provider = await client({ registries: [`http://127.0.0.1:${port}`], times: { pendingMs: 200 } })
    const registration = await provider.register({ service: 'early', port: 1 })
    expect(registration).toMatchObject({ state: 'pending', host: '127.0.0.1' })
    const own = await start('registry-child.mjs', `127.0.0.1:${port}`)
    await until(() => registration.state === 'up', 'it is registered', 15_000)
    await provider.close()
    await end(own, 'SIGTERM')
  })

  it('says in time that nothing is known and no node answers', async () => {
    const lost = await client({ registries: [`http://127.0.0.1:${await freePort()}`] })
    await expect(lost.service('x').ready({ timeoutMs: 400 })).rejects.toMatchObject({ code: 'unreachable' })
    const fixed = await client({ registries: [], static: { x: [{ host: '10.0.0.1', port: 80 }] } })
    await fixed.service('x').ready()
    expect(fixed.service('x').pick()).toMatchObject({ id: '10.0.0.1:80', host: '10.0.0.1' })
  })
})

describe('fetch with real sockets', () => {
  async function fixed(...list: { host: string; port: number }[]) {
    return (
      await client({ registries: [], static: { web: list.map(({ host, port }) => ({ host, port })) } })
    ).service('web')
  }

  it('fails over from a refused connection, with the body, and avoids the dead afterwards', async () => {
    const echo = await serve((request, response) => request.pipe(response))
    const target = await fixed({ host: '127.0.0.1', port: await freePort() }, echo)
    for (let call = 0; call < 4; call += 1) {
      const response = await target.fetch('/', { method: 'POST', body: 'the body' })
      expect(await response.text()).toBe('the body')
    }
    expect(target.pick().port).toBe(echo.port)
    expect(target.pick().port).toBe(echo.port)
  })

  it('survives idle connections that the server has closed, without repeating a POST', async () => {
    let posts = 0
    const { server, ...address } = await serve((request, response) => {
      if (request.method === 'POST') posts += 1
      request.resume().once('end', () => response.end('ok'))
    })
    const target = await fixed(address)
    for (let round = 0; round < 5; round += 1) {
      await (await target.fetch('/')).text()
      server.closeIdleConnections()
      expect(await (await target.fetch('/')).text()).toBe('ok')
    }
    await (await target.fetch('/', { method: 'POST', body: 'x' })).text()
    expect(posts).toBe(1)
  })

  it('repeats a GET whose connection broke, and never a POST', async () => {
    let requests = 0
    const broken = await serve((request) => {
      requests += 1
      request.socket.destroy()
    })
    const good = await serve((_request, response) => response.end('ok'))
    const get = await fixed(broken, good)
    for (let call = 0; call < 3; call += 1) expect(await (await get.fetch('/')).text()).toBe('ok')
    requests = 0
    const post = await fixed(broken)
    await expect(post.fetch('/', { method: 'POST', body: 'x' })).rejects.toMatchObject({
      code: 'unreachable',
      details: { phase: 'sent' },
    })
    expect(requests).toBe(1)
  })

  it('streams both ways', async () => {
    const echo = await serve((request, response) => request.pipe(response))
    const target = await fixed(echo)
    const body = new ReadableStream({
      start(controller) {
        for (const part of ['a', 'b', 'c']) controller.enqueue(new TextEncoder().encode(part))
        controller.close()
      },
    })
    expect(await (await target.fetch('/', { method: 'PUT', body })).text()).toBe('abc')
  })

  it('ends by deadline and by signal, also in the middle of a body', async () => {
    const slow = await serve((request, response) => {
      if (request.url === '/body') response.write('first part')
    })
    const target = await fixed(slow)
    await expect(target.fetch('/', { timeoutMs: 50 })).rejects.toMatchObject({ code: 'timeout' })
    const controller = new AbortController()
    const response = await target.fetch('/body', { signal: controller.signal })
    const text = response.text()
    controller.abort()
    await expect(text).rejects.toThrow()
  })
})
