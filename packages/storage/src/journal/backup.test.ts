/** Backups of a journal that is being written, and what becomes of them: whole, refused by name and byte, or not there. */
import { HandClock } from '@rollcall/testkit/time'
import { NO_LOGGER, NO_METER, type JournalEntry } from '@rollcall/core'
import { FaultyDisk } from '@rollcall/testkit'
import { describe, expect, it } from 'vitest'
import { readBackup } from './backup-file.js'
import { backupJournal, type BackupDone, type BackupOptions } from './backup.js'
import { encodeFileHeader, FORMAT_VERSION } from './frames.js'
import { entryOf, goneOf, Memory, settle } from './journal.fixture.js'
import { openJournal, type Journal } from './journal.js'
import { restoreJournal } from './restore.js'

const FILE = '/backups/b.backup'
const OPTIONS: BackupOptions = {
  directory: '/data',
  file: FILE,
  attempt: '7',
  wallNow: Date.UTC(2026, 0, 2, 3, 4, 5),
  software: '1.2.3',
}

/** A journal that turns to a new log every few commits, as no real one does. */
const TURNING = { rotateBytesMin: 1_500 }

interface Writer {
  readonly journal: Journal
  /** All entries in the order in which they were appended. */
  readonly entries: JournalEntry[]
  readonly memory: Memory
  readonly put: (entry: JournalEntry) => Promise<string>
}

function diskWithFolder(): FaultyDisk {
  const disk = new FaultyDisk()
  disk.place('/backups/older', Buffer.alloc(1))
  return disk
}

async function open(disk: FaultyDisk, options: { rotateBytesMin?: number } = {}): Promise<Writer> {
  const memory = new Memory()
  const entries: JournalEntry[] = []
  const { journal, recovered } = await openJournal(
    {
      disk,
      clock: new HandClock(),
      logger: NO_LOGGER,
      meter: NO_METER,
      snapshotSource: () => memory.entries(),
    },
    { directory: '/data', ...options },
  )
  for (const entry of recovered.entries) memory.apply(entry)
  const put = (entry: JournalEntry): Promise<string> => {
    entries.push(entry)
    memory.apply(entry)
    return journal.append([entry])
  }
  return { journal, entries, memory, put }
}

/** What the k-th write is: versions of a few instances, and deregistrations. */
const write = (k: number): JournalEntry => (k % 7 === 0 ? goneOf(k % 5, k) : entryOf(k % 5, k))

const stateOf = (memory: Memory): unknown => Object.fromEntries(memory.records)

const backUp = (disk: FaultyDisk, options: Partial<BackupOptions> = {}): Promise<BackupDone> =>
  backupJournal(disk, { ...OPTIONS, ...options })

async function restored(disk: FaultyDisk, file = FILE): Promise<Memory> {
  await restoreJournal(disk, file, '/new')
  return journalOf(disk, '/new')
}

/** A journal with some entries that no process has, and a backup of it. */
async function smallBackup(): Promise<{ disk: FaultyDisk; done: BackupDone }> {
  const disk = diskWithFolder()
  const { journal, put } = await open(disk)
  for (let k = 1; k <= 9; k++) await put(write(k))
  await journal.close()
  return { disk, done: await backUp(disk) }
}

