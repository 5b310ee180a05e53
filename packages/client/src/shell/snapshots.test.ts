/** Lists on disk, shared by processes. */
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signOf } from '@rollcall/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StoredList } from '../machine/events.js'
import { instance } from '../clusters/stage.fixture.js'
import type { SnapshotStore } from './snapshots.js'
import { createSnapshotStore } from './snapshots.js'

const ORDERS = { namespace: 'default', service: 'orders' }
const list = (...ids: string[]): StoredList => {
  const instances = ids.map((id) => instance(id))
  return { instances, sign: signOf(instances), ageMs: 0 }
}
const ids = (stored: StoredList | undefined): string[] | undefined => stored?.instances.map((item) => item.id)

describe('snapshot store', () => {
  let dir = ''
  let now = 1_800_000_000_000
  let warnings: string[] = []

  const store = (cluster = 'c1'): SnapshotStore =>
    createSnapshotStore(
      {
        clock: { wallNow: () => now },
        logger: { error() {}, info() {}, debug() {}, warn: (_fields, message) => warnings.push(message) },
      },
      { dir: join(dir, 'snapshots'), cluster },
    )
  const files = async (): Promise<string[]> => (await readdir(join(dir, 'snapshots'))).sort()

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rollcall-snapshots-'))
    now = 1_800_000_000_000
    warnings = []
  })
  afterEach(() => rm(dir, { recursive: true }))

  it('gives back what was kept, with its age', async () => {
    await store().save(ORDERS, { ...list('a', 'b'), ageMs: 500 })
    now += 1_000
    expect(await store().load(ORDERS)).toEqual({ ...list('a', 'b'), ageMs: 1_500 })
  })

  it('knows nothing in the beginning', async () => {
    expect(await store().load(ORDERS)).toBeUndefined()
  })

  it('keeps one file per service', async () => {
    const one = store()
    for (const id of ['a', 'b', 'c']) {
      now += 1
      await one.save(ORDERS, list(id))
    }
    expect(await files()).toHaveLength(1)
    expect(ids(await one.load(ORDERS))).toEqual(['c'])
  })

  it('never gives up a newer list for an older one, no matter which process writes last', async () => {
    const late = store()
    await store().save(ORDERS, list('new'))
    await late.save(ORDERS, { ...list('old'), ageMs: 5_000 })
    expect(ids(await store().load(ORDERS))).toEqual(['new'])
  })

  it('survives many writers at once', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, age) => store().save(ORDERS, { ...list(`age-${age}`), ageMs: age })),
    )
    expect(ids(await store().load(ORDERS))).toEqual(['age-0'])
    expect((await files()).filter((file) => file.endsWith('.tmp'))).toEqual([])
  })

  it('leaves one of two that were written at the same moment, no matter which process looks first', async () => {
    const one = store()
    await one.save(ORDERS, list('a'))
    const [mine = ''] = await files()
    const [before, after] = [mine.replace(/-\d+\.json$/, '-0.json'), mine.replace(/-\d+\.json$/, '-9.json')]
    for (const [other, kept] of [
      [before, mine],
      [after, after],
    ] as const) {
      await copyFile(join(dir, 'snapshots', mine), join(dir, 'snapshots', other))
      await one.save(ORDERS, list('a'))
      expect(await files()).toContain(kept)
    }
  })

  it('writes the latest of what comes while it writes', async () => {
    const one = store()
    await Promise.all(
      ['a', 'b', 'c', 'd'].map((id, index) => one.save(ORDERS, { ...list(id), ageMs: 3 - index })),
    )
    expect(ids(await one.load(ORDERS))).toEqual(['d'])
  })

  it('keeps clusters, namespaces, services and groups apart', async () => {
    const one = store()
    const names = [
      ORDERS,
      { ...ORDERS, namespace: 'n' },
      { ...ORDERS, service: 'x' },
      { ...ORDERS, group: 'g' },
    ]
    for (const [index, name] of names.entries()) await one.save(name, list(String(index)))
    await store('c2').save(ORDERS, list('other'))
    for (const [index, name] of names.entries()) expect(ids(await one.load(name))).toEqual([String(index)])
  })

  it('takes names of any permitted length', async () => {
    const name = { namespace: 'n'.repeat(128), service: 's'.repeat(128), group: 'g'.repeat(128) }
    await store().save(name, list('a'))
    expect(ids(await store().load(name))).toEqual(['a'])
  })

  it.each([
    ['cut off', (text: string) => text.slice(0, text.length / 2)],
    ['changed', (text: string) => text.replace('10.0.0.1', '10.0.0.2')],
    ['empty', () => ''],
    ['something else', () => '{"format":1}'],
  ])('ignores a file that is %s, with a warning', async (_, damage) => {
    await store().save(ORDERS, list('a'))
    const [file = ''] = await files()
    const path = join(dir, 'snapshots', file)
    await writeFile(path, damage(await readFile(path, 'utf8')))
    expect(await store().load(ORDERS)).toBeUndefined()
    expect(warnings).toEqual(['damaged snapshot ignored'])
  })

  it('does not believe a file from the future, and replaces it', async () => {
    await store().save(ORDERS, { ...list('future'), ageMs: -86_400_000 })
    await store().save(ORDERS, list('now'))
    expect(ids(await store().load(ORDERS))).toEqual(['now'])
    expect(await files()).toHaveLength(1)
  })

  it('forgets what was not renewed for a month, and nothing that is not its own', async () => {
    await store().save(ORDERS, list('a'))
    await writeFile(join(dir, 'snapshots', 'notes.json'), '{}')
    now += 31 * 86_400_000
    await store().save({ ...ORDERS, service: 'x' }, list('b'))
    expect(await store().load(ORDERS)).toBeUndefined()
    expect(await files()).toHaveLength(2)
  })

  it('says so when it cannot write', async () => {
    await writeFile(join(dir, 'snapshots'), 'a file in the way')
    await expect(store().save(ORDERS, list('a'))).rejects.toThrow()
  })
})
