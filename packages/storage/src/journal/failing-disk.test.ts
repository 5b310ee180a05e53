/** A disk that refuses for a while, and rotation. */
import { HandClock } from '@rollcall/testkit/time'
import { NO_LOGGER, NO_METER, type JournalEntry, type Logger, type Meter } from '@rollcall/core'
import { FaultyDisk, type DiskFault } from '@rollcall/testkit'
import { describe, expect, it } from 'vitest'
import { entryOf, keyOf, Memory, settle } from './journal.fixture.js'
import { openJournal, type Journal } from './journal.js'

interface Node {
  readonly journal: Journal
  readonly memory: Memory
  readonly errors: string[]
  readonly gauges: Map<string, number>
  put(index: number, version: number): Promise<string>
}

async function start(
  disk: FaultyDisk,
  clock: HandClock,
  options: { rotateBytesMin?: number; queueEntriesMax?: number } = {},
): Promise<Node> {
  const memory = new Memory()
  const errors: string[] = []
  const gauges = new Map<string, number>()
  const logger: Logger = { ...NO_LOGGER, error: (_fields, message) => void errors.push(message) }
  const meter: Meter = { ...NO_METER, set: (name, value) => void gauges.set(name, value) }
  const { journal, recovered } = await openJournal(
    { disk, clock, logger, meter, snapshotSource: () => memory.entries() },
    { directory: '/data', ...options },
  )
  for (const entry of recovered.entries) memory.apply(entry)
  const put = (index: number, version: number): Promise<string> => {
    const entry: JournalEntry = entryOf(index, version)
    memory.apply(entry)
    return journal.append([entry])
  }
  return { journal, memory, errors, gauges, put }
}

const always = (fault: DiskFault) => (): DiskFault => fault

describe('a disk that refuses', () => {
  for (const fault of ['ENOSPC', 'EIO'] as const) {
    it(`${fault}: goes on in memory, says so once, and recovers everything by itself`, async () => {
      const disk = new FaultyDisk()
      const clock = new HandClock()
      const node = await start(disk, clock)
      expect(await node.put(1, 1)).toBe('disk')
      disk.fault = always(fault)
      for (let version = 2; version < 10; version++) expect(await node.put(version, version)).toBe('memory')
      for (let minute = 0; minute < 5; minute++) {
        clock.advance(60_000)
        await settle()
      }
      expect(node.errors).toEqual(['journal: the disk refuses, going on in memory'])
      expect(node.gauges.get('rollcall_journal_failing')).toBe(1)
      expect(node.journal.health()).toMatchObject({ failing: true, error: fault })
      disk.fault = () => undefined
      clock.advance(30_000)
      await settle()
      expect(node.gauges.get('rollcall_journal_failing')).toBe(0)
      expect(node.journal.health()).toMatchObject({ failing: false, error: undefined })
      expect(await node.put(10, 10)).toBe('disk')
      const again = await start(
        disk.crash(() => 0),
        clock,
      )
      for (let version = 1; version <= 10; version++) expect(again.memory.revOf(version)).toBe(version)
    })
  }

  it('a failed fsync is never trusted again: what follows goes to another file', async () => {
    const disk = new FaultyDisk()
    const clock = new HandClock()
    const node = await start(disk, clock)
    await node.put(1, 1)
    disk.fault = ({ operation }) => (operation === 'sync' ? 'EIO' : undefined)
    expect(await node.put(2, 2)).toBe('memory')
    disk.fault = () => undefined
    expect(await node.put(3, 3)).toBe('memory')
    clock.advance(500)
    await settle()
    expect(disk.paths()).toEqual(['/data/journal-2.log', '/data/journal.mark', '/data/snapshot-2.snap'])
  })

  it('a half-written frame does not spoil what the next log holds, even before there is a snapshot', async () => {
    const disk = new FaultyDisk()
    const clock = new HandClock()
    const node = await start(disk, clock)
    await node.put(1, 1)
    disk.fault = ({ operation }) => (operation === 'write' ? 'ENOSPC' : undefined)
    expect(await node.put(2, 2)).toBe('memory')
    // Room for a log, none for a snapshot.
    disk.fault = ({ operation, path }) =>
      operation === 'write' && path.includes('snapshot') ? 'ENOSPC' : undefined
    clock.advance(500)
    await settle()
    // In the new log and durable, but the answer stays careful until the snapshot is there.
    expect(await node.put(3, 3)).toBe('memory')
    expect(disk.paths()).toContain('/data/journal-2.log')
    const again = await start(
      disk.crash(() => 0),
      clock,
    )
    expect([1, 2, 3].map((index) => again.memory.revOf(index))).toEqual([1, undefined, 3])
  })

  it('a loss while the healing snapshot is written is not mistaken for healed', async () => {
    const disk = new FaultyDisk()
    const clock = new HandClock()
    const node = await start(disk, clock)
    await node.put(1, 1)
    disk.fault = always('EIO')
    await node.put(2, 2)
    let lateLoss: Promise<string> | undefined
    disk.fault = ({ operation, path }) => {
      // At the snapshot's end, when all of memory has been read, the log fails again.
      if (operation === 'sync' && path.includes('snapshot') && lateLoss === undefined)
        lateLoss = node.put(3, 3)
      if (operation === 'write' && path.includes('journal-2.log') && lateLoss !== undefined) return 'EIO'
      return undefined
    }
    clock.advance(500)
    await settle()
    expect(await lateLoss).toBe('memory')
    expect(node.journal.health().failing).toBe(true)
    disk.fault = () => undefined
    clock.advance(60_000)
    await settle()
    expect(node.journal.health().failing).toBe(false)
    expect(
      (
        await start(
          disk.crash(() => 0),
          clock,
        )
      ).memory.revOf(3),
    ).toBe(3)
  })

  it('a commit that hangs is answered from memory after its time', async () => {
    const disk = new FaultyDisk()
    const clock = new HandClock()
    const node = await start(disk, clock)
    disk.fault = ({ operation }) => (operation === 'sync' ? 'hang' : undefined)
    const answer = node.put(1, 1)
    await settle()
    clock.advance(5_000)
    expect(await answer).toBe('memory')
    expect(await node.put(2, 2)).toBe('memory')
  })

  it('the queue is bounded: beyond it everything waiting is answered from memory, and healed later', async () => {
    const disk = new FaultyDisk()
    const clock = new HandClock()
    const node = await start(disk, clock, { queueEntriesMax: 3 })
    const answers = await Promise.all([1, 2, 3, 4, 5].map((index) => node.put(index, 1)))
    expect(answers).toEqual(['memory', 'memory', 'memory', 'memory', 'memory'])
    clock.advance(500)
    await settle()
    expect(await node.put(6, 1)).toBe('disk')
    expect(
      (
        await start(
          disk.crash(() => 0),
          clock,
        )
      ).memory.revOf(5),
    ).toBe(1)
  })

  it('days of a full disk leave no row of files', async () => {
    const disk = new FaultyDisk()
    const clock = new HandClock()
    const node = await start(disk, clock)
    await node.put(1, 1)
    disk.fault = ({ operation, path }) =>
      operation === 'write' && !path.endsWith('.log.tmp') ? 'ENOSPC' : undefined
    for (let round = 0; round < 200; round++) {
      await node.put(2, round)
      clock.advance(30_000)
      await settle()
    }
    expect(disk.paths().length).toBeLessThan(5)
  })

  it('a disk that heals just before close loses nothing', async () => {
    const disk = new FaultyDisk()
    const clock = new HandClock()
    const node = await start(disk, clock)
    disk.fault = always('ENOSPC')
    await node.put(1, 1)
    disk.fault = () => undefined
    await node.journal.close()
    expect(
      (
        await start(
          disk.crash(() => 0),
          clock,
        )
      ).memory.revOf(1),
    ).toBe(1)
  })

  it('what the process before wrote and never synced is durable once it has been replayed', async () => {
    const disk = new FaultyDisk()
    const clock = new HandClock()
    const node = await start(disk, clock)
    disk.fault = ({ operation }) => (operation === 'sync' ? 'hang' : undefined)
    void node.put(1, 1)
    await settle()
    // The process dies, the kernel lives: the page is still in its cache.
    disk.fault = () => undefined
    disk.unlock('/data')
    await start(disk, clock)
    expect(
      (
        await start(
          disk.crash(() => 0),
          clock,
        )
      ).memory.revOf(1),
    ).toBe(1)
  })
})

