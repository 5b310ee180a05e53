/** Silence: of one host, which is noticed in time, and of most of a service, which is not believed. */
import { isDeepStrictEqual } from 'node:util'
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import type { View } from '@rollcall/wire'
import { afterAll, describe, expect, it } from 'vitest'
import { createApi, metric } from './http-calls.js'
import { isAble } from './support/abilities.js'
import { counted, form, measured } from './support/chaos-form.js'
import { createFarHost, farHostsMissing } from './support/far-host.js'
import { startFleet, type Fleet } from './support/fleet.js'
import { endAll, until } from './support/processes.js'
import { openWitnesses, type Witnesses } from './support/witnesses.js'

/** A node has to connect once before a refusal means anything to it, and does so within 100 ms. */
const BASELINE_MS = 400

const ROUNDS = form(1, 5)

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

afterAll(async () => {
  await endAll()
  await killServerProcesses()
})

/** No more than a tenth of all that is heard falls silent: more than that is not a host but a trouble of the node. */
const SILENT = 4
const STAYERS = form(160, 320)

/** Waits until all are known to be silent and gives the time that took each. */
async function noticed(witnesses: Witnesses, ids: readonly string[], since: number): Promise<number[]> {
  const known = await witnesses.when(ids, ['suspect', 'down', 'gone'], 20_000)
  return [...known.values()].map((at) => at - since)
}

const mayCutOff = isAble('a host behind a dead cable', farHostsMissing())

describe.concurrent('a host that goes silent, with the settings as they come', () => {
  it.runIf(mayCutOff)(
    'behind a dead cable: no instance is up 10 s later; what vanished is given up, what was cut off comes back',
    async () => {
      const far = createFarHost()
      try {
        const server = await startServerProcess({ listen: `${far.here}:0`, args: ['--insecure-listen'] })
        const api = createApi(server)
        const here = { registry: server.url, service: 'orders', host: far.here }
        const stayers = await startFleet({ ...here, sessions: STAYERS })
        const witnesses = await openWitnesses(server, 'orders', 3)
        const times: number[] = []
        const returns: number[] = []
        for (let round = 0; round < ROUNDS; round++) {
          const there = { ...here, host: far.there, sessions: SILENT, beats: SILENT }
          const [vanishing, surviving] = await Promise.all([
            startFleet(there, far.command),
            startFleet(there, far.command),
          ])
          await pause(BASELINE_MS)
          expect(witnesses.see([...vanishing.ids, ...surviving.ids], 'up')).toBe(true)
          witnesses.forget()
          far.cut()
          const cutAt = performance.now()
          // The last words of a process that dies behind a dead cable do not arrive: its connections are half open.
          vanishing.kill()
          times.push(...(await noticed(witnesses, [...vanishing.ids, ...surviving.ids], cutAt)))
          const sessions = STAYERS + witnesses.peers.length
          await until(() => performance.now() - cutAt > 9_500, 'three pings are missed', 20_000)
          const given = async (): Promise<boolean> =>
            (await metric(api, 'rollcall_stream_sessions')) === sessions
          await until(given, 'half-open sessions are given up', 2_000)
          witnesses.forget()
          far.heal()
          const healedAt = performance.now()
          const back = await witnesses.when(surviving.ids, ['up'], 20_000)
          returns.push(...[...back.values()].map((at) => at - healedAt))
          await surviving.end()
        }
        const { max } = measured('host silent (dead cable): not up', times)
        measured('host silent (dead cable): up again after the cable was mended', returns)
        expect(max).toBeLessThanOrEqual(10_000)
        expect(witnesses.see(stayers.ids, 'up')).toBe(true)
        expect(witnesses.faults()).toEqual([])
        witnesses.drop()
        api.close()
        await stayers.end()
        await server.stop()
      } finally {
        far.close()
      }
    },
  )

  it('as a process that says nothing and a port that swallows: no instance is up 10 s later, all return at once', async () => {
    const server = await startServerProcess()
    const fleet = { registry: server.url, service: 'orders' }
    const stayers = await startFleet({ ...fleet, sessions: STAYERS })
    const witnesses = await openWitnesses(server, 'orders', 3)
    const times: number[] = []
    const returns: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const silent = await startFleet({ ...fleet, sessions: SILENT, beats: SILENT })
      await pause(BASELINE_MS)
      witnesses.forget()
      const frozenAt = performance.now()
      await silent.freeze()
      times.push(...(await noticed(witnesses, silent.ids, frozenAt)))
      witnesses.forget()
      const thawedAt = performance.now()
      silent.thaw()
      const back = await witnesses.when(silent.ids, ['up'], 10_000)
      returns.push(...[...back.values()].map((at) => at - thawedAt))
      await silent.end()
    }
    const { max } = measured('host silent (frozen process): not up', times)
    const { max: backMs } = measured('host silent (frozen process): up again after it went on', returns)
    expect(max).toBeLessThanOrEqual(10_000)
    expect(backMs).toBeLessThanOrEqual(6_000)
    expect(witnesses.see(stayers.ids, 'up')).toBe(true)
    expect(witnesses.faults()).toEqual([])
    witnesses.drop()
    await stayers.end()
    await server.stop()
  })
})

