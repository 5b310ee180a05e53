/** Calls against real providers that are killed, hang or break off in the middle of them. */
import { getEventListeners } from 'node:events'
import { openAsBlob } from 'node:fs'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type Rollcall, type Service, type ServiceOptions } from '@rollcall/client'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { type Child, end, endAll, freePort, start, until } from './support/processes.js'

const clients: Rollcall[] = []
const children: Child[] = []

/** A provider, and what it said about its requests. */
interface Provider extends Child {
  readonly port: number
  readonly pid: number
  readonly requests: string[]
  readonly cancelled: string[]
  readonly connections: string[]
}

async function provider(...args: 'mute'[]): Promise<Provider> {
  const child = await start('call-provider-child.mjs', ...args)
  children.push(child)
  const told = { requests: [] as string[], cancelled: [] as string[], connections: [] as string[] }
  child.process.on('message', (message: { request?: string; cancelled?: string; connection?: string }) => {
    if (message.request !== undefined) told.requests.push(message.request)
    if (message.cancelled !== undefined) told.cancelled.push(message.cancelled)
    if (message.connection !== undefined) told.connections.push(message.connection)
  })
  return { ...child, port: Number(child.ready), pid: child.process.pid!, ...told }
}

/** A service with a fixed list, so that nothing but calls tells who is well. */
async function fixed(options: ServiceOptions, ...ports: number[]): Promise<Service> {
  const list = ports.map((port) => ({ host: '127.0.0.1', port }))
  const rollcall = await connect({ registries: [], snapshotDir: false, warmup: false, static: { web: list } })
  clients.push(rollcall)
  const service = rollcall.service('web', options)
  await service.ready()
  return service
}

/** A balancer that goes through the list from its beginning, so that tests know who is called first. */
const IN_ORDER: ServiceOptions = {
  balancer: () => {
    let first: ReturnType<Service['pick']> | undefined
    return { update: (candidates) => (first = candidates[0]), pick: () => first }
  },
}

const code = (reason: { code?: string }): string | undefined => reason.code

afterEach(async () => {
  await Promise.all(clients.splice(0).map((rollcall) => rollcall.close()))
  await Promise.all(children.splice(0).map((child) => end(child, 'SIGKILL')))
})

afterAll(endAll)

describe('a provider that is killed', () => {
  it('costs no idempotent call, under load, one kill after the other', async () => {
    const registry = await start('registry-child.mjs', `127.0.0.1:${await freePort()}`)
    const providers = await Promise.all(
      Array.from({ length: 4 }, () => start('provider-child.mjs', registry.ready, 'orders')),
    )
    const rollcall = await connect({ registries: [registry.ready], snapshotDir: false })
    clients.push(rollcall)
    const orders = rollcall.service('orders', { balancer: 'least-loaded' })
    await until(() => orders.instances().length === 4, 'all are listed')
    let [calls, running] = [0, true]
    const failures: unknown[] = []
    const callers = Array.from({ length: 8 }, async () => {
      while (running) {
        const answer = orders.fetch('/', { timeoutMs: 20_000 }).then((response) => response.text())
        await answer.then(
          () => (calls += 1),
          (error: unknown) => failures.push(error),
        )
        await sleep(1)
      }
    })
    for (const victim of providers.slice(0, 3)) {
      const before = calls
      await until(() => calls > before + 100, 'calls go on')
      await end(victim, 'SIGKILL')
    }
    const before = calls
    await until(() => calls > before + 100, 'calls go on with the last one')
    running = false
    await Promise.all(callers)
    expect(failures).toEqual([])
    await rollcall.close()
    await end(providers[3]!, 'SIGKILL')
    await end(registry, 'SIGTERM')
  })

  it('while it works on a call: repeated if that is idempotent, reported as perhaps executed if not', async () => {
    const [victim, well] = [await provider(), await provider()]
    const service = await fixed(IN_ORDER, victim.port, well.port)
    const calls = [
      service.fetch('/late?ms=60000'),
      service.fetch('/late?ms=60000', { method: 'POST', body: 'x' }).catch((error: unknown) => error),
      service.fetch('/late?ms=60000', { method: 'POST', body: 'x', idempotent: true }),
    ]
    await until(() => victim.requests.length === 3, 'all calls are at the victim')
    await end(victim, 'SIGKILL')
    await until(() => well.requests.length === 2, 'two are repeated')
    expect(await calls[1]).toMatchObject({ code: 'unreachable', details: { phase: 'sent' } })
    expect(well.requests.toSorted()).toEqual(['GET /late', 'POST /late'])
    const rest = Promise.allSettled(calls)
    await end(well, 'SIGKILL')
    await rest
  })

  it('before a call: even a stream that may not be repeated goes elsewhere, whole', async () => {
    const [victim, well] = [await provider(), await provider()]
    const service = await fixed(IN_ORDER, victim.port, well.port)
    await end(victim, 'SIGKILL')
    const body = Readable.from(['a', 'b', 'c'].map((text) => Buffer.from(text)))
    const response = await service.fetch('/echo', { method: 'POST', body })
    expect(await response.text()).toBe('abc')
  })

  it('in the middle of an answer breaks the body, and is called no more', async () => {
    const [victim, well] = [await provider(), await provider()]
    const service = await fixed(IN_ORDER, victim.port, well.port)
    const response = await service.fetch('/break')
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
    await until(() => service.pick().port === well.port, 'what breaks off is left out')
  })
})