describe('rotation', () => {
  it('a forget that comes while the snapshot is written is not undone by it', async () => {
    const disk = new FaultyDisk()
    const clock = new HandClock()
    const node = await start(disk, clock, { rotateBytesMin: 2_000 })
    for (let index = 0; index < 6; index++) await node.put(index, 1)
    let forgotten: Promise<string> | undefined
    disk.fault = ({ operation, path }) => {
      if (operation !== 'write' || !path.includes('snapshot') || forgotten !== undefined) return undefined
      const entry: JournalEntry = { kind: 'forget', key: keyOf(1), incarnation: 1 }
      forgotten = node.journal.append([entry])
      // Memory keeps the record until the snapshot has read it: the worst case for the order.
      void settle().then(() => node.memory.apply(entry))
      return undefined
    }
    for (let version = 2; forgotten === undefined && version < 50; version++) await node.put(2, version)
    await forgotten
    await settle()
    disk.fault = () => undefined
    expect(disk.paths().some((path) => path.endsWith('.snap'))).toBe(true)
    const again = await start(
      disk.crash(() => 0),
      clock,
    )
    expect(again.memory.revOf(1)).toBeUndefined()
    expect(again.memory.revOf(0)).toBe(1)
  })

  it('keeps files within the larger of the threshold and the snapshot', async () => {
    const disk = new FaultyDisk()
    const node = await start(disk, new HandClock(), { rotateBytesMin: 4_000 })
    for (let version = 1; version < 400; version++) await node.put(version % 5, version)
    await settle()
    expect(disk.paths().length).toBeLessThan(4)
    expect(node.journal.health().logBytes).toBeLessThan(6_000)
    await node.journal.close()
  })

  it('makes a snapshot of a large state only when as much was written again', async () => {
    const disk = new FaultyDisk()
    const node = await start(disk, new HandClock(), { rotateBytesMin: 500 })
    const newest = (): string =>
      disk
        .paths()
        .filter((path) => path.endsWith('.snap'))
        .toSorted()
        .at(-1) ?? ''
    for (let index = 0; index < 200; index++) await node.put(index, 1)
    await settle()
    const snapshots = new Set([newest()])
    for (let version = 2; version < 52; version++) {
      await node.put(version % 5, version)
      await settle()
      snapshots.add(newest())
    }
    expect(snapshots.size).toBeLessThanOrEqual(2)
    await node.journal.close()
  })
})