describe('a process that hangs while its ports accept', () => {
  const PING_MS = form(500, 3_000)
  const LEASE_MS = form(2_000, 15_000)
  /** What a loaded machine may add: judged time leaves out whatever the node's own loop was late, so all of it adds up. */
  const SLACK_MS = form(2_000, 8_000)

  it('is suspect at the end of its lease, down within three, and back at once', async () => {
    const server = await startServerProcess({ args: ['--ping-ms', String(PING_MS)] })
    const fleet = { registry: server.url, service: 'orders', leaseMs: LEASE_MS, beatMs: LEASE_MS / 4 }
    const stayers = await startFleet({ ...fleet, sessions: 10 })
    const hanging = await startFleet({ ...fleet, sessions: 2, beats: 2, backlog: 100 })
    const witnesses = await openWitnesses(server, 'orders', 3, PING_MS)
    await pause(BASELINE_MS)
    witnesses.forget()
    const hungAt = performance.now()
    hanging.hang()
    const parts = [
      { kind: 'sessions', ids: hanging.sessions, leaseMs: 3 * PING_MS },
      { kind: 'beats', ids: hanging.beats, leaseMs: LEASE_MS },
    ]
    await Promise.all(
      parts.map(async ({ kind, ids, leaseMs }) => {
        const suspect = await witnesses.when(ids, ['suspect'], leaseMs + 10_000)
        const down = await witnesses.when(ids, ['down'], 3 * leaseMs + 10_000)
        const since = (known: ReadonlyMap<string, number>): number[] =>
          [...known.values()].map((at) => at - hungAt)
        const { max: suspectMs } = measured(`process hangs, in ${kind}: suspect`, since(suspect))
        const { max: downMs } = measured(`process hangs, in ${kind}: down`, since(down))
        expect(suspectMs).toBeLessThanOrEqual(leaseMs + SLACK_MS)
        expect(downMs).toBeLessThanOrEqual(3 * leaseMs + SLACK_MS)
        expect(downMs - suspectMs).toBeGreaterThan(leaseMs)
      }),
    )
    witnesses.forget()
    const thawedAt = performance.now()
    hanging.thaw()
    const back = await witnesses.when(hanging.ids, ['up'], 10_000)
    const { max } = measured(
      'process hangs: up again after it went on',
      [...back.values()].map((at) => at - thawedAt),
    )
    // Its next beat, or its client's new session.
    expect(max).toBeLessThanOrEqual(LEASE_MS / 4 + SLACK_MS)
    expect(witnesses.see(stayers.ids, 'up')).toBe(true)
    expect(witnesses.faults()).toEqual([])
    witnesses.drop()
    await Promise.all([stayers, hanging].map((each) => each.end()))
    await server.stop()
  })
})

describe.concurrent('60 % of a service silent at once, its ports swallowing', () => {
  const SILENCED = form(12, 60)
  const OTHERS = form(8, 40)
  /** What silence may hold down of a service: 30 %. */
  const DOWN = form(6, 30)
  const PING_MS = form(500, 3_000)
  const LEASE_MS = form(2_000, 15_000)

  async function silence(kind: 'sessions' | 'beats', leaseMs: number): Promise<void> {
    const server = await startServerProcess({ args: ['--ping-ms', String(PING_MS)] })
    const api = createApi(server)
    const fleet: Parameters<typeof startFleet>[0] = {
      registry: server.url,
      service: 'orders',
      leaseMs: LEASE_MS,
      beatMs: form(500, 5_000),
    }
    const [silent, others] = await Promise.all([
      startFleet({ ...fleet, [kind]: SILENCED }),
      startFleet({ ...fleet, [kind]: OTHERS }),
    ])
    const witnesses = await openWitnesses(server, 'orders', 3, PING_MS)
    await pause(BASELINE_MS)
    witnesses.forget()
    await silent.freeze()
    // For two leases the node doubts itself; then it suspects, and believes so many deaths as silence may cause.
    const settled = { up: OTHERS, suspect: SILENCED - DOWN, down: DOWN }
    const isSettled = (): boolean => isDeepStrictEqual(witnesses.states(), settled)
    await until(isSettled, JSON.stringify(settled), 8 * leaseMs)
    witnesses.forget()
    await pause(form(5 * leaseMs, 90_000))
    expect(witnesses.states()).toEqual(settled)
    expect(witnesses.sightings.flat()).toEqual([])
    const view = (await api.get('/api/v1/services/orders')).body as View
    expect(view).toMatchObject({ guard: { tripped: true, kept: SILENCED - DOWN } })
    expect(view.removes).toBeUndefined()
    counted(`60 % silent, in ${kind}: kept in the end`, {
      kept: view.guard.kept,
      listed: view.instances.length,
    })
    await returned(witnesses, silent, kind)
    expect((await api.get('/api/v1/services/orders')).body).toMatchObject({
      guard: { tripped: false, kept: 0 },
    })
    expect(witnesses.faults()).toEqual([])
    witnesses.drop()
    api.close()
    await Promise.all([silent, others].map((each) => each.end()))
    await server.stop()
  }

  async function returned(witnesses: Witnesses, silent: Fleet, kind: string): Promise<void> {
    const thawedAt = performance.now()
    silent.thaw()
    const back = await witnesses.when(silent.ids, ['up'], 10_000)
    measured(`60 % silent, in ${kind}: up again`, [...back.values()].map((at) => at - thawedAt)) // prettier-ignore
  }

  it.each([
    ['sessions', 3 * PING_MS],
    ['beats', LEASE_MS],
  ] as const)('in %s the others stay, none is removed, and the guard says so, also much later', silence)
})
