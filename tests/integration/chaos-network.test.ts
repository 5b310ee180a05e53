/** Networks that fail between two of the three, and a registry that is away when something else goes wrong too. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Rollcall, type Service } from '@rollcall/client'
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import { afterAll, describe, expect, it } from 'vitest'
import { counted, form, measured } from './support/chaos-form.js'
import { startFleet } from './support/fleet.js'
import { openWay } from './support/freezing-proxy.js'
import { endAll, until } from './support/processes.js'
import { openWitnesses } from './support/witnesses.js'

/** Longer than a client needs to give its connection up: three pings. */
const PING_MS = form(1_000, 3_000)
const CUT_MS = form(3_500, 40_000)
const SETTINGS = { args: ['--ping-ms', String(PING_MS), '--probe-other-ports'] }

const directory = mkdtempSync(join(tmpdir(), 'rollcall-network-'))
const clients: Rollcall[] = []

async function client(registry: string): Promise<Rollcall> {
  const made = await connect({ registries: [registry], snapshotDir: false })
  clients.push(made)
  return made
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

afterAll(async () => {
  await Promise.all(clients.map((each) => each.close()))
  await endAll()
  await killServerProcesses()
  rmSync(directory, { recursive: true, force: true })
})

/** Calls a service all the time until told to stop, and notes what failed and how long the slowest took. */
function call(
  service: Service,
  timeoutMs = 3_000,
): { stop(): Promise<{ calls: number; failed: number; slowestMs: number }> } {
  const counts = { calls: 0, failed: 0, slowestMs: 0 }
  let going = true
  const loop = (async () => {
    while (going) {
      const began = performance.now()
      try {
        await (await service.fetch('/', { timeoutMs })).text()
      } catch {
        counts.failed++
      }
      counts.calls++
      counts.slowestMs = Math.max(counts.slowestMs, Math.round(performance.now() - began))
      await pause(5)
    }
  })()
  return {
    async stop() {
      going = false
      await loop
      return counts
    },
  }
}

const known = (service: Service): string[] =>
  service.instances().filter(({ state }) => state === 'up').map(({ id }) => id).toSorted() // prettier-ignore

describe.concurrent('the network fails', () => {
  it('between a consumer and the registry: it calls on from memory, fails over by itself, and catches up', async () => {
    const server = await startServerProcess(SETTINGS)
    const way = await openWay(server)
    const fleet = { registry: server.url, service: 'orders' }
    const [doomed, stayers] = await Promise.all([
      startFleet({ ...fleet, sessions: 3 }),
      startFleet({ ...fleet, sessions: 3 }),
    ])
    const service = (await client(`http://127.0.0.1:${way.port}`)).service('orders')
    await service.ready()
    await until(() => known(service).length === 6, 'the list is complete')
    const calls = call(service)
    way.cut()
    await pause(CUT_MS / 4)
    doomed.kill()
    const newcomers = await startFleet({ ...fleet, sessions: 2 })
    await pause(CUT_MS)
    expect(service.instances()).toHaveLength(6)
    const now = [...stayers.ids, ...newcomers.ids].toSorted()
    way.heal()
    const caughtUp = await until(() => String(known(service)) === String(now), 'it catches up', 15_000)
    const counts = await calls.stop()
    counted('consumer cut off from the registry', { ...counts, caughtUpMs: Math.round(caughtUp) })
    expect(counts.failed).toBe(0)
    expect(counts.calls).toBeGreaterThan(30)
    await way.close()
    await Promise.all([stayers, newcomers].map((each) => each.end()))
    await server.stop()
  })

  it('between a provider and the registry: it is doubted, called all the same while there is no other, and back at once', async () => {
    const server = await startServerProcess(SETTINGS)
    const way = await openWay(server)
    const only = await startFleet({
      registry: `http://127.0.0.1:${way.port}`,
      service: 'orders',
      sessions: 1,
    })
    const witnesses = await openWitnesses(server, 'orders', 2, PING_MS)
    const service = (await client(server.url)).service('orders')
    await service.ready()
    await pause(400)
    const calls = call(service)
    witnesses.forget()
    const cutAt = performance.now()
    way.cut()
    const [doubted = Number.NaN] = (await witnesses.when(only.ids, ['suspect'], 10 * PING_MS)).values()
    await pause(CUT_MS)
    expect(witnesses.see(only.ids, 'suspect')).toBe(true)
    way.heal()
    const healedAt = performance.now()
    const [back = Number.NaN] = (await witnesses.when(only.ids, ['up'], 15_000)).values()
    const counts = await calls.stop()
    counted('provider cut off from the registry', {
      ...counts,
      pingMs: PING_MS,
      suspectMs: Math.round(doubted - cutAt),
      backMs: Math.round(back - healedAt),
    })
    expect(counts.failed).toBe(0)
    // Its port accepts, so it takes the whole lease of a session.
    expect(doubted - cutAt).toBeLessThan(3 * PING_MS + 1_000)
    expect(witnesses.faults()).toEqual([])
    witnesses.drop()
    await way.close()
    await only.end()
    await server.stop()
  })

  it.each(['refuses', 'swallows'] as const)(
    'between a consumer and one provider, and %s: calls move to the others, and the registry goes on saying up',
    async (how) => {
      const server = await startServerProcess(SETTINGS)
      const others = await startFleet({ registry: server.url, service: 'orders', sessions: 2 })
      const [host = '', port] = (others.ids[0] ?? '').split(':')
      const real = { host, port: Number(port) }
      // The consumer calls it by a way that fails, the registry probes it by one that does not.
      const way = await openWay(real)
      const provider = await client(server.url)
      await provider.register({
        service: 'orders',
        host: way.host,
        port: way.port,
        probe: { type: 'tcp', port: real.port },
      })
      const service = (await client(server.url)).service('orders')
      await service.ready()
      await until(() => known(service).length === 3, 'the list is complete')
      const calls = call(service, how === 'refuses' ? 3_000 : 500)
      if (how === 'refuses') await way.close()
      else way.cut()
      await pause(CUT_MS)
      const counts = await calls.stop()
      counted(`consumer cut off from one of three providers, its way ${how}`, counts)
      // What swallows a request costs it its deadline, three times until the instance is left out, and at each trial.
      expect(counts.failed).toBeLessThanOrEqual(how === 'refuses' ? 0 : 10)
      expect(counts.calls).toBeGreaterThan(30)
      expect(known(service)).toHaveLength(3)
      if (how === 'swallows') await way.close()
      await others.end()
      await server.stop()
    },
  )
})

describe.concurrent('the registry is away', () => {
  const LEASE_MS = form(2_000, 15_000)

  it('and a provider dies meanwhile: no call fails; after the restart it is doubted, the living never', async () => {
    const dataDir = join(directory, 'data')
    const first = await startServerProcess({ ...SETTINGS, dataDir })
    const fleet = { registry: first.url, service: 'orders', leaseMs: LEASE_MS }
    const [doomed, stayers] = await Promise.all([
      startFleet({ ...fleet, sessions: 3 }),
      startFleet({ ...fleet, sessions: 3 }),
    ])
    const service = (await client(first.url)).service('orders')
    await service.ready()
    await until(() => known(service).length === 6, 'the list is complete')
    const calls = call(service)
    await first.kill()
    doomed.kill()
    const newcomers = startFleet({ ...fleet, sessions: 2 })
    await pause(CUT_MS / 2)
    expect(service.instances()).toHaveLength(6)
    const again = await startServerProcess({ ...SETTINGS, dataDir, listen: `${first.host}:${first.port}` })
    const startedAt = performance.now()
    const witnesses = await openWitnesses(again, 'orders', 1, PING_MS)
    const dead = await witnesses.when(doomed.ids, ['suspect', 'down'], LEASE_MS + 10_000)
    const late = await newcomers
    await until(() => witnesses.see([...stayers.ids, ...late.ids], 'up'), 'all who live are up', 15_000)
    measured('provider that died while the registry was away: doubted after its start',
      [...dead.values()].map((at) => at - startedAt)) // prettier-ignore
    const counts = await calls.stop()
    counted('registry and half of the providers killed', counts)
    expect(counts.failed).toBe(0)
    const doubted = witnesses.sightings.flat().filter(({ state }) => state !== 'up').map(({ id }) => id) // prettier-ignore
    expect(new Set(doubted)).toEqual(new Set(doomed.ids))
    expect(witnesses.faults()).toEqual([])
    witnesses.drop()
    await Promise.all([stayers, late].map((each) => each.end()))
    await again.stop()
  })
})
