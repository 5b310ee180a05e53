/** Snapshots of real processes in surroundings that harm: few descriptors, a disk that hangs, and files of strangers. */
import { execFileSync } from 'node:child_process'
import { chown, mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Rollcall } from '@rollcall/client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { without } from './support/guests/guest.js'
import { type Child, end, endAll, run, start } from './support/processes.js'

const SERVICES = 1_000
let registry: Child
let provider: Rollcall
let dir = ''

beforeAll(async () => {
  registry = await start('registry-child.mjs', '127.0.0.1:0')
  provider = await connect({ registries: [registry.ready], snapshotDir: false })
  await provider.register(
    Array.from({ length: SERVICES }, (_, n) => ({ service: `s${n}`, host: '127.0.0.1', port: 3_000 })),
  )
  dir = await mkdtemp(join(tmpdir(), 'rollcall-client-snapshots-'))
})
afterEach(async () => {
  for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true })
})
afterAll(async () => {
  await provider.close()
  await rm(dir, { recursive: true })
  await endAll()
})

it('are written a few at a time: a process with few descriptors loses none of either', async () => {
  const { output } = await run(
    { script: 'many-snapshots-child.mjs', command: ['prlimit', '--nofile=64:64'] },
    registry.ready,
    String(SERVICES),
    join(dir, 'snapshots'),
  )
  const told = JSON.parse(output) as { written: number; openMax: number; warnings: string[] }
  expect(told).toMatchObject({ written: SERVICES, warnings: [] })
  expect(told.openMax).toBeLessThan(40)
})

it('wait until there is a descriptor again', async () => {
  const own = join(dir, 'own')
  await mkdir(own, { mode: 0o700 })
  const command = ['prlimit', '--nofile=64:64']
  const { output } = await run({ script: 'exhausted-child.mjs', command }, registry.ready, own)
  const warnings = ['snapshots wait until there is a descriptor']
  expect(JSON.parse(output)).toEqual({ before: 0, after: 1, warnings })
})

it('do not hold up close() where their directory hangs', async () => {
  // Node never ends to make a directory there; so would one on a server that is gone.
  const child = await start('closing-child.mjs', registry.ready, 's0', '/proc/nope/x')
  expect(Number(child.ready)).toBeLessThan(5_500)
  await end(child, 'SIGKILL')
})

describe('what a stranger put there', () => {
  /** What a client shows that has no registry. */
  async function seen(snapshotDir: string): Promise<{ source: string; warnings: string[] }> {
    const warnings: string[] = []
    const silent = (): void => undefined
    const logger = {
      debug: silent,
      info: silent,
      error: silent,
      warn({ error }: Readonly<Record<string, unknown>>) {
        if (typeof error === 'string') warnings.push(error)
      },
    }
    const rollcall = await connect({ registries: [], cluster: 'c', snapshotDir, warmup: false, logger })
    const service = rollcall.service('s0')
    await service.ready({ timeoutMs: 500 }).catch(() => undefined)
    const { source } = service
    await rollcall.close()
    return { source, warnings }
  }

  /** A directory with one honest snapshot. */
  async function honest(): Promise<{ own: string; file: string }> {
    const own = join(dir, 'own')
    const rollcall = await connect({
      registries: [registry.ready],
      cluster: 'c',
      snapshotDir: own,
      warmup: false,
      times: { saveMs: 0 },
    })
    await rollcall.service('s0').ready()
    await rollcall.close()
    expect(await seen(own)).toEqual({ source: 'snapshot', warnings: [] })
    return { own, file: join(own, (await readdir(own))[0]!) }
  }

  const root = process.getuid?.() === 0

  it('is not called: neither its directory nor its file is read', async (context) => {
    if (!root) without(context, 'only root can give files to others')
    const { own, file } = await honest()
    await chown(file, 65_534, 65_534)
    expect(await seen(own)).toMatchObject({
      source: 'none',
      warnings: [expect.stringContaining('belongs to the user 65534')],
    })
    await chown(file, 0, 0)
    await chown(own, 65_534, 65_534)
    expect(await seen(own)).toMatchObject({
      source: 'none',
      warnings: [expect.stringContaining('belongs to the user 65534')],
    })
    await chown(own, 0, 0)
    expect(await seen(own)).toMatchObject({ source: 'snapshot' })
  })

  it.each([
    ['a pipe', (path: string) => Promise.resolve(execFileSync('mkfifo', ['-m', '600', path]))],
    ['a link to a device', (path: string) => symlink('/dev/zero', path)],
    ['a directory', (path: string) => mkdir(path, { mode: 0o700 })],
  ])('is passed over where it is %s, and hangs nothing', async (_, make) => {
    const { own, file } = await honest()
    await rename(file, join(dir, 'kept'))
    await make(file)
    expect(await seen(own)).toMatchObject({ source: 'none', warnings: [expect.any(String)] })
  })
})
