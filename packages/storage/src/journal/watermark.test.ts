/** How far the newest log is known to reach: what a cut, empty or missing one is taken for at the next start. */
import { HandClock } from '@rollcall/testkit/time'
import { NO_LOGGER, NO_METER, type Logger } from '@rollcall/core'
import { FaultyDisk } from '@rollcall/testkit'
import { describe, expect, it } from 'vitest'
import { encodeFileHeader, HEADER_BYTES } from './frames.js'
import { entryOf, Memory, settle } from './journal.fixture.js'
import { openJournal } from './journal.js'
import { repairJournal } from './repair.js'
import { verifyJournal } from './verify.js'
import { readWatermark, WatermarkWriter } from './watermark.js'

const LOG_1 = '/data/journal-1.log'
const LOG_2 = '/data/journal-2.log'
const MARK = '/data/journal.mark'
const SNAPSHOT_2 = '/data/snapshot-2.snap'

type End = 'stop' | 'kill'

/** Writes this many frames and ends in good order or by kill -9, some time after the last look at the files. */
async function write(disk: FaultyDisk, frames: number, end: End, looksAfter = frames): Promise<void> {
  const clock = new HandClock()
  const memory = new Memory()
  const { journal, recovered } = await openJournal(
    { disk, clock, logger: NO_LOGGER, meter: NO_METER, snapshotSource: () => memory.entries() },
    { directory: '/data' },
  )
  for (const entry of recovered.entries) memory.apply(entry)
  for (let version = 0; version <= frames; version++) {
    if (version > 0) await journal.append([entryOf(version, version)])
    if (version !== looksAfter) continue
    clock.advance(500)
    await settle()
  }
  if (end === 'stop') await journal.close()
  else disk.unlock('/data')
}

async function start(disk: FaultyDisk): Promise<{ memory: Memory; lines: string[] }> {
  const lines: string[] = []
  const logger: Logger = { ...NO_LOGGER, warn: (_, message) => void lines.push(message) }
  const { journal, recovered } = await openJournal(
    { disk, clock: new HandClock(), logger, meter: NO_METER, snapshotSource: () => [] },
    { directory: '/data' },
  )
  const memory = Memory.of(recovered.entries)
  await journal.close()
  return { memory, lines }
}

async function expectRefused(disk: FaultyDisk, kind: string, file: string): Promise<string> {
  const paths = disk.paths()
  const refusal: unknown = await start(disk).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ name: 'JournalError', kind, file })
  expect(disk.paths()).toEqual(paths)
  const { message } = refusal as Error
  expect(message).toContain('rollcall journal repair --dry-run /data')
  expect(await verifyJournal(disk, '/data')).toMatchObject({ opens: false, refusal: message })
  return message
}

/** Where the frames of a log begin, and its end. */
function borders(content: Buffer): number[] {
  const found: number[] = []
  const magic = Buffer.from([0xff, 0x52, 0x43, 0x46])
  for (let at = content.indexOf(magic); at !== -1; at = content.indexOf(magic, at + 1)) found.push(at)
  return [...found, content.length]
}

describe('a log that was cut', () => {
  it('after a stop in good order is refused wherever it was cut, between two frames too', async () => {
    const disk = new FaultyDisk()
    await write(disk, 3, 'stop')
    const length = disk.content(LOG_1).length
    for (let cut = HEADER_BYTES; cut < length; cut++) {
      const damaged = disk.copy()
      damaged.cut(LOG_1, cut)
      await expectRefused(damaged, 'damaged', 'journal-1.log')
    }
    expect((await start(disk)).memory.revOf(3)).toBe(3)
  })

  it('says how much is missing, and a repair keeps the rest and opens', async () => {
    const disk = new FaultyDisk()
    await write(disk, 3, 'stop')
    const [, , third = 0, length = 0] = borders(disk.content(LOG_1))
    disk.cut(LOG_1, third)
    const message = await expectRefused(disk, 'damaged', 'journal-1.log')
    expect(message).toContain(
      `journal-1.log cannot be trusted from byte ${third} on: ${length - third} bytes at its end are missing`,
    )
    const report = await repairJournal(disk, '/data')
    expect(report).toMatchObject({
      keptEntries: 2,
      dropped: [{ file: 'journal-1.log', offset: third, bytes: length - third }],
    })
    const { memory } = await start(disk)
    expect([1, 2, 3].map((index) => memory.revOf(index))).toEqual([1, 2, undefined])
  })

  it('after kill -9 is refused as far as the last look had seen it; beyond, it cannot be told from a crash', async () => {
    const disk = new FaultyDisk()
    await write(disk, 4, 'kill', 2)
    const [, second = 0, third = 0, fourth = 0, end = 0] = borders(disk.content(LOG_1))
    for (const cut of [second, third - 16]) {
      const damaged = disk.copy()
      damaged.cut(LOG_1, cut)
      await expectRefused(damaged, 'damaged', 'journal-1.log')
    }
    for (const [cut, lines] of [
      [third, []],
      [fourth, []],
      [
        end - 8,
        ['journal: cut an unfinished write off the end of the last log; probably it was never acknowledged'],
      ],
    ] as const) {
      const torn = disk.copy()
      torn.cut(LOG_1, cut)
      expect((await start(torn)).lines).toEqual(lines)
    }
  })

  it('is looked after again by the next process', async () => {
    expect.hasAssertions()
    const disk = new FaultyDisk()
    await write(disk, 2, 'kill')
    await write(disk, 2, 'stop')
    const last = borders(disk.content(LOG_1)).at(-2) ?? 0
    disk.cut(LOG_1, last)
    await expectRefused(disk, 'damaged', 'journal-1.log')
  })
})

