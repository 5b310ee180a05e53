/** Data folders of older versions, and one of this: read, continued, verified, repaired, backed up and restored. */
import { HandClock } from '@rollcall/testkit/time'
import { readFileSync } from 'node:fs'
import {
  ANONYMOUS,
  NODE_DEFAULTS,
  NO_LOGGER,
  NO_METER,
  Queries,
  RegistryNode,
  type JournalEntry,
  type StoredRecord,
} from '@rollcall/core'
import { FaultyDisk } from '@rollcall/testkit'
import { describe, expect, it } from 'vitest'
import { backupJournal } from './backup.js'
import { encodeFileHeader, FORMAT_VERSION, HEADER_BYTES } from './frames.js'
import { openJournal } from './journal.js'
import { repairJournal } from './repair.js'
import { restoreJournal } from './restore.js'
import { verifyJournal } from './verify.js'

/** Data folders as earlier versions left them, with what their node showed. */
const FOLDERS = [
  ['1', ['journal-1.log']],
  ['2', ['snapshot-2.snap', 'journal-2.log']],
  ['3', ['snapshot-4.snap', 'journal-4.log']],
  ['4', ['snapshot-2.snap', 'journal-2.log']],
  ['5', ['snapshot-3.snap', 'journal-3.log']],
  ['6', ['snapshot-2.snap', 'journal-2.log']],
] as const

const NOW = 5_000_000

interface Opened {
  readonly node: RegistryNode
  readonly persisted: JournalEntry[]
  readonly close: () => Promise<void>
}

function fixture(version: string, name: string): Buffer {
  return readFileSync(new URL(`./fixtures/version-${version}/${name}`, import.meta.url))
}

function diskOf(version: string, names: readonly string[]): FaultyDisk {
  const disk = new FaultyDisk()
  for (const name of names) disk.place(`/data/${name}`, fixture(version, name))
  return disk
}

async function open(disk: FaultyDisk): Promise<Opened> {
  const persisted: JournalEntry[] = []
  const node = new RegistryNode(
    NOW,
    { ...NODE_DEFAULTS, nodeId: 'new-node' },
    { persist: (entry) => persisted.push(entry), probe: () => undefined, wallNow: () => 1_700_000_100_000 },
  )
  const { journal, recovered } = await openJournal(
    {
      disk,
      clock: new HandClock(),
      logger: NO_LOGGER,
      meter: NO_METER,
      snapshotSource: () => node.snapshot(),
    },
    { directory: '/data' },
  )
  node.load(recovered.entries, NOW)
  return {
    node,
    persisted,
    async close() {
      await journal.append(persisted)
      await journal.close()
    },
  }
}

type Kept = Pick<StoredRecord, 'service' | 'group' | 'id'>

