/** Lists on disk, shared by processes. */
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ViewName } from '@rollcall/wire'
import { signOf } from '@rollcall/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StoredList } from '../machine/events.js'
import { instance } from '../clusters/stage.fixture.js'
import type { SnapshotContent } from './snapshot-content.js'
import { snapshotText } from './snapshot-content.js'
import type { SnapshotStore } from './snapshots.js'
import { createSnapshotStore } from './snapshots.js'

const ORDERS = { namespace: 'default', service: 'orders' }
const list = (...ids: string[]): StoredList => listOf(ORDERS, ...ids)
const listOf = ({ namespace, service }: ViewName, ...ids: string[]): StoredList => {
  const instances = ids.map((id) => ({ ...instance(id), namespace, service }))
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
        clock: { now: () => now, wallNow: () => now, setTimer: (_, again) => (again(), () => undefined) },
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
    const [before, after] = [
      mine.replace(/-\d+\.json$/, '-0.json'),
      mine.replace(/-\d+\.json$/, '-99999999.json'),
    ]
    for (const [other, kept] of [
      [before, mine],
      [after, after],
    ] as const) {
      await copyFile(join(dir, 'snapshots', mine), join(dir, 'snapshots', other))
      now += 1_000
      await one.save(ORDERS, { ...list('a'), ageMs: now - 1_800_000_000_000 })
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
    for (const [index, name] of names.entries()) await one.save(name, listOf(name, String(index)))
    await store('c2').save(ORDERS, list('other'))
    for (const [index, name] of names.entries()) expect(ids(await one.load(name))).toEqual([String(index)])
  })

  it('takes names of any permitted length', async () => {
    const name = { namespace: 'n'.repeat(128), service: 's'.repeat(128), group: 'g'.repeat(128) }
    await store().save(name, listOf(name, 'a'))
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

  it('says once that it cannot write, and again when it could meanwhile', async () => {
    const one = store()
    await writeFile(join(dir, 'snapshots'), 'a file in the way')
    for (let n = 0; n < 3; n += 1) await one.save(ORDERS, list('a'))
    await rm(join(dir, 'snapshots'))
    await one.save(ORDERS, list('a'))
    await rm(join(dir, 'snapshots'), { recursive: true })
    await writeFile(join(dir, 'snapshots'), 'a file in the way')
    await one.save(ORDERS, list('b'))
    expect(warnings).toEqual(['snapshots cannot be written', 'snapshots cannot be written'])
  })

  it('writes a few at a time, and looks at the directory once for all of them', async () => {
    const one = store()
    const names = Array.from({ length: 50 }, (_, n) => ({ ...ORDERS, service: `s${n}` }))
    let written = 0
    const all = names.map((name) => one.save(name, listOf(name, 'a')).then(() => (written += 1)))
    await all[0]
    expect(written).toBeLessThanOrEqual(2)
    await Promise.all(all)
    expect(await files()).toHaveLength(50)
    for (const name of names) expect(ids(await one.load(name))).toEqual(['a'])
  })

  it('removes what other processes left behind, once a second', async () => {
    const [one, other] = [store(), store()]
    await one.save(ORDERS, list('a'))
    now += 10
    await other.save(ORDERS, list('b'))
    expect(await files()).toHaveLength(1)
    now += 10
    await one.save(ORDERS, list('c'))
    expect(await files()).toHaveLength(2)
    now += 1_000
    await one.save(ORDERS, list('d'))
    expect(await files()).toHaveLength(1)
    expect(ids(await store().load(ORDERS))).toEqual(['d'])
  })
})

