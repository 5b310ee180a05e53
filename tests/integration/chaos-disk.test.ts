/** A disk that is really full: a small file system, filled up under a registry that goes on. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import type { RegisterResponse, View } from '@rollcall/wire'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createApi, metric, type Api } from './http-calls.js'
import { isAble } from './support/abilities.js'
import { counted } from './support/chaos-form.js'
import { startFleet } from './support/fleet.js'
import { endAll, until } from './support/processes.js'
import { openWitnesses } from './support/witnesses.js'

const folder = mkdtempSync(join(tmpdir(), 'rollcall-disk-'))
const ballast = join(folder, 'ballast')

/** Why no file system can be mounted here; undefined where one can. */
function mount(): string | undefined {
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', folder], {
    encoding: 'utf8',
  })
  return status === 0 ? undefined : (error?.message ?? stderr.trim())
}

const unmount = (): void => void spawnSync('umount', ['--lazy', folder])

// server-durability.test.ts has one by a limit.
const mayFill = isAble('a full disk', mount())
if (mayFill) unmount()

function fillUp(): void {
  writeFileSync(ballast, '')
  for (const size of [65_536, 4_096, 1]) {
    try {
      for (;;) appendFileSync(ballast, Buffer.alloc(size))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}

const makeRoom = (): void => rmSync(ballast)

beforeEach(() => void (mayFill && mount()))

afterEach(async () => {
  await endAll()
  await killServerProcesses()
  if (mayFill) unmount()
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

let port = 0

async function register(api: Api, service = 'late'): Promise<string | undefined> {
  const instances = [{ service, host: '10.9.9.9', port: ++port, incarnation: 1 }]
  const { results } = (await api.post('/api/v1/register', { instances })).body as RegisterResponse
  return results[0]?.ok ? results[0].durability : undefined
}

async function viewOf(api: Api, service: string): Promise<View> {
  return (await api.get(`/api/v1/services/${service}`)).body as View
}

describe.runIf(mayFill)('a full disk', () => {
  const data = join(folder, 'data')
  let server: ServerProcess
  let api: Api

  async function serve(): Promise<void> {
    mkdirSync(data, { recursive: true })
    server = await startServerProcess({ dataDir: data })
    api = createApi(server)
  }

  it('changes nothing for anybody but what acknowledgements say, and is made up for when there is room', async () => {
    await serve()
    const fleet = await startFleet({
      registry: server.url,
      service: 'orders',
      sessions: 10,
      beats: 10,
      beatMs: 1_000,
    })
    const witnesses = await openWitnesses(server, 'orders', 2)
    expect(await register(api)).toBe('disk')
    fillUp()
    expect(statSync(ballast).size).toBeGreaterThan(1_000_000)
    await until(async () => (await register(api)) === 'memory', 'the disk is full')
    expect(await metric(api, 'rollcall_journal_failing')).toBe(1)
    expect(await api.get('/readyz')).toMatchObject({ status: 200, body: { ready: true, journal: 'failing' } })
    expect(server.stdout()).toMatch(/"level":"error"[^\n]*journal/)
    // Everything goes on: registering, telling, and noticing deaths.
    const late = await startFleet({ registry: server.url, service: 'orders', sessions: 2 })
    await until(() => witnesses.see(late.ids, 'up'), 'new instances are told')
    await new Promise((resolve) => setTimeout(resolve, 400))
    late.kill()
    const dead = await until(() => witnesses.see(late.ids, 'suspect', 'down'), 'deaths are told', 2_000)
    const leaving = { service: 'late', id: '10.9.9.9:1', incarnation: 1 }
    expect((await api.post('/api/v1/deregister', { instances: [leaving] })).body).toMatchObject({
      removed: [{ id: leaving.id }],
      durability: 'memory',
    })
    expect(witnesses.see(fleet.ids, 'up')).toBe(true)
    makeRoom()
    const recovered = await until(async () => (await register(api)) === 'disk', 'there is room', 15_000)
    await until(async () => (await metric(api, 'rollcall_journal_failing')) === 0, 'it is said')
    expect((await api.get('/readyz')).body).toEqual({ ready: true })
    const { sign, instances } = await viewOf(api, 'late')
    api.close()
    await server.kill()
    await serve()
    const after = await viewOf(api, 'late')
    expect(after.sign).toBe(sign)
    expect(after.instances).toHaveLength(instances.length)
    expect(after.removes).toMatchObject([{ id: leaving.id, reason: 'deregistered' }])
    counted('disk full', { deathKnownMs: Math.round(dead), durableAgainMs: Math.round(recovered) })
    api.close()
    witnesses.drop()
  })

  it('and a killed registry: what only memory had is lost, and comes back with every process that lives', async () => {
    await serve()
    const before = await startFleet({ registry: server.url, service: 'orders', sessions: 5 })
    fillUp()
    await until(async () => (await register(api)) === 'memory', 'the disk is full')
    const during = await startFleet({
      registry: server.url,
      service: 'orders',
      sessions: 5,
      beats: 5,
      beatMs: 500,
    })
    const listen = `${server.host}:${server.port}`
    api.close()
    await server.kill()
    // It starts again although there is still no room.
    server = await startServerProcess({ dataDir: data, listen })
    api = createApi(server)
    const listed = async (): Promise<number> => (await viewOf(api, 'orders')).instances?.length ?? 0
    const least = await listed()
    const backMs = await until(async () => (await listed()) === 15, 'all are back', 15_000)
    // Five are on disk, or were so quickly back that no list missed them.
    expect(least).toBeGreaterThanOrEqual(before.ids.length)
    const ids = (await viewOf(api, 'orders')).instances
      .filter(({ state }) => state === 'up')
      .map(({ id }) => id)
    expect(ids.toSorted()).toEqual([...before.ids, ...during.ids].toSorted())
    expect(await register(api)).toBe('memory')
    makeRoom()
    await until(async () => (await register(api)) === 'disk', 'there is room', 15_000)
    counted('disk full and registry killed', { leastListed: least, allBackMs: Math.round(backMs) })
    api.close()
  })
})
