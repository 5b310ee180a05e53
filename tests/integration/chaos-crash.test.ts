/** kill -9 under writers, again and again: what was acknowledged as durable is there, and nothing else is. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import type { HeartbeatResponse, View } from '@rollcall/wire'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createApi, type Api } from './http-calls.js'
import { openStream } from './subscribers.js'
import { counted, form } from './support/chaos-form.js'
import { Ledger, load, type Send } from './support/ledger.js'

/** Small logs, so that snapshots and rotations take part. */
const SMALL = ['--journal-rotate-bytes-min', '65536']
/** Rounds that one ledger is held against: more would outlive the leases of what nobody renews. */
const ROUNDS_OF_A_LEDGER = 4

let data: string

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rollcall-crash-'))
})

afterEach(async () => {
  await killServerProcesses()
  rmSync(data, { recursive: true, force: true })
})

/** Half of the writers speak HTTP, half of them the stream. */
async function writersOf(
  server: Awaited<ReturnType<typeof startServerProcess>>,
  each: number,
): Promise<{ senders: Send[]; apis: Api[] }> {
  const apis = Array.from({ length: each }, () => createApi(server))
  const streams = await Promise.all(apis.map(() => openStream(server)))
  const senders = [
    ...apis.map(
      (api): Send =>
        async (type, body) =>
          (await api.post(`/api/v1/${type}`, body)).body,
    ),
    ...streams.map(
      (stream): Send =>
        (type, body) =>
          stream.ask({ type, ...body } as never),
    ),
  ]
  return { senders, apis }
}

/** Starts the server anew and holds it against the ledger. */
async function check(ledger: Ledger): Promise<void> {
  const server = await startServerProcess({ dataDir: data, args: SMALL })
  const api = createApi(server)
  const view = (await api.get(`/api/v1/services/${ledger.service}`)).body as View
  expect(ledger.faultsOf(view)).toEqual([])
  // An incarnation that was deregistered is told so, also by the server that never saw it leave.
  const instances = [...ledger.left].map((id) => ({ service: ledger.service, id, incarnation: 1 }))
  expect(instances.length).toBeGreaterThan(100)
  const { deregistered } = (await api.post('/api/v1/heartbeat', { instances })).body as HeartbeatResponse
  expect(deregistered).toHaveLength(ledger.left.size)
  api.close()
  await server.kill()
}

it(
  'loses nothing acknowledged, invents nothing, and brings nothing back',
  async () => {
    let ledger = new Ledger('load-0')
    let acknowledged = 0
    const rounds = form(2, 40)
    for (let round = 0; round < rounds; round++) {
      if (round > 0 && round % ROUNDS_OF_A_LEDGER === 0) ledger = new Ledger(`load-${round}`)
      const server = await startServerProcess({ dataDir: data, args: SMALL })
      const { senders, apis } = await writersOf(server, form(2, 4))
      const before = ledger.acked.size
      const loads = senders.map((send, at) => load(`r${round}w${at}`, ledger, send))
      await expect
        .poll(() => ledger.acked.size, { interval: 1 })
        .toBeGreaterThan(before + 1_000 + 333 * (round % ROUNDS_OF_A_LEDGER))
      await server.kill()
      await Promise.all(loads)
      for (const api of apis) api.close()
      acknowledged += ledger.acked.size - before
      await check(ledger)
    }
    expect(readdirSync(data).some((name) => name.endsWith('.snap'))).toBe(true)
    counted('kill -9 under writers', { rounds, writers: form(4, 8), acknowledged, lost: 0 })
  },
  form(60_000, 1_200_000),
)