/** Some records in an order of their own: a node that loads them holds what is hidden last. */
function inOrder<T extends Kept>(records: readonly T[]): T[] {
  const nameOf = ({ service, group, id }: Kept): string => `${service}/${group}/${id}`
  return records.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

/** What a node shows, as the fixtures have it. */
function shown(node: RegistryNode): unknown {
  const { directory } = node
  const read = new Queries(node, () => NOW)
  const without = <T extends object>(name: string, value: T): Partial<T> =>
    Object.fromEntries(Object.entries(value).filter(([member]) => member !== name)) as Partial<T>
  return JSON.parse(
    JSON.stringify({
      freezes: read.freezes().map((freeze) => without('ageMs', freeze)),
      overrides: read.overrides({}).overrides.map((override) => without('remainingMs', override)),
      services: read.services({}),
      namespaces: read.namespaces().namespaces,
      count: directory.records,
      records: inOrder(
        [...directory.entries()]
          .filter(({ record }) => !record.id.startsWith('more-'))
          .map(({ record, state }) => ({ ...record, override: undefined, state })),
      ),
    }),
  )
}

describe.each(FOLDERS)('a data folder of version %s', (version, names) => {
  const kept = JSON.parse(fixture(version, 'expected.json').toString()) as { records: Kept[] }
  const expected: unknown = { ...kept, records: inOrder(kept.records) }

  it('gives the state that its node had: overrides, freezes, declarations, and what was taken back', async () => {
    const { node } = await open(diskOf(version, names))
    expect(shown(node)).toEqual(expected)
    // A cluster's node remembers which history of the engine its records belong to.
    expect(node.epoch).toBe(Number(version) >= 5 ? '0123456789abcdef' : undefined)
  })

  const isOlder = Number(version) < FORMAT_VERSION
  const whatIsNew = 'goes into a log of the present version, and both are read together'
  it.runIf(isOlder)(`is left as it is; what is new ${whatIsNew}`, async () => {
    const disk = diskOf(version, names)
    const { node, close } = await open(disk)
    const step = { caller: { principal: ANONYMOUS }, now: NOW, wallNow: NOW }
    const orders = { namespace: 'default', service: 'orders' }
    node.execute({ kind: 'declareService', ...orders, settings: { groups: ['green'] } }, step)
    const refs = [{ ...orders, group: 'default', id: 'drained' }]
    node.execute({ kind: 'clearOverrides', refs }, step)
    const before = shown(node)
    await close()
    for (const name of names) expect(disk.content(`/data/${name}`)).toEqual(fixture(version, name))
    const log = disk.paths().filter((path) => path.endsWith('.log'))
    expect(log).toHaveLength(2)
    expect(disk.content(log[1] as string).readUInt16LE(8)).toBe(FORMAT_VERSION)
    const again = await open(disk)
    expect(shown(again.node)).toEqual(before)
  })

  it('verifies, and what a repair saves of it is the same state in the present version', async () => {
    const disk = diskOf(version, names)
    expect(await verifyJournal(disk, '/data')).toMatchObject({ opens: true })
    const last = `/data/${names.at(-1)}`
    const torn = disk.content(last)
    // A second frame of the log that is none: damage, whatever came before is kept.
    disk.place(last, Buffer.concat([torn, Buffer.alloc(HEADER_BYTES, 0x41)]))
    expect(await verifyJournal(disk, '/data')).toMatchObject({ opens: false })
    expect(await repairJournal(disk, '/data')).toMatchObject({ needed: true })
    const snapshot = disk.paths().filter((path) => path.endsWith('.snap'))
    expect(disk.content(snapshot[0] as string).readUInt16LE(8)).toBe(FORMAT_VERSION)
    const { node } = await open(disk)
    expect(shown(node)).toEqual(expected)
  })

  it('gives a backup of the present version, and that the same state', async () => {
    const disk = diskOf(version, names)
    disk.place('/backups/older', Buffer.alloc(1))
    const options = { directory: '/data', file: '/backups/b', attempt: '1', wallNow: 0, software: '1' }
    expect(await backupJournal(disk, options)).toMatchObject({ version: FORMAT_VERSION })
    for (const name of names) disk.take(`/data/${name}`)
    await restoreJournal(disk, '/backups/b', '/data')
    const { node } = await open(disk)
    expect(shown(node)).toEqual(expected)
  })
})

it('a file of a version to come decides, whatever is wrong beside it: no repair by this version is proposed', async () => {
  const disk = diskOf('3', ['snapshot-4.snap', 'journal-4.log'])
  const log = disk.content('/data/journal-4.log')
  log[100] = (log[100] ?? 0) ^ 1
  disk.place('/data/journal-4.log', log)
  expect((await verifyJournal(disk, '/data')).refusal).toContain('rollcall journal repair')
  disk.place(
    '/data/snapshot-3.snap',
    encodeFileHeader({ kind: 'snapshot', number: 3, sealed: 0 }, FORMAT_VERSION + 1),
  )
  const { refusal } = await verifyJournal(disk, '/data')
  expect(refusal).toContain('snapshot-3.snap')
  expect(refusal).toContain('Start the version of Rollcall that wrote it')
  expect(refusal).not.toContain('repair')
  await expect(open(disk)).rejects.toMatchObject({ kind: 'unknown-version' })
})