describe('a backup beside a journal that is being written', () => {
  it('is one moment of it, with everything that was acknowledged when it began', async () => {
    let turnsMax = 0
    for (let round = 0; round < 60; round++) {
      const disk = diskWithFolder()
      const { journal, entries, put } = await open(disk, TURNING)
      let acked = 0
      let k = 0
      let stop = false
      const writing = (async () => {
        while (!stop) {
          await put(write(++k))
          acked = k
        }
      })()
      for (let turn = 0; turn < round * 3; turn++) await Promise.resolve()
      while (acked < 20 + round) await Promise.resolve()
      const before = acked
      const done = await backUp(disk)
      stop = true
      await writing
      await settle()
      turnsMax = Math.max(turnsMax, journal.health().logNumber)
      const memory = await restored(disk)
      const last = Math.max(...[...memory.records.values()].map(({ content }) => content.rev))
      expect(last).toBeGreaterThanOrEqual(before)
      expect(stateOf(memory)).toEqual(stateOf(Memory.of(entries.slice(0, last))))
      expect(done.fallback).toBeUndefined()
      await journal.close()
    }
    // Otherwise this is no test of rotation.
    expect(turnsMax).toBeGreaterThan(5)
  })

  it('looks again when files are replaced while it reads them', async () => {
    const disk = diskWithFolder()
    const { journal, put, memory } = await open(disk)
    for (let k = 1; k <= 9; k++) await put(write(k))
    await journal.close()
    // Two complete generations of files; the second appears, and the first goes, at the first read of a log.
    const later = disk.copy()
    const writer = await open(later, { rotateBytesMin: 1 })
    await writer.put(entryOf(1, 100))
    await settle()
    await writer.journal.close()
    expect(later.paths()).toContain('/data/snapshot-2.snap')
    memory.apply(entryOf(1, 100))
    let reads = 0
    disk.fault = ({ operation, path }) => {
      if (operation !== 'read' || !path.endsWith('.log') || ++reads > 1) return undefined
      for (const each of disk.paths()) if (each.startsWith('/data/')) disk.take(each)
      for (const each of later.paths()) if (each.startsWith('/data/')) disk.place(each, later.content(each))
      return undefined
    }
    await backUp(disk)
    expect(reads).toBeGreaterThan(1)
    disk.fault = () => undefined
    expect(stateOf(await restored(disk))).toEqual(stateOf(memory))
  })

  it('leaves out a commit that is being written, and says where it ends', async () => {
    const disk = diskWithFolder()
    const { journal, put, entries } = await open(disk)
    for (let k = 1; k <= 4; k++) await put(write(k))
    const end = disk.content('/data/journal-1.log').length
    disk.fault = ({ operation }) => (operation === 'write' ? 'hang' : undefined)
    void put(write(5))
    await settle()
    disk.fault = () => undefined
    const log = disk.content('/data/journal-1.log')
    disk.place('/data/journal-1.log', Buffer.concat([log, log.subarray(end - 40, end - 20)]))
    expect(await backUp(disk)).toMatchObject({ upTo: { file: 'journal-1.log', offset: end } })
    expect(stateOf(await restored(disk))).toEqual(stateOf(Memory.of(entries.slice(0, 4))))
    void journal
  })
})

