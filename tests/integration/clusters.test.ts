/** The SDK with two real clusters of which one is killed, stopped or cut off. */
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectOptions, type Rollcall, type Service } from '@rollcall/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWay, type Way } from './support/freezing-proxy.js'
import { type Child, end, endAll, freePort, start, until } from './support/processes.js'

const clients: Rollcall[] = []
const servers: Server[] = []
const ways: Way[] = []
let east: Child
let west: Child
let snapshots = ''

/** Long before any timeout of the SDK but the head start: who waits for a dead cluster is seen. */
const PROMPT_MS = 2_000

async function client(options: Partial<ConnectOptions> = {}): Promise<Rollcall> {
  const clusters = { east: { registries: [east.ready] }, west: { registries: [west.ready] } }
  const rollcall = await connect({ clusters, snapshotDir: false, ...options })
  clients.push(rollcall)
  return rollcall
}

/** A provider that answers with its name. */
async function provider(name: string): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const server = createServer((_request, response) => response.end(name))
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Calls all the time; tells who answered, what failed and how long the slowest call took. */
function caller(target: Service): {
  readonly answers: string[]
  stop(): Promise<{ readonly calls: number; readonly failures: unknown[]; readonly slowestMs: number }>
} {
  const answers: string[] = []
  const failures: unknown[] = []
  let slowestMs = 0
  let calls = 0
  let going = true
  const loop = async (): Promise<void> => {
    while (going) {
      const startedAt = performance.now()
      try {
        answers.push(await (await target.fetch('/')).text())
      } catch (error) {
        failures.push(error)
      }
      calls += 1
      slowestMs = Math.max(slowestMs, performance.now() - startedAt)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  const loops = Promise.all([loop(), loop()])
  return {
    answers,
    async stop() {
      going = false
      await loops
      return { calls, failures, slowestMs }
    },
  }
}

/** Waits until so many more calls were made. */
async function more(answers: readonly string[], count = 200): Promise<void> {
  const goal = answers.length + count
  await until(() => answers.length >= goal, `${count} more answers`)
}

async function timed(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work
  return performance.now() - startedAt
}

async function idsIn(url: string, service: string): Promise<string[]> {
  const answer = await fetch(`${url}/api/v1/services/${service}`)
  if (answer.status === 404) return []
  const { instances } = (await answer.json()) as { instances: { id: string }[] }
  return instances.map(({ id }) => id)
}

const restart = (child: Child): Promise<Child> => start('registry-child.mjs', new URL(child.ready).host)

beforeEach(async () => {
  const registry = async (): Promise<Child> => start('registry-child.mjs', `127.0.0.1:${await freePort()}`)
  east = await registry()
  west = await registry()
  snapshots = await mkdtemp(join(tmpdir(), 'rollcall-clusters-'))
})

afterEach(async () => {
  for (const child of [east, west]) child.process.kill('SIGCONT')
  await Promise.all(clients.splice(0).map((rollcall) => rollcall.close()))
  await Promise.all(ways.splice(0).map((way) => way.close()))
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
  await endAll()
  await rm(snapshots, { recursive: true, force: true })
})

describe('two clusters', () => {
  it('are one list, and one registration', async () => {
    const { port } = await provider('a')
    const registration = await (await client()).register({ service: 'basic', port })
    await until(() => registration.clusters.every(({ state }) => state === 'up'), 'both have it')
    const target = (await client()).service('basic')
    await target.ready()
    expect(target.instances()).toHaveLength(1)
    expect(target.pick()).toMatchObject({ port, incarnation: registration.incarnation })
    expect(target.origins(target.pick())).toMatchObject([
      { source: 'registry', live: true },
      { source: 'registry', live: true },
    ])
    await registration.deregister()
    await until(() => target.instances().length === 0, 'both say goodbye')
  })

  it('of which one does not know a service: no call waits for it to say so', async () => {
    const { port } = await provider('a')
    await (await client()).register({ service: 'half', port, clusters: ['west'] })
    const target = (await client()).service('half')
    expect(await timed(target.ready())).toBeLessThan(PROMPT_MS)
    expect(target.status().clusters).toMatchObject([
      { cluster: 'east', source: 'registry', live: true, instances: 0 },
      { cluster: 'west', source: 'registry', live: true, instances: 1 },
    ])
  })

  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'of which one gets %s: no call fails or waits, and everything else goes on',
    async (signal) => {
      const [a, b] = [await provider('a'), await provider('b')]
      const providers = await client()
      const registrations = await providers.register([a, b].map(({ port }) => ({ service: 'calls', port })))
      const consumer = await client()
      const target = consumer.service('calls')
      await target.ready()
      const calls = caller(target)
      await more(calls.answers)
      east.process.kill(signal)
      await more(calls.answers)
      // New work too: a service looked up for the first time, and one registered now.
      const other = consumer.service('other')
      const c = await provider('c')
      expect(await timed(providers.register({ service: 'other', port: c.port }))).toBeLessThan(PROMPT_MS)
      expect(await timed(other.ready())).toBeLessThan(PROMPT_MS)
      const late = (await client()).service('calls')
      expect(await timed(late.ready())).toBeLessThan(PROMPT_MS)
      await more(calls.answers)
      const { failures, slowestMs } = await calls.stop()
      expect(failures).toEqual([])
      expect(slowestMs).toBeLessThan(PROMPT_MS)
      expect(registrations.map(({ state }) => state)).toEqual(['up', 'up'])

      if (signal === 'SIGSTOP') east.process.kill('SIGCONT')
      else east = await restart(east)
      await until(
        async () =>
          (await idsIn(east.ready, 'calls')).length === 2 && (await idsIn(east.ready, 'other')).length === 1,
        'the cluster that was away has all registrations',
        30_000,
      )
    },
  )

  it('of which one is cut off from the start: the other one serves at once, and both leave in time', async () => {
    const way = await openWay({ host: '127.0.0.1', port: Number(new URL(east.ready).port) })
    ways.push(way)
    way.cut()
    const clusters = {
      east: { registries: [`http://127.0.0.1:${way.port}`] },
      west: { registries: [west.ready] },
    }
    const { port } = await provider('a')
    const providers = await client({ clusters })
    expect(await timed(providers.register({ service: 'cut', port }))).toBeLessThan(PROMPT_MS)
    const target = (await client({ clusters })).service('cut')
    expect(await timed(target.ready())).toBeLessThan(PROMPT_MS)
    expect((await target.fetch('/')).status).toBe(200)
    const closing = providers.close()
    await until(() => target.instances().length === 0, 'the west hears of it first', 4_000)
    await closing
  })

  it('in an order of preference: when one dies with all its instances, calls go to the other', async () => {
    const [a, b, c] = [await provider('east'), await provider('east'), await provider('west')]
    const providers = await client()
    await providers.register([
      ...[a, b].map(({ port }) => ({ service: 'regional', port, clusters: ['east'] })),
      { service: 'regional', port: c.port, clusters: ['west'] },
    ])
    const target = (await client({ merge: 'preferred' })).service('regional')
    await target.ready()
    const calls = caller(target)
    await more(calls.answers)
    expect(new Set(calls.answers)).toEqual(new Set(['east']))
    await end(east, 'SIGKILL')
    await more(calls.answers)
    expect(new Set(calls.answers)).toEqual(new Set(['east']))
    await Promise.all([a.stop(), b.stop()])
    await until(() => calls.answers.at(-1) === 'west', 'the other cluster answers')
    await more(calls.answers)
    expect((await calls.stop()).failures).toEqual([])
    expect(target.status().clusters).toMatchObject([{ used: false }, { used: true }])
  })

  it('and a provider in one of them that needs no heartbeat: it is listed there until it leaves', async () => {
    const { port } = await provider('a')
    const providers = await client()
    const clusters = { east: {}, west: { liveness: 'static' as const } }
    await providers.register({ service: 'mixed', id: 'm', port, clusters })
    await until(async () => (await idsIn(east.ready, 'mixed')).length === 1, 'the east lists it')
    await until(async () => (await idsIn(west.ready, 'mixed')).length === 1, 'the west lists it')
    await providers.close()
    expect(await idsIn(east.ready, 'mixed')).toEqual([])
    expect(await idsIn(west.ready, 'mixed')).toEqual([])
  })

  it('are remembered each for itself when both are gone', async () => {
    const [a, b] = [await provider('a'), await provider('b')]
    const providers = await client()
    await providers.register([
      { service: 'kept', port: a.port, clusters: ['east'] },
      { service: 'kept', port: b.port, clusters: ['west'] },
    ])
    const first = await client({ snapshotDir: snapshots })
    await first.service('kept').ready()
    await until(() => first.service('kept').instances().length === 2, 'both are listed')
    await first.close()
    await Promise.all([end(east, 'SIGKILL'), end(west, 'SIGKILL')])
    const target = (await client({ snapshotDir: snapshots })).service('kept')
    await target.ready()
    await until(() => target.instances().length === 2, 'both snapshots were read')
    expect(target.status()).toMatchObject({
      source: 'snapshot',
      clusters: [
        { cluster: 'east', source: 'snapshot', live: false, instances: 1 },
        { cluster: 'west', source: 'snapshot', live: false, instances: 1 },
      ],
    })
    expect((await target.fetch('/')).status).toBe(200)
  })
})