describe('a provider that hangs', () => {
  it('costs an attempt its time; the next answers, and the hanging request is cancelled', async () => {
    const [hangs, well] = [await provider('mute'), await provider()]
    const service = await fixed(IN_ORDER, hangs.port, well.port)
    const response = await service.fetch('/pid', { tryTimeoutMs: 300, timeoutMs: 30_000 })
    expect(Number(await response.text())).toBe(well.pid)
    await until(() => hangs.cancelled.length === 1, 'the request was cancelled')
    expect(await service.fetch('/hang', { tryTimeoutMs: 100, method: 'POST' }).catch(code)).toBe('timeout')
    expect(well.requests).toEqual(['GET /pid'])
  })

  it('is hedged: the other answers long before, and the slower request is cancelled', async () => {
    const [slow, well] = [await provider('mute'), await provider()]
    const service = await fixed(IN_ORDER, slow.port, well.port)
    const response = await service.fetch('/pid', { hedgeMs: 100, timeoutMs: 30_000 })
    expect(Number(await response.text())).toBe(well.pid)
    await until(() => slow.cancelled.length === 1, 'the slower request was cancelled')
    const write = service.fetch('/pid', { method: 'POST', hedgeMs: 50, timeoutMs: 500 })
    expect(await write.catch(code)).toBe('timeout')
    expect(well.requests).toEqual(['GET /pid'])
  })

  it('does not hold back an abort, which reaches it', async () => {
    const hangs = await provider()
    const service = await fixed({}, hangs.port)
    const controller = new AbortController()
    const call = service.fetch('/hang', { signal: controller.signal }).catch(code)
    await until(() => hangs.requests.length === 1, 'the call is there')
    controller.abort()
    expect(await call).toBe('aborted')
    await until(() => hangs.cancelled.length === 1, 'it was told')
  })

  it('does not hold back close(), which ends the call', async () => {
    const hangs = await provider('mute')
    const service = await fixed({}, hangs.port)
    const calls = [
      service.fetch('/pid', { timeoutMs: 60_000 }).catch(code),
      service.call(() => new Promise(() => {})).catch(code),
    ]
    await until(() => hangs.requests.length === 1, 'the call is there')
    await clients.pop()!.close()
    expect(await Promise.all(calls)).toEqual(['closed', 'closed'])
  })

  it('shares a signal with any number of calls, and leaves nothing behind on it', async () => {
    const { port } = await provider()
    const service = await fixed({}, port)
    const warnings: Error[] = []
    const warned = (warning: Error): void => void warnings.push(warning)
    process.on('warning', warned)
    const { signal } = new AbortController()
    const calls = Array.from({ length: 30 }, () => service.fetch('/pid', { signal, hedgeMs: 1_000 }))
    for (const response of await Promise.all(calls)) await response.text()
    await until(() => getEventListeners(signal, 'abort').length === 0, 'all listeners are gone')
    process.off('warning', warned)
    expect(warnings).toEqual([])
  })
})

