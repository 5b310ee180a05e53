/** The start of a program that calls many services, some of whose instances hang, and some of whose registries are away. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectOptions, type Rollcall } from '@rollcall/client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Child, end, endAll, freePort, start } from './support/processes.js'

const SERVICES = 50
const INSTANCES = 20
const names = Array.from({ length: SERVICES }, (_, n) => `start-${n}`)

const clients: Rollcall[] = []
let listener: Server
let port = 0
let hangingPort = 0
let snapshotDir = ''

async function client(options: ConnectOptions): Promise<Rollcall> {
  const rollcall = await connect({ snapshotDir: false, ...options })
  clients.push(rollcall)
  return rollcall
}

/** One of the instances of each service hangs in connect. */
async function provide(url: string): Promise<Rollcall> {
  const provider = await client({ registries: [url] })
  await provider.register(
    names.flatMap((service) =>
      Array.from({ length: INSTANCES }, (_, n) => ({
        service,
        id: `i${n}`,
        host: '127.0.0.1',
        port: n === 0 ? hangingPort : port,
        probe: { type: 'none' as const },
      })),
    ),
  )
  return provider
}

async function readyMs(rollcall: Rollcall): Promise<number> {
  const startedAt = performance.now()
  await rollcall.ready(names, { timeoutMs: 30_000 })
  return performance.now() - startedAt
}

beforeAll(async () => {
  listener = createServer((socket) => socket.on('error', () => {}).resume())
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  port = (listener.address() as AddressInfo).port
  hangingPort = Number((await start('hanging-child.mjs')).ready)
})

beforeEach(async () => {
  snapshotDir = await mkdtemp(join(tmpdir(), 'rollcall-start-'))
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map((rollcall) => rollcall.close()))
  await rm(snapshotDir, { recursive: true, force: true })
})

afterAll(async () => {
  await endAll()
  await new Promise((resolve) => listener.close(resolve))
})

describe('start-up with instances that hang in connect', () => {
  let registry: Child

  beforeAll(async () => {
    registry = await start('registry-child.mjs', '127.0.0.1:0')
  })

  it('takes the time of the slowest, not the sum, and the first picks avoid who hangs', async () => {
    await provide(registry.ready)
    const consumer = await client({ registries: [registry.ready], warmupTimeoutMs: 1_000 })
    const took = await readyMs(consumer)
    expect(took).toBeGreaterThan(900)
    // One after the other it is fifty times the timeout; the bound leaves a loaded machine its time.
    expect(took).toBeLessThan(10_000)
    const lists = names.map((name) => consumer.service(name).instances().length)
    expect(new Set(lists)).toEqual(new Set([INSTANCES]))
    const one = (await client({ registries: [registry.ready] })).service(names[0]!)
    await one.ready()
    const picked = Array.from({ length: 2 * INSTANCES }, () => one.pick().port)
    expect(new Set(picked)).toEqual(new Set([port]))
  })

  it('does not touch anybody when it is off, and a hook decides otherwise', async () => {
    await provide(registry.ready)
    const warmed = new Set<string>()
    const consumer = await client({ registries: [registry.ready], warmup: false })
    const hooked = consumer.service(names[0]!, {
      warmup: ({ id }) => {
        warmed.add(id)
        return Promise.resolve()
      },
    })
    await consumer.ready([hooked, ...names.slice(1)])
    expect(warmed.size).toBe(INSTANCES)
  })

  it('ends every attempt at close', async () => {
    await provide(registry.ready)
    const consumer = await client({ registries: [registry.ready], warmupTimeoutMs: 60_000 })
    const ready = consumer.service(names[0]!).ready({ timeoutMs: 60_000 })
    const outcome = ready.then(
      () => 'ready',
      () => 'closed',
    )
    while (consumer.service(names[0]!).instances().length === 0)
      await new Promise((resolve) => setTimeout(resolve, 5))
    await consumer.close()
    expect(['ready', 'closed']).toContain(await outcome)
  })
})

describe('start-up without a registry', () => {
  it('begins with the snapshots', async () => {
    const registry = await start('registry-child.mjs', '127.0.0.1:0')
    const provider = await provide(registry.ready)
    const before = await client({ registries: [registry.ready], snapshotDir, warmup: false })
    await readyMs(before)
    await before.close()
    await end(registry, 'SIGKILL')
    const after = await client({ registries: [registry.ready], snapshotDir, warmupTimeoutMs: 500 })
    expect(await readyMs(after)).toBeLessThan(10_000)
    expect(new Set(names.map((name) => after.service(name).source))).toEqual(new Set(['snapshot']))
    await provider.close()
  })

  it('begins with static lists, be the registry dead or mute', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`
    const mute = `http://127.0.0.1:${port}`
    const fixed = Object.fromEntries(names.map((name) => [name, [{ host: '127.0.0.1', port }]]))
    const both = await Promise.all(
      [dead, mute].map((url) => client({ registries: [url], static: fixed, warmupTimeoutMs: 500 })),
    )
    for (const rollcall of both) {
      expect(await readyMs(rollcall)).toBeLessThan(10_000)
      expect(new Set(names.map((name) => rollcall.service(name).source))).toEqual(new Set(['static']))
    }
  })
})
