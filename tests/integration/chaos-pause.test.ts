/**
 * A registry that stands still (a debugger, a frozen virtual machine, a swapping host) and goes on. Three rules stand
 * behind this one promise, and it breaks only when all are off: the judged clock leaves the stall out, the first tick
 * after it makes no verdict, and mass silence is doubted. Each has unit tests and planted bugs of its own.
 */
import { isDeepStrictEqual } from 'node:util'
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import type { View } from '@rollcall/wire'
import { afterAll, expect, it } from 'vitest'
import { createApi, metric } from './http-calls.js'
import { counted, form } from './support/chaos-form.js'
import { startFleet } from './support/fleet.js'
import { endAll, until } from './support/processes.js'
import { openWitnesses } from './support/witnesses.js'

const STOPPED_MS = form(12_000, 60_000)
/** The long form takes the settings as they come, the short one a third of them, so that 12 s are as long as 36 s. */
const PING_MS = form(1_000, 3_000)
const LEASE_MS = 5 * PING_MS
/** Each in two processes. */
const SESSIONS = form(200, 1_000)
const BEATS = form(200, 1_000)

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

afterAll(async () => {
  await endAll()
  await killServerProcesses()
})

it('stopped and continued under sessions and heartbeats: no instance is suspected, nothing is sent', async () => {
  const server = await startServerProcess({ args: ['--ping-ms', String(PING_MS)] })
  const api = createApi(server)
  // No process listens on these ports: one wrong probe would be enough.
  const fleet = { registry: server.url, service: 'crowd', leaseMs: LEASE_MS, beatMs: LEASE_MS / 3 }
  const fleets = await Promise.all([
    startFleet({ ...fleet, sessions: SESSIONS / 2, silentPortsFrom: 1 }),
    startFleet({ ...fleet, sessions: SESSIONS / 2, silentPortsFrom: 10_001 }),
    startFleet({ ...fleet, beats: BEATS / 2, silentPortsFrom: 20_001 }),
    startFleet({ ...fleet, beats: BEATS / 2, silentPortsFrom: 30_001 }),
  ])
  const witnesses = await openWitnesses(server, 'crowd', 2, PING_MS)
  const allUp = { up: SESSIONS + BEATS }
  await until(() => isDeepStrictEqual(witnesses.states(), allUp), 'all are up', 30_000)
  const changes = (): Promise<number> => metric(api, 'rollcall_transitions_total')
  const before = await changes()
  witnesses.forget()
  server.process.kill('SIGSTOP')
  await pause(STOPPED_MS)
  server.process.kill('SIGCONT')
  // A wrong verdict would come within a lease, when what was read late is judged. Then all are connected, also those
  // that gave the registry up meanwhile.
  await pause(LEASE_MS + 1_000)
  const connected = async (): Promise<boolean> =>
    (await metric(api, 'rollcall_stream_sessions')) === SESSIONS + witnesses.peers.length
  await until(connected, 'every session is back', 30_000)
  expect(witnesses.sightings.flat()).toEqual([])
  expect(witnesses.states()).toEqual(allUp)
  expect(witnesses.faults()).toEqual([])
  const transitions = (await changes()) - before
  expect(transitions).toBe(0)
  expect(await metric(api, 'rollcall_stalls_total')).toBeGreaterThanOrEqual(1)
  const view = (await api.get('/api/v1/services/crowd')).body as View
  expect(view.removes).toBeUndefined()
  counted(`registry stopped for ${STOPPED_MS / 1_000} s`, {
    instances: SESSIONS + BEATS,
    suspected: transitions,
    deltas: witnesses.sightings.flat().length,
  })
  witnesses.drop()
  api.close()
  await Promise.all(fleets.map((each) => each.end()))
  await server.stop()
}, 180_000)