describe('a request', () => {
  it('streams both ways, at the same time', async () => {
    const echo = await provider()
    const service = await fixed({}, echo.port)
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    void writer.write(Buffer.from('ping'))
    const response = await service.fetch('/echo', { method: 'POST', body: readable })
    const reader = response.body!.getReader()
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('ping')
    void writer.write(Buffer.from('pong'))
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('pong')
    await writer.close()
    expect((await reader.read()).done).toBe(true)
  })

  it('whose answer is not read to its end is held against no instance', async () => {
    const [one, other] = [await provider(), await provider()]
    const service = await fixed(IN_ORDER, one.port, other.port)
    const open = async (init: object = {}): Promise<Response> => {
      const sent = new Readable({ read: () => {} })
      sent.push('endless')
      return service.fetch('/echo', { method: 'POST', body: sent, ...init })
    }
    await (await open()).body!.cancel()
    const reader = (await open()).body!.getReader()
    await reader.read()
    await reader.cancel('read enough')
    const controller = new AbortController()
    const text = (await open({ signal: controller.signal })).text().catch(code)
    controller.abort()
    expect(await text).toBe('aborted')
    await until(() => one.cancelled.length === 3, 'the provider was told')
    // What was reported has reached the view of who is well by now.
    expect(await (await service.fetch('/pid')).text()).toBe(String(one.pid))
    expect(service.candidates()).toHaveLength(2)
  })

  it('carries forms and blobs, also after a refusal', async () => {
    const [dead, echo] = [await freePort(), await provider()]
    const service = await fixed(IN_ORDER, dead, echo.port)
    const form = new FormData()
    form.set('name', 'Zoë')
    const sent = await service.fetch('/echo', { method: 'POST', body: form })
    expect(await sent.text()).toContain('Zoë')
    const blob = await openAsBlob(new URL('./support/call-provider-child.mjs', import.meta.url))
    const file = await service.fetch('/echo', { method: 'POST', body: blob })
    expect((await file.text()).length).toBeGreaterThan(1_000)
  })

  it('says how long its caller waits, unless told not to', async () => {
    const { port } = await provider()
    const service = await fixed({}, port)
    const told = async (init: object): Promise<string> => (await service.fetch('/timeout', init)).text()
    expect(await told({})).toBe('none')
    expect(Number(await told({ timeoutMs: 5_000 }))).toBeLessThanOrEqual(5_000)
    expect(Number(await told({ timeoutMs: 60_000, tryTimeoutMs: 20_000 }))).toBeLessThanOrEqual(20_000)
    expect(await told({ timeoutMs: 5_000, timeoutHeader: false })).toBe('none')
  })

  it('fails with the error of its own stream, which is held against no instance', async () => {
    const [one, other] = [await provider(), await provider()]
    const service = await fixed(IN_ORDER, one.port, other.port)
    const body = new Readable({ read: () => void setImmediate(() => body.destroy(new Error('my disk'))) })
    await expect(service.fetch('/echo', { method: 'PUT', body })).rejects.toThrow('my disk')
    expect(service.pick().port).toBe(one.port)
    expect(other.requests).toEqual([])
  })
})

describe('connections', () => {
  it('are kept, and closed when their instance leaves', async () => {
    const registry = await start('registry-child.mjs', `127.0.0.1:${await freePort()}`)
    const one = await provider()
    const register = (path: string): Promise<unknown> =>
      fetch(`${registry.ready}/api/v1/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          instances: [
            { service: 'kept', id: 'one', host: '127.0.0.1', port: one.port, probe: { type: 'none' } },
          ],
        }),
      })
    await register('register')
    const rollcall = await connect({ registries: [registry.ready], snapshotDir: false, warmup: false })
    clients.push(rollcall)
    const service = rollcall.service('kept')
    for (let call = 0; call < 5; call += 1) await (await service.fetch('/pid')).text()
    expect(one.connections).toEqual(['opened'])
    const late = [service.fetch('/late?ms=2000'), service.fetch('/late?ms=1')]
    await (await late[1]!).text()
    expect(one.connections).toEqual(['opened', 'opened'])
    await register('deregister')
    await until(() => service.instances().length === 0, 'it left')
    await until(() => one.connections.includes('closed'), 'its idle connection is closed')
    // What is under way is answered first.
    expect(await (await late[0]!).text()).toBe(String(one.pid))
    await until(() => one.connections.filter((what) => what === 'closed').length === 2, 'the other is closed')
    await rollcall.close()
    await end(registry, 'SIGTERM')
  })
})

describe('any protocol', () => {
  it('is called with the same rules', async () => {
    const [victim, well] = [await provider(), await provider()]
    const service = await fixed(IN_ORDER, victim.port, well.port)
    await end(victim, 'SIGKILL')
    const tried: number[] = []
    const answer = await service.call(
      async (instance, { signal, attempt }) => {
        tried.push(attempt)
        // The undici of Node, whose errors hide the reason in their cause.
        return (await fetch(`http://127.0.0.1:${instance.port}/pid`, { signal })).text()
      },
      { timeoutMs: 20_000 },
    )
    expect([Number(answer), tried]).toEqual([well.pid, [1, 2]])
    expect(service.pick().port).toBe(well.port)
  })
})