describe('a snapshot of a stranger', () => {
  // Permissions are not all there is to it: `tests/integration/client-snapshots.test.ts` has other owners, too.
  let dir = ''
  let warnings: unknown[] = []
  const wallNow = (): number => 1_800_000_000_000
  const open = (path = dir): SnapshotStore =>
    createSnapshotStore(
      {
        clock: { now: wallNow, wallNow, setTimer: () => () => undefined },
        logger: { error() {}, info() {}, debug() {}, warn: (fields) => warnings.push(fields['error']) },
      },
      { dir: path, cluster: 'c1' },
    )
  const only = async (): Promise<string> => join(dir, (await readdir(dir))[0]!)

  beforeEach(async () => {
    dir = join(await mkdtemp(join(tmpdir(), 'rollcall-snapshots-')), 'own')
    warnings = []
    await open().save(ORDERS, list('a'))
  })
  afterEach(() => rm(dirname(dir), { recursive: true }))

  it('is not read where others may write, neither the file nor its directory', async () => {
    await chmod(await only(), 0o620)
    expect(await open().load(ORDERS)).toBeUndefined()
    await chmod(await only(), 0o600)
    await chmod(dir, 0o777)
    expect(await open().load(ORDERS)).toBeUndefined()
    await open().save(ORDERS, list('b'))
    expect(warnings).toEqual([
      'Error: the file may be written by others',
      expect.stringMatching(/own may be written by others: use a directory of this user's own/),
      expect.stringMatching(/own may be written by others/),
    ])
    await chmod(dir, 0o700)
    expect(ids(await open().load(ORDERS))).toEqual(['a'])
  })

  it('is read in a directory of the group, as umask 002 makes them: what others of it put there is theirs', async () => {
    await chmod(dir, 0o775)
    await open().save(ORDERS, list('b'))
    expect(ids(await open().load(ORDERS))).toEqual(['b'])
    expect(warnings).toEqual([])
  })

  it('is not read through a link, but its directory may be one', async () => {
    const file = await only()
    await rename(file, join(dir, 'elsewhere'))
    await symlink(join(dir, 'elsewhere'), file)
    expect(await open().load(ORDERS)).toBeUndefined()
    await rename(join(dir, 'elsewhere'), file)
    const link = join(dirname(dir), 'link')
    await symlink(dir, link)
    expect(ids(await open(link).load(ORDERS))).toEqual(['a'])
  })

  it('is no directory, nor larger than any of ours', async () => {
    const file = await only()
    await truncate(file, 67_108_865)
    expect(await open().load(ORDERS)).toBeUndefined()
    await rm(file)
    await mkdir(file, { mode: 0o700 })
    expect(await open().load(ORDERS)).toBeUndefined()
    expect(warnings).toEqual(['Error: too large', 'Error: not a regular file'])
  })

  it.each<readonly [string, (content: SnapshotContent) => object]>([
    ['instances that are none', (content) => ({ ...content, instances: [null, 5, { id: 'x' }] })],
    ['another sign', (content) => ({ ...content, sign: '0000000000000001' })],
    ['an instance of another service', (content) => ({ ...content, service: 'x' })],
    ['another moment than its name', (content) => ({ ...content, confirmedAtMs: 1 })],
    ['no moment', (content) => ({ ...content, confirmedAtMs: undefined })],
    ['no content', () => []],
  ])('is damaged with the right checksum and %s', async (_, change) => {
    const file = await only()
    const { content } = JSON.parse(await readFile(file, 'utf8')) as { content: SnapshotContent }
    await writeFile(file, snapshotText(change(content) as SnapshotContent))
    expect(await open().load(ORDERS)).toBeUndefined()
    expect(warnings).toHaveLength(1)
  })

  it('wins over no honest one by a moment in the future', async () => {
    const file = await only()
    const { content } = JSON.parse(await readFile(file, 'utf8')) as { content: SnapshotContent }
    const confirmedAtMs = content.confirmedAtMs + 200_000
    const later = file.replace(/~\d{15}-/, `~${String(confirmedAtMs).padStart(15, '0')}-`)
    await writeFile(later, snapshotText({ ...content, confirmedAtMs, ...list('b') }), { mode: 0o600 })
    expect(ids(await open().load(ORDERS))).toEqual(['a'])
  })
})
