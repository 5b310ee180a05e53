/** Backups of a node that is written to: each restored, and held against what was acknowledged before it began. */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killCommands, startCommand, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import type { RegisterResponse, View } from '@rollcall/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createApi, type Api } from './http-calls.js'
import { isAble } from './support/abilities.js'
import { counted, form, measured } from './support/chaos-form.js'
import { Ledger, load } from './support/ledger.js'

/** A log of so little that it is condensed all the time, and files go while a backup reads them. */
const SMALL = ['--journal-rotate-bytes-min', '65536']
const WRITERS = 8

let folder: string
let data: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-backup-'))
  data = join(folder, 'data')
})

afterEach(async () => {
  await killCommands()
  rmSync(folder, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function journal(...args: string[]): Promise<Ended> {
  const command = startCommand(['journal', ...args])
  const { code } = await command.exited
  return { code, stdout: command.stdout(), stderr: command.stderr() }
}

async function succeed(...args: string[]): Promise<Ended> {
  const ended = await journal(...args)
  expect(ended, args.join(' ')).toMatchObject({ code: 0 })
  return ended
}

/** The writers of a load, until the node dies or they are stopped. */
function startWriters(api: Api, ledger: Ledger): { stop(): Promise<void> } {
  let stopped = false
  const send = async (type: 'register' | 'deregister', body: object): Promise<unknown> => {
    if (stopped) throw new Error('stopped')
    return (await api.post(`/api/v1/${type}`, body)).body
  }
  const writers = Array.from({ length: WRITERS }, (_, n) => load(`w${n}`, ledger, send))
  return {
    async stop() {
      stopped = true
      await Promise.all(writers)
    },
  }
}

/** What had been promised by now: what is sent and leaves later is no fault of a backup that has it. */
function promisesOf(ledger: Ledger): Ledger {
  const now = new Ledger(ledger.service)
  const { sent, leaving } = ledger
  return Object.assign(now, { sent, leaving, acked: new Map(ledger.acked), left: new Set(ledger.left) })
}

async function listOf(server: ServerProcess): Promise<View> {
  const api = createApi(server)
  try {
    return (await api.get('/api/v1/services/load')).body as View
  } finally {
    api.close()
  }
}

/** Restores a backup, starts a node from it, and holds its list against the promises. */
async function faultsOf(backup: string, promises: Ledger): Promise<string[]> {
  const directory = join(folder, `restored-${readdirSync(folder).length}`)
  await succeed('restore', backup, '--data', directory)
  const server = await startServerProcess({ dataDir: directory })
  const faults = promises.faultsOf(await listOf(server))
  await server.kill()
  return faults
}

describe('a backup of a node under eight writers', () => {
  it('holds everything that was acknowledged when it began, each time, and costs no acknowledgement', async () => {
    const server = await startServerProcess({ dataDir: data, args: SMALL })
    const api = createApi(server)
    const ledger = new Ledger()
    const writers = startWriters(api, ledger)
    const taken: { readonly backup: string; readonly promises: Ledger }[] = []
    const durations: number[] = []
    const rounds = form(5, 60)
    for (let round = 0; round < rounds; round++) {
      const soFar = ledger.acked.size
      await expect.poll(() => ledger.acked.size).toBeGreaterThan(soFar + 200)
      const promises = promisesOf(ledger)
      const backup = join(folder, `${round}.backup`)
      const began = performance.now()
      await succeed('backup', '--data', data, '--to', backup)
      durations.push(performance.now() - began)
      taken.push({ backup, promises })
    }
    expect((await api.get('/metrics')).body).toMatch(/^rollcall_journal_failing 0$/m)
    await writers.stop()
    const rotations = Number(
      readdirSync(data)
        .find((name) => name.endsWith('.snap'))
        ?.match(/\d+/)?.[0],
    )
    await server.stop()
    api.close()
    // Each backup is checked in its content; a node is started from some.
    for (const [round, { backup, promises }] of taken.entries()) {
      await succeed('verify', backup)
      if (round % form(2, 6) === 0) expect(await faultsOf(backup, promises), backup).toEqual([])
    }
    expect(rotations).toBeGreaterThanOrEqual(3)
    measured('backup beside a node under eight writers, command included', durations)
    counted('backups', { rounds, rotations, acknowledged: ledger.acked.size, left: ledger.left.size })
  })

  it('is as good when the node is killed meanwhile, and of what it left', async () => {
    for (let round = 0; round < form(1, 10); round++) {
      const directory = join(folder, `node-${round}`)
      const server = await startServerProcess({ dataDir: directory, args: SMALL })
      const api = createApi(server)
      const ledger = new Ledger()
      const writers = startWriters(api, ledger)
      await expect.poll(() => ledger.acked.size).toBeGreaterThan(300)
      const promises = promisesOf(ledger)
      const [during, after] = ['during', 'after'].map((name) => join(folder, `${round}-${name}.backup`))
      const backup = succeed('backup', '--data', directory, '--to', during ?? '')
      await expect.poll(() => ledger.acked.size).toBeGreaterThan(promises.acked.size)
      await server.kill()
      await writers.stop()
      await backup
      expect(await faultsOf(during ?? '', promises)).toEqual([])
      await succeed('backup', '--data', directory, '--to', after ?? '')
      expect(await faultsOf(after ?? '', ledger)).toEqual([])
      api.close()
    }
  })
})

/** A node that has been there for a while, with a list that takes time to copy. */
async function fill(server: ServerProcess, instances: number): Promise<void> {
  const api = createApi(server)
  for (let from = 0; from < instances; from += 5_000) {
    const batch = Array.from({ length: 5_000 }, (_, n) => ({
      service: 'load',
      host: '127.0.0.1',
      port: 1,
      id: `filler-${from + n}`,
      incarnation: 1,
      // Nothing beats for them. On a slow machine they must not fall silent before the test ends, which a guard would log.
      leaseMs: 600_000,
      metadata: { filler: 'x'.repeat(60) },
    }))
    const { results } = (await api.post('/api/v1/register', { instances: batch })).body as RegisterResponse
    expect(results.every((result) => result.ok && result.durability === 'disk')).toBe(true)
  }
  api.close()
}

describe('a backup that does not come to its end', () => {
  it('has no file under its name after kill -9, or a whole one, and the node knows nothing of it', async () => {
    const server = await startServerProcess({ dataDir: data })
    await fill(server, 30_000)
    const seen = { killed: 0, whole: 0, partial: 0 }
    for (let round = 0; round < form(6, 40); round++) {
      const backup = join(folder, `${round}.backup`)
      const command = startCommand(['journal', 'backup', '--data', data, '--to', backup])
      // Some are killed at a time, and some as soon as there is something to see of them.
      const partial = (): boolean => readdirSync(folder).some((name) => name.startsWith(`${round}.backup.`))
      if (round % 2 === 0)
        await expect.poll(() => partial() || existsSync(backup), { interval: 1 }).toBe(true)
      else await new Promise((resolve) => setTimeout(resolve, round * 60))
      await command.kill()
      if (partial()) seen.partial++
      if (!existsSync(backup)) seen.killed++
      else {
        seen.whole++
        await succeed('verify', backup)
      }
    }
    expect(seen.killed).toBeGreaterThan(0)
    expect(seen.partial).toBeGreaterThan(0)
    counted('backups killed', seen)
    const backup = join(folder, 'last.backup')
    const { stdout } = await succeed('backup', '--data', data, '--to', backup)
    expect(stdout).toContain('30000 instances')
    expect(server.stdout()).not.toMatch(/"level":"(warn|error)"/)
  })

  const probe = mkdtempSync(join(tmpdir(), 'rollcall-mount-'))
  const mayMount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe]).status === 0
  if (mayMount) spawnSync('umount', [probe])
  rmSync(probe, { recursive: true, force: true })

  it.runIf(isAble('a small file system', mayMount ? undefined : 'none may be mounted'))(
    'says that the disk is full and leaves nothing there; so does a restore, which can be repeated',
    async () => {
      const server = await startServerProcess({ dataDir: data })
      await fill(server, 20_000)
      const full = join(folder, 'full')
      mkdirSync(full)
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', full]).status).toBe(0)
      try {
        const refused = await journal('backup', '--data', data, '--to', join(full, 'b'))
        expect(refused).toMatchObject({
          code: 1,
          stdout: '',
          stderr: expect.stringContaining('ENOSPC') as string,
        })
        expect(readdirSync(full)).toEqual([])
        const backup = join(folder, 'whole.backup')
        await succeed('backup', '--data', data, '--to', backup)
        expect(await journal('restore', backup, '--data', join(full, 'data'))).toMatchObject({ code: 1 })
        expect(readdirSync(join(full, 'data'))).toEqual(['LOCK'])
        spawnSync('mount', ['-o', 'remount,size=64m', full])
        await succeed('restore', backup, '--data', join(full, 'data'))
      } finally {
        await killCommands()
        spawnSync('umount', ['-l', full])
      }
    },
  )
})

describe('a backup that was damaged', () => {
  it('is refused by its name and the byte, and nothing is made of it', async () => {
    const server = await startServerProcess({ dataDir: data })
    const api = createApi(server)
    await api.post('/api/v1/register', { instances: [{ service: 'load', host: '127.0.0.1', port: 1 }] })
    const { stdout } = await succeed('backup', '--data', data, '--to', folder)
    const [name = ''] = /rollcall-[0-9TZ.]+\.backup/.exec(stdout) ?? []
    const backup = join(folder, name)
    expect(await journal('restore', backup, '--data', data)).toMatchObject({ code: 1 })
    expect((await journal('backup', '--data', data, '--to', backup)).stderr).toContain(
      'nothing is overwritten',
    )
    const whole = readFileSync(backup)
    const copy = Buffer.from(whole)
    copy[whole.indexOf('"load"')] = 0x21
    writeFileSync(backup, copy)
    for (const args of [
      ['verify', backup],
      ['restore', backup, '--data', join(folder, 'new')],
    ]) {
      const refused = await journal(...args)
      expect(refused.code).toBe(1)
      expect(refused.stderr).toContain(`${name} cannot be trusted from byte 32 on`)
    }
    expect(existsSync(join(folder, 'new'))).toBe(false)
    writeFileSync(backup, whole)
    expect((await succeed('verify', backup)).stdout).toContain('1 instance,')
    // The node has its directory, though its files were moved away.
    const elsewhere = join(folder, 'elsewhere')
    cpSync(data, elsewhere, { recursive: true, filter: (source) => !source.endsWith('.sock') })
    for (const file of readdirSync(data)) if (file !== 'LOCK') rmSync(join(data, file))
    expect((await journal('restore', backup, '--data', data)).stderr).toContain(
      `in use by process ${server.pid}`,
    )
    api.close()
  })
})