describe('a backup', () => {
  it('says what is in it and when it was taken', async () => {
    const { done } = await smallBackup()
    expect(done).toMatchObject({
      file: FILE,
      createdAt: '2026-01-02T03:04:05.000Z',
      software: '1.2.3',
      version: FORMAT_VERSION,
      entries: 9,
      content: { instances: 4, removed: 1, overrides: 0, declarations: 0 },
    })
  })

  it('replaces no file, and is not made in the data directory', async () => {
    const { disk } = await smallBackup()
    const before = disk.content(FILE)
    await expect(backUp(disk)).rejects.toMatchObject({ kind: 'occupied' })
    await expect(backUp(disk, { file: '/data/snapshot-9.snap' })).rejects.toMatchObject({ kind: 'occupied' })
    await expect(backUp(disk, { file: '/nowhere/b' })).rejects.toMatchObject({ kind: 'missing' })
    expect(disk.content(FILE)).toEqual(before)
    expect(disk.paths().filter((path) => path.includes('partial'))).toEqual([])
  })

  it('is not made of a journal that a node would refuse', async () => {
    const { disk } = await smallBackup()
    const log = disk.content('/data/journal-1.log')
    log[80] = (log[80] ?? 0) ^ 1
    disk.place('/data/journal-1.log', log)
    await expect(backUp(disk, { file: '/backups/c' })).rejects.toMatchObject({
      kind: 'damaged',
      file: 'journal-1.log',
      offset: 32,
    })
    await expect(backUp(disk, { directory: '/backups', file: '/data/c' })).rejects.toMatchObject({
      kind: 'missing',
    })
  })

  it.each(['ENOSPC', 'EIO'] as const)('that meets %s at any call leaves no file', async (fault) => {
    const { disk } = await smallBackup()
    for (let at = 0; ; at++) {
      const copy = disk.copy()
      copy.fault = ({ index }) => (index === at ? fault : undefined)
      const file = '/backups/c'
      const error: unknown = await backUp(copy, { file }).catch((reason: unknown) => reason)
      if (copy.calls <= at) break
      expect(error, `call ${at}`).toMatchObject({ kind: 'io', file: 'c' })
      expect(copy.paths().filter((path) => path.endsWith('.partial'))).toEqual([])
      // After its rename it is whole; what failed is to make the name durable.
      if (copy.paths().includes(file)) await readBackup(copy, file)
    }
  })

  it('that is killed, or loses power, at any call is whole under its name or not there', async () => {
    const { disk } = await smallBackup()
    const file = '/backups/c'
    const seen = new Set<boolean>()
    for (let at = 0; ; at++) {
      const copy = disk.copy()
      copy.fault = ({ index }) => (index === at ? 'crash' : undefined)
      await Promise.race([backUp(copy, { file }), settle()])
      if (copy.calls <= at) break
      for (const after of [
        copy.copy(),
        ...[1, 2, 3, 4].map((seed) => copy.crash(randomOf(seed * 31 + at))),
      ]) {
        const isThere = after.paths().includes(file)
        seen.add(isThere)
        if (isThere) expect((await readBackup(after, file)).entries).toHaveLength(9)
        expect(stateOf(await journalOf(after, '/data'))).toEqual(
          stateOf(await journalOf(disk.copy(), '/data')),
        )
      }
    }
    expect(seen).toEqual(new Set([false, true]))
  })

  it('of which a byte was changed, or the end is missing, is refused by its name and the byte', async () => {
    const { disk } = await smallBackup()
    const whole = disk.content(FILE)
    for (let at = 0; at < whole.length; at++) {
      const copy = Buffer.from(whole)
      copy[at] = (copy[at] ?? 0) ^ 0x10
      disk.place(FILE, copy)
      const error: unknown = await readBackup(disk, FILE).catch((reason: unknown) => reason)
      expect(error, `byte ${at}`).toMatchObject({ kind: 'damaged', file: 'b.backup' })
      const { offset, message } = error as { offset: number; message: string }
      expect(offset).toBeLessThanOrEqual(at)
      expect(message).toContain(`b.backup cannot be trusted from byte ${offset} on`)
      disk.place(FILE, whole.subarray(0, at))
      await expect(readBackup(disk, FILE), `cut at ${at}`).rejects.toMatchObject({ kind: 'damaged' })
    }
    disk.place(FILE, whole)
    expect((await readBackup(disk, FILE)).entries).toHaveLength(9)
  })

  it('of a version to come is refused by that, and of a journal file too', async () => {
    const { disk } = await smallBackup()
    const header = encodeFileHeader({ kind: 'backup', number: 1, sealed: 0 }, FORMAT_VERSION + 1)
    disk.place(FILE, Buffer.concat([header, disk.content(FILE).subarray(header.length)]))
    await expect(restored(disk)).rejects.toMatchObject({ kind: 'unknown-version', message: /or a newer one/ })
    await expect(restored(disk, '/data/journal-1.log')).rejects.toMatchObject({ kind: 'damaged', offset: 0 })
    await expect(restored(disk, '/backups/none')).rejects.toMatchObject({ kind: 'io' })
    expect(disk.paths().some((path) => path.startsWith('/new'))).toBe(false)
  })
})

