/** Files and folders that are taken away, cut or replaced under a journal that goes on, and the lock with them. */
import { HandClock } from '@rollcall/testkit/time'
import { NO_LOGGER, NO_METER, type Logger, type Meter } from '@rollcall/core'
import { FaultyDisk } from '@rollcall/testkit'
import { describe, expect, it } from 'vitest'
import { entryOf, Memory, settle } from './journal.fixture.js'
import { openJournal, type Journal } from './journal.js'

const LOG_1 = '/data/journal-1.log'

interface Node {
  readonly disk: FaultyDisk
  readonly clock: HandClock
  readonly journal: Journal
  readonly memory: Memory
  /** What was logged at `warn` and `error`. */
  readonly lines: string[]
  readonly causes: string[]
  put(index: number, version: number): Promise<string>
  /** Moves on so that the journal looks once at its files. */
  look(): Promise<void>
}

async function start(disk = new FaultyDisk(), rotateBytesMin = 1e9): Promise<Node> {
  const clock = new HandClock()
  const memory = new Memory()
  const lines: string[] = []
  const causes: string[] = []
  const note = (fields: object, message: string): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`)
  const logger: Logger = { ...NO_LOGGER, warn: note, error: note }
  const meter: Meter = {
    ...NO_METER,
    count: (name, _by, label) => void (name === 'rollcall_journal_failures_total' && causes.push(`${label}`)),
  }
  const { journal, recovered } = await openJournal(
    { disk, clock, logger, meter, snapshotSource: () => memory.entries() },
    { directory: '/data', rotateBytesMin },
  )
  for (const entry of recovered.entries) memory.apply(entry)
  return {
    disk,
    clock,
    journal,
    memory,
    lines,
    causes,
    put(index, version) {
      memory.apply(entryOf(index, version))
      return journal.append([entryOf(index, version)])
    },
    async look() {
      clock.advance(500)
      await settle()
    },
  }
}

/** The versions that a process finds after this one was killed. */
async function found(disk: FaultyDisk, indexes: readonly number[]): Promise<(number | undefined)[]> {
  const { memory } = await start(disk.crash(() => 0))
  return indexes.map((index) => memory.revOf(index))
}

/** A node with a snapshot, a sealed log behind it and a log that is written: every kind of file a restart needs. */
async function withAllFiles(): Promise<Node> {
  const node = await start(new FaultyDisk(), 1_000)
  for (let version = 1; !node.disk.paths().some((path) => path.endsWith('.snap')); version++) {
    await node.put(version % 3, version)
    await settle()
  }
  // From now on no snapshot can be made, so a turned log stays.
  node.disk.fault = ({ operation, path }) =>
    operation === 'write' && path.includes('snapshot') ? 'ENOSPC' : undefined
  const logs = (): string[] => node.disk.paths().filter((path) => path.endsWith('.log'))
  for (let version = 100; logs().length < 2; version++) {
    await node.put(version % 3, version)
    await settle()
  }
  expect(node.journal.health().failing).toBe(false)
  return node
}

describe('the log', () => {
  it('that was removed acknowledges nothing as durable, and everything is durable again after half a second', async () => {
    const node = await start()
    expect(await node.put(1, 1)).toBe('disk')
    node.disk.take(LOG_1)
    expect(await node.put(2, 2)).toBe('memory')
    expect(node.journal.health()).toMatchObject({ failing: true, error: 'journal-1.log was removed' })
    expect(node.causes).toEqual(['files'])
    await node.look()
    expect(node.journal.health()).toMatchObject({ failing: false, error: undefined })
    expect(await node.put(3, 3)).toBe('disk')
    expect(await found(node.disk, [1, 2, 3])).toEqual([1, 2, 3])
  })

  it('that is removed while it is synced acknowledges nothing', async () => {
    const node = await start()
    await node.put(1, 1)
    node.disk.fault = ({ operation, path }) => {
      if (operation === 'sync' && path.includes('journal-1')) node.disk.take(LOG_1)
      return undefined
    }
    expect(await node.put(2, 2)).toBe('memory')
  })

  it('that was cut acknowledges nothing, also when it is as long as before after the next write', async () => {
    const node = await start()
    await node.put(1, 1)
    await node.put(2, 1)
    node.disk.cut(LOG_1, node.disk.content(LOG_1).length - 100)
    expect(await node.put(3, 3)).toBe('memory')
    await node.look()
    expect(await found(node.disk, [1, 2, 3])).toEqual([1, 1, 3])
  })

  it('that somebody else wrote to acknowledges nothing', async () => {
    const node = await start()
    await node.put(1, 1)
    const stranger = await node.disk.reopen(LOG_1)
    await stranger.append(Buffer.alloc(64))
    expect(await node.put(2, 2)).toBe('memory')
    expect(node.journal.health().error).toMatch(/^journal-1.log has \d+ bytes where \d+ were written$/)
  })
})

describe('without a commit', () => {
  it.each([
    ['journal-1.log was removed', (disk: FaultyDisk) => disk.take(LOG_1)],
    ['journal-1.log was cut from', (disk: FaultyDisk) => disk.cut(LOG_1, 40)],
    [
      'journal-1.log was replaced by another file',
      (disk: FaultyDisk) => disk.place(LOG_1, disk.content(LOG_1)),
    ],
  ])('%s: noticed within half a second and healed after another', async (words, takeAway) => {
    const node = await start()
    await node.put(1, 1)
    takeAway(node.disk)
    await node.look()
    expect(node.journal.health()).toMatchObject({ failing: true, error: expect.stringContaining(words) })
    expect(await node.put(2, 2)).toBe('memory')
    await node.look()
    expect(await node.put(3, 3)).toBe('disk')
    expect(await found(node.disk, [1, 2, 3])).toEqual([1, 2, 3])
    expect(node.lines).toHaveLength(1)
  })

  it('every file that a restart needs is looked after, and no other', async () => {
    const paths = (await withAllFiles()).disk.paths().filter((path) => !path.endsWith('.mark'))
    expect(paths).toHaveLength(3)
    for (const path of paths) {
      for (const takeAway of [
        (disk: FaultyDisk) => disk.take(path),
        (disk: FaultyDisk) => disk.cut(path, disk.content(path).length - 16),
        (disk: FaultyDisk) => disk.place(path, disk.content(path)),
      ]) {
        const node = await withAllFiles()
        await node.look()
        expect(node.journal.health().failing, `${path} is sound`).toBe(false)
        takeAway(node.disk)
        await node.look()
        expect(node.journal.health().failing, `${path} is not`).toBe(true)
      }
    }
  })

  it('a snapshot that grew is noticed', async () => {
    const node = await withAllFiles()
    const path = node.disk.paths().find((each) => each.endsWith('.snap')) ?? ''
    const { fault } = node.disk
    node.disk.fault = () => undefined
    await (await node.disk.reopen(path)).append(Buffer.alloc(16))
    node.disk.fault = fault
    await node.look()
    expect(node.lines.join('\n')).toMatch(/snapshot-\d.snap grew to/)
  })

  it('no rotation is mistaken for a loss, however it falls together with a look', async () => {
    const node = await start(new FaultyDisk(), 700)
    for (let version = 1; version < 400; version++) {
      const put = node.put(version % 5, version)
      if (version % 3 === 0) node.clock.advance(500)
      expect(await put).toBe('disk')
      if (version % 7 === 0) await settle()
    }
    await settle()
    expect(node.lines).toEqual([])
    expect(node.disk.paths().length).toBeLessThan(6)
  })

  it('a snapshot that is due when nothing was written yet makes the empty log anew, which is no loss', async () => {
    const disk = new FaultyDisk()
    const node = await start(disk)
    disk.fault = () => 'ENOSPC'
    expect(await node.put(1, 1)).toBe('memory')
    disk.fault = () => undefined
    for (let turn = 0; turn < 6; turn++) await node.look()
    expect(node.causes).toEqual(['call'])
    expect(disk.paths()).toContain('/data/snapshot-1.snap')
  })
})

describe('the directory', () => {
  function removeAll(disk: FaultyDisk): void {
    for (const path of disk.paths()) disk.take(path)
    disk.breakLock('/data')
  }

  it('that was removed is made and locked again, and holds everything', async () => {
    const node = await start()
    await node.put(1, 1)
    removeAll(node.disk)
    expect(await node.put(2, 2)).toBe('memory')
    await node.look()
    expect(await node.put(3, 3)).toBe('disk')
    await expect(node.disk.lock('/data')).rejects.toMatchObject({ kind: 'locked' })
    await node.journal.close()
    await (await node.disk.lock('/data')).release()
    expect(await found(node.disk, [1, 2, 3])).toEqual([1, 2, 3])
  })

  it('whose lock alone was removed is locked again', async () => {
    const node = await start()
    await node.put(1, 1)
    node.disk.breakLock('/data')
    await node.look()
    expect(node.journal.health().error).toBe('LOCK in /data was removed or taken by another process')
    expect(node.causes).toEqual(['lock'])
    await node.look()
    expect(await node.put(2, 2)).toBe('disk')
    await expect(node.disk.lock('/data')).rejects.toMatchObject({ kind: 'locked' })
    expect(await found(node.disk, [1, 2])).toEqual([1, 2])
  })

  it('that another process took is never written beside it, nor what that one left replaced', async () => {
    const node = await start()
    await node.put(1, 1)
    node.disk.breakLock('/data')
    const other = await start(node.disk)
    expect(await other.put(2, 2)).toBe('disk')
    await node.look()
    const before = node.disk.paths().map((path) => [path, node.disk.content(path).toString('hex')])
    const shown = (): unknown =>
      node.disk.paths().map((path) => [path, node.disk.content(path).toString('hex')])
    for (let minute = 0; minute < 3; minute++) {
      expect(await node.put(3, minute)).toBe('memory')
      node.clock.advance(60_000)
      await settle()
    }
    expect(shown()).toEqual(before)
    expect(node.lines.join('\n')).toContain('is in use')
    expect(await other.put(4, 4)).toBe('disk')
    await other.journal.close()
    const left = shown()
    for (let minute = 0; minute < 3; minute++) {
      node.clock.advance(60_000)
      await settle()
    }
    // Whatever the other acknowledged is there for the next start.
    expect(shown()).toEqual(left)
    expect(node.journal.health().error).toContain('holds journal-1.log of another journal; restart this node')
    await expect(node.journal.close()).rejects.toMatchObject({ kind: 'io' })
    expect(await found(node.disk, [1, 2, 3, 4])).toEqual([1, 2, undefined, 4])
  })

  it('that another process took and left is taken again once its files are out of the way', async () => {
    const node = await start()
    await node.put(1, 1)
    removeAll(node.disk)
    const other = await start(node.disk)
    await other.put(2, 2)
    await other.journal.close()
    await node.look()
    await node.look()
    expect(node.journal.health().failing).toBe(true)
    for (const path of node.disk.paths()) node.disk.take(path)
    node.clock.advance(60_000)
    await settle()
    expect(await node.put(3, 3)).toBe('disk')
    expect(await found(node.disk, [1, 2, 3])).toEqual([1, undefined, 3])
  })

  it('with the files of another journal in place of its own is left alone', async () => {
    const backup = await start()
    await backup.put(7, 7)
    await backup.journal.close()
    const node = await start()
    await node.put(1, 1)
    removeAll(node.disk)
    for (const path of backup.disk.paths()) node.disk.place(path, backup.disk.content(path))
    await node.look()
    await node.look()
    expect(node.journal.health().error).toContain('journal-1.log of another journal')
    expect(await found(node.disk, [1, 7])).toEqual([undefined, 7])
  })

  it('that is lost while a snapshot is written gets no snapshot', async () => {
    const node = await start()
    await node.put(1, 1)
    node.disk.fault = ({ operation, path }) => {
      if (operation === 'sync' && path.includes('snapshot')) node.disk.breakLock('/data')
      return undefined
    }
    node.disk.take(LOG_1)
    await node.put(2, 2)
    await node.look()
    expect(node.disk.paths().filter((path) => path.endsWith('.snap'))).toEqual([])
    expect(node.journal.health().failing).toBe(true)
  })
})

describe('close', () => {
  it('heals what was removed just before', async () => {
    const node = await start()
    await node.put(1, 1)
    node.disk.take(LOG_1)
    await node.journal.close()
    expect(await found(node.disk, [1])).toEqual([1])
  })

  it('rejects when changes are lost, with the reason, and lets the directory go', async () => {
    const node = await start()
    await node.put(1, 1)
    node.disk.fault = () => 'ENOSPC'
    await node.put(2, 2)
    const closing = node.journal.close()
    await expect(closing).rejects.toMatchObject({
      kind: 'io',
      message: 'the journal was closed while the disk refuses, recent changes are lost: ENOSPC',
    })
    expect(node.journal.close()).toBe(closing)
    expect(node.lines.at(-1)).toContain('journal: closed while the disk refuses, recent changes are lost')
    await (await node.disk.lock('/data')).release()
  })
})
