/** Processes that are killed: how soon everybody knows, one by one and most of a service at once. */
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import { afterAll, describe, expect, it } from 'vitest'
import { createApi } from './http-calls.js'
import { form, measured } from './support/chaos-form.js'
import { startFleet, type Fleet } from './support/fleet.js'
import { endAll } from './support/processes.js'
import { openWitnesses } from './support/witnesses.js'

/** A node has to connect once before a refusal means anything to it, and does so within 100 ms. */
const BASELINE_MS = 400

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

afterAll(async () => {
  await endAll()
  await killServerProcesses()
})

describe('killed with SIGKILL', () => {
  const ROUNDS = form(2, 10)
  const AT_A_TIME = 10
  /** Refusals beyond half of what the node hears in a zone within a lease would have to insist for one, at any pace. */
  const STAYERS = form(100, 400)

  it('ten processes at a time: every subscriber knows within 1 s', async () => {
    const server = await startServerProcess()
    const fleet = { registry: server.url, service: 'orders' }
    const stayers = await startFleet({ ...fleet, sessions: STAYERS })
    const witnesses = await openWitnesses(server, 'orders', 10)
    const perProcess: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const doomed = await Promise.all(
        Array.from({ length: AT_A_TIME }, () => startFleet({ ...fleet, sessions: 3 })),
      )
      await pause(BASELINE_MS)
      witnesses.forget()
      const killedAt = doomed.map((each) => {
        each.kill()
        return performance.now()
      })
      const ids = doomed.flatMap((each) => each.ids)
      const known = await witnesses.when(ids, ['suspect', 'down', 'gone'], 10_000)
      for (const [index, each] of doomed.entries())
        perProcess.push(latest(known, each) - (killedAt[index] ?? Number.NaN))
    }
    const { p99, count } = measured('killed process: the last of 10 subscribers knows', perProcess)
    expect(count).toBe(ROUNDS * AT_A_TIME)
    expect(p99).toBeLessThanOrEqual(1_000)
    expect(witnesses.see(stayers.ids, 'up')).toBe(true)
    expect(witnesses.faults()).toEqual([])
    witnesses.drop()
    await stayers.end()
    await server.stop()
  })
})

describe.concurrent('60 % of a service killed at once, its ports refusing', () => {
  const KILLED = form(12, 60)
  const STAYERS = form(8, 40)
  const LEASE_MS = form(4_000, 15_000)

  it.concurrent.each([
    ['sessions', 2_000],
    ['beats', LEASE_MS / 2 + 300],
  ] as const)(
    'in %s they are down within %i ms, the others stay, nothing is kept',
    async (kind, withinMs) => {
      const server = await startServerProcess()
      const fleet = { registry: server.url, service: 'orders', leaseMs: LEASE_MS, beatMs: LEASE_MS / 3 }
      // Refusals are believed at once up to half of what a node hears in a zone: others are heard there too.
      const [doomed, stayers, others] = await Promise.all([
        startFleet({ ...fleet, [kind]: KILLED }),
        startFleet({ ...fleet, [kind]: STAYERS }),
        startFleet({ ...fleet, service: 'others', sessions: form(10, 50) }),
      ])
      const witnesses = await openWitnesses(server, 'orders', 3)
      await pause(BASELINE_MS)
      const killedAt = performance.now()
      doomed.kill()
      const known = await witnesses.when(doomed.ids, ['down'], 2 * withinMs + 5_000)
      const times = [...known.values()].map((at) => at - killedAt)
      const { max } = measured(`60 % killed, in ${kind}: down`, times)
      expect(max).toBeLessThanOrEqual(withinMs)
      expect(witnesses.see(stayers.ids, 'up')).toBe(true)
      const api = createApi(server)
      expect((await api.get('/api/v1/services/orders')).body).toMatchObject({
        guard: { tripped: false, kept: 0 },
      })
      api.close()
      expect(witnesses.faults()).toEqual([])
      witnesses.drop()
      await Promise.all([stayers, others].map((each) => each.end()))
      await server.stop()
    },
  )
})

function latest(known: ReadonlyMap<string, number>, { ids }: Fleet): number {
  return Math.max(...ids.map((id) => known.get(id) ?? Number.NaN))
}
