/** The dead stop being listed as up, the living are never removed, and what was deregistered stays away. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import type { State } from '@rollcall/wire'
import { afterAll, describe, expect, it } from 'vitest'
import { createApi, type Answer, type Api } from './http-calls.js'
import { openStream, type StreamPeer } from './subscribers.js'
import { end, endAll, start, type Child } from './support/processes.js'

/** Figures, for the reader of the run. */
const report = (line: string): boolean => process.stdout.write(`${line}\n`)

const directories: string[] = []
function dataDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-liveness-'))
  directories.push(directory)
  return directory
}

afterAll(async () => {
  await endAll()
  await killServerProcesses()
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

async function watching(server: ServerProcess, service: string): Promise<StreamPeer> {
  const peer = await openStream(server)
  await peer.ask({ type: 'watch', services: [{ service }] })
  return peer
}

/** The state a subscriber sees, or `gone`. */
function stateOf(peer: StreamPeer, service: string, id: string): State | 'gone' {
  return peer.mirror(service).instances.get(`default/${id}`)?.state ?? 'gone'
}

/** Resolves with the milliseconds until the condition holds. */
async function until(condition: () => boolean, timeoutMs: number): Promise<number> {
  const began = performance.now()
  while (!condition()) {
    if (performance.now() - began > timeoutMs)
      throw new Error(`not within ${timeoutMs} ms: ${String(condition)}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return performance.now() - began
}

describe('processes with the SDK', () => {
  let server: ServerProcess
  let peer: StreamPeer
  let providers: Child[]

  it('killed with SIGKILL they are not up within 1 s, ten times out of ten', async () => {
    server = await startServerProcess()
    peer = await watching(server, 'orders')
    providers = await Promise.all(
      Array.from({ length: 12 }, () => start('./provider-child.mjs', server.url, 'orders')),
    )
    await until(() => providers.every(({ ready }) => stateOf(peer, 'orders', ready) === 'up'), 5_000)
    const times: number[] = []
    for (const { process: child, ready } of providers.splice(0, 10)) {
      child.kill('SIGKILL')
      times.push(await until(() => stateOf(peer, 'orders', ready) !== 'up', 5_000))
    }
    report(`killed: not up after ${Math.max(...times).toFixed(0)} ms at the most, of 10`)
    expect(Math.max(...times)).toBeLessThan(1_000)
    for (const { ready } of providers) expect(stateOf(peer, 'orders', ready)).toBe('up')
    expect(peer.faults).toEqual([])
  })

  it('leaving gracefully they stop being up at once and are gone before they end', async () => {
    const [leaver, stayer] = providers
    if (leaver === undefined || stayer === undefined) throw new Error('two are left')
    const ended = end(leaver, 'SIGTERM')
    const down = await until(() => stateOf(peer, 'orders', leaver.ready) !== 'up', 5_000)
    await ended
    report(`leaving: not up after ${down.toFixed(0)} ms`)
    expect(down).toBeLessThan(500)
    await until(() => stateOf(peer, 'orders', leaver.ready) === 'gone', 500)
    const removes = peer.mirror('orders').deltas.flatMap((delta) => delta.removes)
    expect(removes).toMatchObject([{ id: leaver.ready, reason: 'deregistered' }])
    expect(stateOf(peer, 'orders', stayer.ready)).toBe('up')
    expect(peer.faults).toEqual([])
    await peer.close()
  })
})

describe('a deregistered incarnation', () => {
  async function expectFinal(api: Api, server: ServerProcess): Promise<void> {
    const ref = { service: 'final', id: 'a', incarnation: 5 }
    const instance = { ...ref, host: '127.0.0.1', port: 1 }
    const register = (more: object = {}): Promise<Answer> =>
      api.post('/api/v1/register', { instances: [{ ...instance, ...more }] })
    const refused = { status: 409, body: { error: { code: 'deregistered' } } }
    expect(await register()).toMatchObject(refused)
    expect(await register({ rev: 1_000, port: 2 })).toMatchObject(refused)
    expect(await register({ liveness: 'probe' })).toMatchObject(refused)
    expect((await register({ incarnation: 4 })).status).toBe(409)
    expect((await api.post('/api/v1/heartbeat', { instances: [ref] })).body).toMatchObject({
      deregistered: [{ id: 'a' }],
      unknown: [],
    })
    const session = await openStream(server)
    expect(await session.ask({ type: 'register', instances: [instance] })).toMatchObject({
      results: [{ ok: false, error: { code: 'deregistered' } }],
    })
    await session.close()
    expect((await api.get('/api/v1/services/final')).body).toMatchObject({
      instances: [],
      removes: [{ id: 'a', incarnation: 5, reason: 'deregistered' }],
    })
  }

  it('never returns: no late registration, no late beat, no restart brings it back; a higher number does', async () => {
    const dataDir = dataDirectory()
    const first = await startServerProcess({ dataDir })
    const api = createApi(first)
    const instance = { service: 'final', id: 'a', incarnation: 5, host: '127.0.0.1', port: 1 }
    expect((await api.post('/api/v1/register', { instances: [instance] })).status).toBe(200)
    await api.post('/api/v1/deregister', { instances: [instance] })
    await expectFinal(api, first)
    api.close()
    await first.kill()
    const second = await startServerProcess({ dataDir })
    const again = createApi(second)
    await expectFinal(again, second)
    // A deregistration that overtakes its registration is final too.
    const late = { ...instance, id: 'late', incarnation: 7 }
    expect((await again.post('/api/v1/deregister', { instances: [late] })).body).toMatchObject({
      unknown: [{ id: 'late' }],
    })
    expect(await again.post('/api/v1/register', { instances: [late] })).toMatchObject({ status: 409 })
    expect(
      (await again.post('/api/v1/register', { instances: [{ ...instance, incarnation: 6 }] })).status,
    ).toBe(200)
    expect((await again.get('/api/v1/services/final')).body).toMatchObject({
      instances: [{ id: 'a', incarnation: 6, state: 'up' }],
    })
    again.close()
    await second.stop()
  })

  it('is told to the session that vouched for it, when another caller took it out', async () => {
    const server = await startServerProcess()
    const api = createApi(server)
    const session = await openStream(server)
    const instance = { service: 'taken', id: 'a', incarnation: 5, host: '10.7.7.7', port: 1 }
    await session.ask({ type: 'register', instances: [instance, { ...instance, id: 'b' }] })
    await api.post('/api/v1/deregister', { instances: [{ service: 'taken', id: 'a', incarnation: 5 }] })
    await api.post('/api/v1/deregister', { host: '10.7.7.7' })
    const told = (): string[] =>
      session.messages.flatMap((message) =>
        message.type === 'removed' ? message.instances.map(({ id, reason }) => `${id} ${reason}`) : [],
      )
    await expect.poll(told).toEqual(['a deregistered', 'b deregistered'])
    await session.close()
    api.close()
    await server.stop()
  })
})

describe('beats over HTTP', () => {
  it('keep an instance up; without them it is suspect, down, expired, and one beat brings it back', async () => {
    const server = await startServerProcess()
    const api = createApi(server)
    await api.call('PUT', '/api/v1/services/beating', { json: { removalMs: 1_000 } })
    const peer = await watching(server, 'beating')
    const ref = { service: 'beating', id: 'a' }
    const stayer = { service: 'beating', id: 'b', host: '127.0.0.1', port: 2, liveness: 'static' }
    // A second one stays, because the last of a service is not taken for dead on silence stayer.
    await api.post('/api/v1/register', {
      instances: [{ ...ref, host: '127.0.0.1', port: 1, leaseMs: 1_000 }, stayer],
    })
    const seen: [State | 'gone', number][] = []
    peer.onChange(() => seen.push([stateOf(peer, 'beating', 'a'), performance.now()]))
    const beat = (): Promise<Answer> => api.post('/api/v1/heartbeat', { instances: [ref] })
    const beating = performance.now()
    while (performance.now() - beating < 2_500) {
      await beat()
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    expect(seen.filter(([state]) => state !== 'up')).toEqual([])
    const { body: last } = await beat()
    expect(last).toMatchObject({ unknown: [] })
    const silentAt = performance.now()
    await until(() => seen.at(-1)?.[0] === 'gone', 10_000)
    const times = new Map(seen.map(([state, at]) => [state, at - silentAt]))
    report(`silence: ${[...times].map(([state, ms]) => `${state} ${ms.toFixed(0)} ms`).join(', ')}`)
    expect([...times.keys()].filter((state) => state !== 'up')).toEqual(['suspect', 'down', 'gone'])
    // No process listens on the port: half the lease, the lease, and the removal time of the service.
    const between = (state: State | 'gone', least: number, most: number): void => {
      expect(times.get(state)).toBeGreaterThanOrEqual(least - 20)
      expect(times.get(state)).toBeLessThan(most)
    }
    between('suspect', 500, 1_500)
    between('down', 1_000, 2_500)
    between('gone', 2_000, 4_000)
    expect(peer.mirror('beating').deltas.at(-1)?.removes).toMatchObject([{ id: 'a', reason: 'expired' }])
    expect((await beat()).body).toMatchObject({ unknown: [], deregistered: [] })
    await until(() => stateOf(peer, 'beating', 'a') === 'up', 1_000)
    expect(peer.faults).toEqual([])
    await peer.close()
    api.close()
    await server.stop()
  })
})

describe('a stop that is no death', () => {
  it('a stopped provider, its port still accepting, is suspect within 10 s and back at once', async () => {
    const server = await startServerProcess()
    const peer = await watching(server, 'frozen')
    const provider = await start('./provider-child.mjs', server.url, 'frozen')
    await until(() => stateOf(peer, 'frozen', provider.ready) === 'up', 2_000)
    provider.process.kill('SIGSTOP')
    const doubted = await until(() => stateOf(peer, 'frozen', provider.ready) !== 'up', 12_000)
    expect(stateOf(peer, 'frozen', provider.ready)).toBe('suspect')
    provider.process.kill('SIGCONT')
    const back = await until(() => stateOf(peer, 'frozen', provider.ready) === 'up', 5_000)
    report(
      `stopped provider: suspect after ${doubted.toFixed(0)} ms, up ${back.toFixed(0)} ms after it went on`,
    )
    expect(doubted).toBeLessThan(10_000)
    expect(back).toBeLessThan(1_000)
    const states = peer
      .mirror('frozen')
      .deltas.flatMap((delta) => [
        ...delta.upserts.map(({ state }) => state),
        ...delta.removes.map(({ reason }) => reason),
      ])
    expect(states).toEqual(['up', 'suspect', 'up'])
    await peer.close()
  })
})
