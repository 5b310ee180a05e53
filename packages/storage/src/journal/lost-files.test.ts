/** Files that are taken away, cut or replaced under a journal that goes on. */
import { FaultyDisk } from '@rollcall/testkit'
import { describe, expect, it } from 'vitest'
import { createLog } from './files.js'
import { encodeFileHeader } from './frames.js'
import { Holding } from './holding.js'
import { settle } from './journal.fixture.js'
import { found, LOG_1, start, type Node } from './lost-files.fixture.js'

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

describe('a look at the files', () => {
  it('blames nobody for a file that was retired before it or meanwhile', async () => {
    const disk = new FaultyDisk()
    const holding = await Holding.take(disk, '/data')
    const log = await createLog(disk, '/data', 1, 0)
    await holding.add('journal-1.log')
    await holding.confirm(log)
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    const state = disk.state.bind(disk)
    disk.state = async (path) => {
      await gate
      return state(path)
    }
    const looking = holding.confirm(log)
    await settle()
    holding.retire('journal-1.log')
    disk.take(LOG_1)
    release()
    await looking
    await holding.confirm(log)
    disk.state = state
    await createLog(disk, '/data', 1, 0)
    await holding.add('journal-1.log')
    disk.take(LOG_1)
    await expect(holding.confirm(log)).rejects.toMatchObject({ fault: 'files' })
  })

  it('at the moment in which an empty log is made anew finds nothing wrong', async () => {
    const disk = new FaultyDisk()
    const before = await start(disk)
    await before.put(1, 1)
    await before.journal.close()
    const sealed = disk.content(LOG_1).length
    disk.place('/data/journal-2.log', encodeFileHeader({ kind: 'log', number: 2, sealed }))
    disk.place('/data/snapshot-2.snap', encodeFileHeader({ kind: 'snapshot', number: 2, sealed: 0 }))
    const node = await start(disk)
    let looks = 0
    disk.fault = ({ operation, path }) => {
      if (operation === 'syncDirectory' && path === '/data' && disk.paths().includes('/data/journal-2.log')) {
        looks++
        node.clock.advance(500)
      }
      return undefined
    }
    for (let turn = 0; turn < 4; turn++) await node.look()
    expect(looks).toBeGreaterThan(0)
    expect(node.causes).toEqual([])
    expect(disk.paths()).not.toContain(LOG_1)
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