describe('a log that is gone', () => {
  /** Two logs of which the older one is whole by itself. */
  async function twoLogs(): Promise<FaultyDisk> {
    const disk = new FaultyDisk()
    await write(disk, 2, 'stop')
    disk.place(LOG_2, encodeFileHeader({ kind: 'log', number: 2, sealed: disk.content(LOG_1).length }))
    await write(disk, 1, 'stop')
    return disk
  }

  it('was the newest of several: it is missed, and a repair says so', async () => {
    const disk = await twoLogs()
    disk.take(LOG_2)
    const message = await expectRefused(disk, 'missing', 'journal-2.log')
    expect(message).toMatch(/^journal-2.log is missing, and went to byte \d+/)
    expect(await repairJournal(disk, '/data')).toMatchObject({
      keptEntries: 2,
      dropped: [{ file: 'journal-2.log', why: 'the file is missing' }],
      written: ['snapshot-3.snap', 'journal-3.log'],
    })
    expect((await start(disk)).memory.revOf(2)).toBe(2)
  })

  it('was the only one: the node does not begin anew without a word', async () => {
    const disk = new FaultyDisk()
    await write(disk, 2, 'stop')
    disk.take(LOG_1)
    await expectRefused(disk, 'missing', 'journal-1.log')
    await repairJournal(disk, '/data')
    expect([...(await start(disk)).memory.entries()]).toEqual([])
  })

  it('carried nothing: nothing is missed', async () => {
    const disk = new FaultyDisk()
    await write(disk, 0, 'stop')
    disk.take(LOG_1)
    expect(await start(disk)).toMatchObject({ lines: [] })
  })
})

describe('a newest log that is empty', () => {
  const MADE_ANEW = 'journal: the last log is empty and nothing was ever acknowledged from it; made anew'

  it.each([
    ['no byte', 0],
    ['zeros', 4_096],
  ])('of %s and carried nothing is made anew', async (_, bytes) => {
    for (const end of ['stop', 'kill'] as const) {
      const disk = new FaultyDisk()
      await write(disk, 0, end)
      disk.place(LOG_1, Buffer.alloc(bytes))
      expect(await verifyJournal(disk, '/data')).toMatchObject({ opens: true, entries: 0 })
      expect((await start(disk)).lines).toEqual([MADE_ANEW])
      expect(disk.content(LOG_1)).toHaveLength(HEADER_BYTES)
      await write(disk, 2, 'kill')
      expect((await start(disk)).memory.revOf(2)).toBe(2)
    }
  })

  it('seals the log before it as that one is found', async () => {
    const disk = new FaultyDisk()
    await write(disk, 3, 'stop')
    disk.place(LOG_2, Buffer.alloc(0))
    const { lines, memory } = await start(disk)
    expect(lines).toEqual([MADE_ANEW])
    expect(memory.revOf(3)).toBe(3)
    await write(disk, 5, 'stop')
    expect((await start(disk)).memory.revOf(5)).toBe(5)
    disk.cut(LOG_1, disk.content(LOG_1).length - 1)
    await expectRefused(disk, 'damaged', 'journal-1.log')
  })

  it('seals the log before it without an unfinished write at its end', async () => {
    const disk = new FaultyDisk()
    await write(disk, 3, 'kill', 1)
    disk.cut(LOG_1, disk.content(LOG_1).length - 8)
    disk.place(LOG_2, Buffer.alloc(0))
    const { memory } = await start(disk)
    expect([2, 3].map((index) => memory.revOf(index))).toEqual([2, undefined])
    await write(disk, 5, 'stop')
    expect((await start(disk)).memory.revOf(5)).toBe(5)
  })

  it('goes with the snapshot of its number', async () => {
    const disk = new FaultyDisk()
    await write(disk, 3, 'stop')
    disk.cut(LOG_1, disk.content(LOG_1).length - 1)
    await repairJournal(disk, '/data')
    disk.place(LOG_2, Buffer.alloc(0))
    const { lines, memory } = await start(disk)
    expect(lines).toEqual([MADE_ANEW])
    expect(disk.paths()).toContain(SNAPSHOT_2)
    expect(memory.revOf(2)).toBe(2)
  })

  it('and carried entries, or may have, is refused', async () => {
    expect.hasAssertions()
    const disk = new FaultyDisk()
    await write(disk, 1, 'kill', 0)
    disk.place(LOG_1, Buffer.alloc(0))
    await expectRefused(disk, 'damaged', 'journal-1.log')
    // Without a watermark nothing is known, as in a directory of an older version.
    disk.take(MARK)
    await expectRefused(disk, 'damaged', 'journal-1.log')
  })

  it('is no excuse for an empty snapshot, which carried the state', async () => {
    expect.hasAssertions()
    const disk = new FaultyDisk()
    await write(disk, 3, 'stop')
    disk.cut(LOG_1, disk.content(LOG_1).length - 1)
    await repairJournal(disk, '/data')
    disk.place(SNAPSHOT_2, Buffer.alloc(0))
    await expectRefused(disk, 'damaged', 'snapshot-2.snap')
  })
})

