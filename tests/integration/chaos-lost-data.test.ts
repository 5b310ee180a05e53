/** The data folder of a running server is removed, moved, cut or taken by another one: it says so, and heals where it can. */
import { mkdtempSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import type { RegisterResponse, View } from '@rollcall/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createApi, metric, type Api } from './http-calls.js'
import { counted } from './support/chaos-form.js'
import { until } from './support/processes.js'

let root: string
let data: string
let server: ServerProcess
let api: Api
let ids: string[] = []

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'rollcall-lost-'))
  data = join(root, 'data')
  ids = []
  server = await startServerProcess({ dataDir: data })
  api = createApi(server)
  for (const durability of [await register(), await register()])
    if (durability !== 'disk') throw new Error(`a fresh server answers ${durability}`)
})

afterEach(async () => {
  api.close()
  await killServerProcesses()
  rmSync(root, { recursive: true, force: true })
})

async function register(at = api): Promise<string | undefined> {
  const port = 1_000 + ids.length
  const { results } = (
    await at.post('/api/v1/register', {
      instances: [{ service: 's', host: '10.9.9.9', port, incarnation: 1 }],
    })
  ).body as RegisterResponse
  ids.push(`10.9.9.9:${port}`)
  return results[0]?.ok ? results[0].durability : undefined
}

async function listed(at = api): Promise<string[]> {
  const { instances } = (await at.get('/api/v1/services/s')).body as View
  return instances.map(({ id }) => id).toSorted()
}

const failing = (): Promise<number> => metric(api, 'rollcall_journal_failing')

/** All that was registered is there after a kill -9 and a start from what is on the disk. */
async function expectKept(folder = data): Promise<void> {
  api.close()
  await server.kill()
  server = await startServerProcess({ dataDir: folder })
  api = createApi(server)
  expect(await listed()).toEqual(ids.toSorted())
}

/** Waits for `memory`, which has to come within a second, and for `disk`. */
async function watchHealing(what: string, cause: string): Promise<void> {
  const noticedMs = await until(async () => (await failing()) === 1, 'it is noticed', 1_000)
  expect((await api.get('/readyz')).body).toMatchObject({
    ready: true,
    journal: 'failing',
    journalFault: cause,
  })
  const line = new RegExp(`"level":"error"[^\n]*"fault":"${cause}"[^\n]*the disk refuses`)
  // The log is written behind the events.
  await until(() => line.test(server.stdout()), 'it is logged', 10_000)
  const healedMs = await until(async () => (await failing()) === 0, 'it is healed', 10_000)
  expect(await register()).toBe('disk')
  expect((await api.get('/readyz')).body).toEqual({ ready: true })
  counted(what, { noticedMs: Math.round(noticedMs), healedMs: Math.round(healedMs) })
}

describe('the data folder', () => {
  it('is removed: the next acknowledgement says memory, a second later all is durable again', async () => {
    rmSync(data, { recursive: true })
    expect(await register()).toBe('memory')
    await watchHealing('data folder removed', 'files')
    await expectKept()
  })

  it('is removed while nothing is written', async () => {
    expect.hasAssertions()
    rmSync(data, { recursive: true })
    await watchHealing('data folder removed, idle', 'files')
    await expectKept()
  })

  it('is moved: a new one is made at the old place, and the moved one is left as it is', async () => {
    const moved = join(root, 'moved')
    renameSync(data, moved)
    const before = readdirSync(moved).toSorted()
    await watchHealing('data folder moved', 'files')
    expect(readdirSync(moved).toSorted()).toEqual(before)
    await expectKept()
  })

  it('is moved and another one put in its place: that one is left alone until the server is started anew', async () => {
    const other = await startServerProcess({ dataDir: join(root, 'other') })
    const otherApi = createApi(other)
    await otherApi.post('/api/v1/register', {
      instances: [{ service: 's', host: '10.8.8.8', port: 1, incarnation: 1 }],
    })
    otherApi.close()
    await other.stop()
    renameSync(data, join(root, 'moved'))
    renameSync(join(root, 'other'), data)
    await until(async () => (await failing()) === 1, 'it is noticed', 1_000)
    await until(() => server.stdout().includes('of another journal'), 'it is said', 10_000)
    expect(await register()).toBe('memory')
    ids = ['10.8.8.8:1']
    await expectKept()
  })
})

describe('the log', () => {
  const log = (): string => join(data, readdirSync(data).filter((name) => name.endsWith('.log')).at(-1) ?? '') // prettier-ignore

  it('is removed', async () => {
    rmSync(log())
    expect(await register()).toBe('memory')
    await watchHealing('log removed', 'files')
    await expectKept()
  })

  it('is cut', async () => {
    truncateSync(log(), 40)
    expect(await register()).toBe('memory')
    await watchHealing('log cut', 'files')
    await expectKept()
  })
})

describe('LOCK', () => {
  it('is removed: it is taken again', async () => {
    rmSync(join(data, 'LOCK'), { recursive: true })
    await watchHealing('lock removed', 'lock')
    await expect(startServerProcess({ dataDir: data })).rejects.toThrow(`process ${server.pid}`)
    await expectKept()
  })

  it('is removed and another server takes the folder: the first one writes no more, and what the other keeps is kept', async () => {
    // Stopped meanwhile, or the first one might take it again before the second one has begun.
    process.kill(server.pid, 'SIGSTOP')
    rmSync(join(data, 'LOCK'), { recursive: true })
    const second = await startServerProcess({ dataDir: data })
    process.kill(server.pid, 'SIGCONT')
    const secondApi = createApi(second)
    await until(async () => (await failing()) === 1, 'it is noticed', 1_000)
    const lost = ids.length
    expect(await register()).toBe('memory')
    ids.splice(lost)
    await until(() => server.stdout().includes(`in use by process ${second.pid}`), 'it is said', 10_000)
    // The port of the lost one is used again: by the other server.
    expect(await register(secondApi)).toBe('disk')
    expect(await metric(secondApi, 'rollcall_journal_failing')).toBe(0)
    secondApi.close()
    await second.kill()
    // The first one takes the folder no more, so its end leaves everything of the second in place.
    await until(() => server.stdout().includes('of another journal'), 'it is said', 40_000)
    await expectKept()
  })
})

describe('a stop', () => {
  it('while the disk refuses to the end exits with 1 and says that changes are lost', async () => {
    rmSync(data, { recursive: true })
    // A file where the folder was: nothing can be made there.
    writeFileSync(data, '')
    expect(await register()).toBe('memory')
    expect(await server.stop()).toEqual({ code: 1, signal: null })
    expect(server.stdout()).toMatch(
      /"level":"error"[^\n]*closed while the disk refuses, recent changes are lost/,
    )
  })

  it('right after the folder was removed writes everything anew and exits with 0', async () => {
    rmSync(data, { recursive: true })
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    server = await startServerProcess({ dataDir: data })
    api.close()
    api = createApi(server)
    expect(await listed()).toEqual(ids.toSorted())
  })
})
