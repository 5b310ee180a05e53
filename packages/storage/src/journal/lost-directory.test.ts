/** A journal's directory that is removed, moved or taken by another process while the journal goes on. */
import type { FaultyDisk } from '@rollcall/testkit'
import { describe, expect, it } from 'vitest'
import { settle } from './journal.fixture.js'
import { found, LOG_1, start } from './lost-files.fixture.js'

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

  it('is taken again when only a stray file stood in the way and is gone', async () => {
    const node = await start()
    await node.put(1, 1)
    node.disk.breakLock('/data')
    node.disk.place('/data/journal-9.log', Buffer.alloc(32))
    await node.look()
    await node.look()
    expect(node.journal.health().error).toContain('journal-9.log of another journal')
    node.disk.take('/data/journal-9.log')
    node.clock.advance(60_000)
    await settle()
    expect(await node.put(2, 2)).toBe('disk')
    expect(await found(node.disk, [1, 2])).toEqual([1, 2])
  })

  it('that is on another file system than before is left alone until that one is back', async () => {
    const node = await start()
    await node.put(1, 1)
    const { device } = node.disk
    removeAll(node.disk)
    node.disk.device = 'what the volume was mounted over'
    await node.look()
    await node.look()
    expect(node.journal.health().error).toContain('/data is on another file system than before')
    expect(node.disk.paths()).toEqual([])
    node.disk.device = device
    node.clock.advance(60_000)
    await settle()
    expect(await node.put(2, 2)).toBe('disk')
    expect(await found(node.disk, [1, 2])).toEqual([1, 2])
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