describe('a watermark', () => {
  it('is durable before the first acknowledgement for a log, and after a stop', async () => {
    expect.hasAssertions()
    const first = new FaultyDisk()
    await write(first, 3, 'stop')
    const sealed = first.content(LOG_1).length
    first.place(LOG_2, encodeFileHeader({ kind: 'log', number: 2, sealed }))
    await write(first, 1, 'kill', 2)
    const crashed = first.crash(() => 0)
    crashed.place(LOG_2, Buffer.alloc(0))
    await expectRefused(crashed, 'damaged', 'journal-2.log')
    const stopped = new FaultyDisk()
    await write(stopped, 3, 'stop')
    const left = stopped.crash(() => 0)
    left.cut(LOG_1, borders(left.content(LOG_1)).at(-2) ?? 0)
    await expectRefused(left, 'damaged', 'journal-1.log')
  })

  it('for an older log never lands on that for a newer one', async () => {
    const disk = new FaultyDisk()
    const writer = new WatermarkWriter(disk, '/data')
    let release = (): void => undefined
    const overwrite = disk.overwrite.bind(disk)
    const gate = new Promise<void>((resolve) => (release = resolve))
    disk.overwrite = async (path, bytes) => {
      disk.overwrite = overwrite
      await gate
      return overwrite(path, bytes)
    }
    const older = writer.write({ number: 1, length: 500 })
    const newer = writer.writeDurably({ number: 2, length: 64 })
    await settle()
    release()
    await Promise.all([older, newer])
    await writer.write({ number: 1, length: 900 })
    expect(await readWatermark(disk, '/data')).toEqual({ number: 2, length: 64 })
  })

  it('that cannot be read says nothing, and keeps no node from starting', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(HEADER_BYTES), Buffer.from('ROLLCALL')]) {
      const disk = new FaultyDisk()
      await write(disk, 2, 'stop')
      disk.place(MARK, bytes)
      const report = await verifyJournal(disk, '/data')
      expect(report).toMatchObject({ opens: true, entries: 2 })
      expect(report.files.at(-1)).toMatchObject({ name: 'journal.mark', problems: [{ kind: 'torn' }] })
      expect((await start(disk)).memory.revOf(2)).toBe(2)
      expect((await verifyJournal(disk, '/data')).files.at(-1)?.problems).toEqual([])
    }
  })

  it('that is not written keeps no acknowledgement back, but that of the first entry of a log', async () => {
    const disk = new FaultyDisk()
    const clock = new HandClock()
    const memory = new Memory()
    const { journal } = await openJournal(
      { disk, clock, logger: NO_LOGGER, meter: NO_METER, snapshotSource: () => memory.entries() },
      { directory: '/data' },
    )
    disk.fault = ({ operation }) => (operation === 'overwrite' ? 'ENOSPC' : undefined)
    clock.advance(500)
    await settle()
    expect(journal.health().failing).toBe(false)
    expect(await journal.append([entryOf(1, 1)])).toBe('memory')
    disk.fault = () => undefined
    memory.apply(entryOf(1, 1))
    clock.advance(500)
    await settle()
    expect(await journal.append([entryOf(2, 2)])).toBe('disk')
    disk.fault = ({ operation }) => (operation === 'overwrite' ? 'ENOSPC' : undefined)
    expect(await journal.append([entryOf(3, 3)])).toBe('disk')
    await journal.close()
    disk.fault = () => undefined
    expect((await start(disk)).memory.revOf(3)).toBe(3)
  })
})
