/** A registry that dies and comes back changes no list: not for the SDK's consumers, not for anybody. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Rollcall } from '@rollcall/client'
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import type { View } from '@rollcall/wire'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createApi, metric } from './http-calls.js'
import { counted, form, measured } from './support/chaos-form.js'

const PROVIDERS = form(30, 200)
const EACH = 10
const SUBSCRIBERS = form(30, 200)
const RESTARTS = form(1, 5)

let dataDir: string
let clients: Rollcall[] = []

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rollcall-restart-'))
})

afterEach(async () => {
  await Promise.all(clients.map((each) => each.close()))
  clients = []
  await killServerProcesses()
  rmSync(dataDir, { recursive: true, force: true })
})

async function client(url: string): Promise<Rollcall> {
  // Two hundred consumers in one process would make 400,000 connections to ports where no process listens.
  const made = await connect({ registries: [url], snapshotDir: false, warmup: false })
  clients.push(made)
  return made
}

it('killed under its instances and subscribers, and started again: no empty list, no removal, no change', async () => {
  const first = await startServerProcess({ dataDir })
  const providers = await Promise.all(Array.from({ length: PROVIDERS }, () => client(first.url)))
  // No process listens on these ports: only the sessions speak for them.
  const registrations = await Promise.all(
    providers.map((provider, p) =>
      provider.register(
        Array.from({ length: EACH }, (_, k) => ({
          service: 'orders',
          host: '127.0.0.1',
          port: 1 + p * EACH + k,
        })),
      ),
    ),
  )
  const all = registrations.flat()
  expect(all.map(({ state }) => state)).toEqual(all.map(() => 'up'))

  const lengths: number[][] = []
  const services = await Promise.all(
    Array.from({ length: SUBSCRIBERS }, async () => {
      const service = (await client(first.url)).service('orders')
      await service.ready()
      const seen: number[] = []
      lengths.push(seen)
      void (async () => {
        for await (const change of service.changes())
          seen.push(change.instances.filter(({ state }) => state === 'up').length)
      })()
      return service
    }),
  )
  const full = Array.from({ length: SUBSCRIBERS }, () => PROVIDERS * EACH)
  await expect.poll(() => lengths.map((seen) => seen.at(-1))).toEqual(full)
  const api = createApi(first)
  const before = (await api.get('/api/v1/services/orders')).body as View
  api.close()
  for (const seen of lengths) seen.length = 0

  const backMs: number[] = []
  for (let restart = 1; restart <= RESTARTS; restart++) {
    await killServerProcesses()
    const killedAt = performance.now()
    for (const service of services) expect(service.pick().state).toBe('up')
    const again = await startServerProcess({ dataDir, listen: `${first.host}:${first.port}` })
    const other = createApi(again)
    await expect.poll(() => metric(other, 'rollcall_stream_sessions')).toBe(PROVIDERS + SUBSCRIBERS)
    await expect.poll(() => metric(other, 'rollcall_budget_used{quota="watchesMax"}')).toBe(SUBSCRIBERS)
    // Each registration was made again by its session (twice where that broke in the rush), and recognised as the same.
    await expect
      .poll(() => metric(other, 'rollcall_registrations_total'))
      .toBeGreaterThanOrEqual(PROVIDERS * EACH)
    backMs.push(performance.now() - killedAt)
    const after = (await other.get('/api/v1/services/orders')).body as View
    expect([restart, after.sign]).toEqual([restart, before.sign])
    expect(after.instances.every(({ state }) => state === 'up')).toBe(true)
    expect(after.removes).toBeUndefined()
    expect(await metric(other, 'rollcall_transitions_total').catch(() => 0)).toBe(0)
    other.close()
    for (const service of services) expect(service.instances()).toHaveLength(PROVIDERS * EACH)
  }
  // No list changed in any subscriber.
  expect(lengths.flat()).toEqual([])
  measured('registry killed and started again: every registration and watch made anew', backMs)
  counted('registry killed and started again', {
    instances: PROVIDERS * EACH,
    subscribers: SUBSCRIBERS,
    restarts: RESTARTS,
    listsChanged: lengths.flat().length,
  })
  expect(all.map(({ state }) => state)).toEqual(all.map(() => 'up'))
}, 180_000)