describe('a restore', () => {
  it('goes into an empty directory only, and one that no process has', async () => {
    const { disk } = await smallBackup()
    const { journal } = await openJournal(
      { disk, clock: new HandClock(), logger: NO_LOGGER, meter: NO_METER, snapshotSource: () => [] },
      { directory: '/running' },
    )
    for (const path of disk.paths()) if (path.startsWith('/running/')) disk.take(path)
    await expect(restoreJournal(disk, FILE, '/running')).rejects.toThrow('/running is in use')
    await expect(restoreJournal(disk, FILE, '/data')).rejects.toMatchObject({
      kind: 'occupied',
      message: /journal-1\.log/,
    })
    disk.place('/other/notes.txt', Buffer.from('kept'))
    await expect(restoreJournal(disk, FILE, '/other')).rejects.toMatchObject({ kind: 'occupied' })
    expect(disk.paths().filter((path) => path.startsWith('/running/') || path.startsWith('/other/'))).toEqual(
      ['/other/notes.txt'],
    )
    void journal
  })

  it('of a damaged backup makes nothing', async () => {
    const { disk } = await smallBackup()
    const bytes = disk.content(FILE)
    bytes[100] = (bytes[100] ?? 0) ^ 1
    disk.place(FILE, bytes)
    await expect(restoreJournal(disk, FILE, '/new')).rejects.toMatchObject({
      kind: 'damaged',
      file: 'b.backup',
    })
    expect(await disk.state('/new')).toBeUndefined()
  })

  it('that meets a full disk leaves the directory as it was, and can be repeated', async () => {
    const { disk } = await smallBackup()
    for (let at = 0; ; at++) {
      const copy = disk.copy()
      copy.fault = ({ index }) => (index === at ? 'ENOSPC' : undefined)
      const error: unknown = await restoreJournal(copy, FILE, '/new').catch((reason: unknown) => reason)
      if (copy.calls <= at) break
      expect(error, `call ${at}`).toMatchObject({ kind: 'io' })
      expect(copy.paths().filter((path) => path.startsWith('/new/'))).toEqual([])
      expect(stateOf(await restored(copy.copy()))).toEqual(stateOf(await journalOf(disk.copy(), '/data')))
    }
  })

  it('that is killed, or loses power, at any call leaves nothing, a whole journal, or one that is refused', async () => {
    const { disk } = await smallBackup()
    const whole = stateOf(await journalOf(disk.copy(), '/data'))
    const seen = new Set<string>()
    for (let at = 0; ; at++) {
      const copy = disk.copy()
      copy.fault = ({ index }) => (index === at ? 'crash' : undefined)
      await Promise.race([restoreJournal(copy, FILE, '/new'), settle()])
      if (copy.calls <= at) break
      for (const after of [
        copy.copy(),
        ...[1, 2, 3, 4].map((seed) => copy.crash(randomOf(seed * 17 + at))),
      ]) {
        const files = after.paths().filter((path) => /^\/new\/.*\.(log|snap)$/.test(path))
        const memory = await journalOf(after, '/new').catch(
          (error: unknown) => (error as { kind: string }).kind,
        )
        seen.add(typeof memory === 'string' ? memory : files.length === 0 ? 'nothing' : 'whole')
        if (files.length > 0 && typeof memory !== 'string') expect(stateOf(memory)).toEqual(whole)
      }
    }
    expect(seen).toEqual(new Set(['missing', 'nothing', 'whole']))
  })
})

/** What a node would start with. */
async function journalOf(disk: FaultyDisk, directory: string): Promise<Memory> {
  const { journal, recovered } = await openJournal(
    { disk, clock: new HandClock(), logger: NO_LOGGER, meter: NO_METER, snapshotSource: () => [] },
    { directory },
  )
  const memory = Memory.of(recovered.entries)
  await journal.close()
  return memory
}

/** Numbers from 0 to below 1, the same for a seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state / 2 ** 32
  }
}
