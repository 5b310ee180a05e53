/** The lock of a journal's directory against the kernel's own sockets and links, starters interleaved by hand. */
import { lstatSync, mkdtempSync, readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs'
import type * as FileSystem from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { acquireLock } from './lock.js'

/** What happens between the decision to make a link and the making of it, once. */
const beforeLink = vi.hoisted((): { run: (() => Promise<void>) | undefined } => ({ run: undefined }))

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof FileSystem>()
  const symlink: typeof real.symlink = async (...args) => {
    const run = beforeLink.run
    beforeLink.run = undefined
    await run?.()
    return real.symlink(...args)
  }
  return { ...real, symlink }
})

let directory = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rollcall-lock-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('two starters', () => {
  it('the second is refused with the pid of the first, and gets in after it', async () => {
    const first = await acquireLock(directory)
    await expect(acquireLock(directory)).rejects.toMatchObject({
      name: 'JournalError',
      kind: 'locked',
      pid: process.pid,
    })
    await first.release()
    await first.release()
    const second = await acquireLock(directory)
    expect([first.after, second.after]).toEqual([undefined, first.name])
    await second.release()
  })

  it('one that meant to take a generation which others have taken and left behind meanwhile has lost', async () => {
    await (await acquireLock(directory)).release()
    const others: Awaited<ReturnType<typeof acquireLock>>[] = []
    beforeLink.run = async () => {
      // The second holder takes the generation that the stalled starter is about to take, and dies; the third sweeps it.
      await (await acquireLock(directory)).release()
      others.push(await acquireLock(directory))
    }
    await expect(acquireLock(directory)).rejects.toMatchObject({ kind: 'locked', pid: process.pid })
    expect(others).toHaveLength(1)
    expect(await others[0]?.held()).toBe(true)
    await others[0]?.release()
  })

  it('one that finds the generation taken just before it is refused', async () => {
    const others: Awaited<ReturnType<typeof acquireLock>>[] = []
    beforeLink.run = async () => void others.push(await acquireLock(directory))
    await expect(acquireLock(directory)).rejects.toMatchObject({ kind: 'locked' })
    expect(await others[0]?.held()).toBe(true)
    await others[0]?.release()
  })

  it('what the dead left is swept, and nothing of the living', async () => {
    for (let round = 0; round < 5; round++) await (await acquireLock(directory)).release()
    const lock = await acquireLock(directory)
    expect(readdirSync(join(directory, 'LOCK')).toSorted()).toEqual(['6', lock.name].toSorted())
    expect(lstatSync(join(directory, 'LOCK', lock.name)).isSocket()).toBe(true)
    await lock.release()
  })
})

describe('a lock that is taken away', () => {
  it.each([
    ['its folder is removed', () => rmSync(join(directory, 'LOCK'), { recursive: true })],
    ['the whole directory is removed', () => rmSync(directory, { recursive: true })],
    ['the directory is moved', () => renameSync(directory, `${directory}-moved`)],
    ['its generation is removed', () => unlinkSync(join(directory, 'LOCK', '1'))],
    [
      'its socket is removed',
      () => {
        for (const name of readdirSync(join(directory, 'LOCK')))
          if (name.endsWith('.sock')) unlinkSync(join(directory, 'LOCK', name))
      },
    ],
  ])('is not held once %s', async (_, takeAway) => {
    const lock = await acquireLock(directory)
    expect(await lock.held()).toBe(true)
    takeAway()
    expect(await lock.held()).toBe(false)
    await lock.release()
    rmSync(`${directory}-moved`, { recursive: true, force: true })
  })

  it('is not held once another one has come, and releasing it leaves the other alone', async () => {
    const first = await acquireLock(directory)
    rmSync(join(directory, 'LOCK'), { recursive: true })
    const second = await acquireLock(directory)
    expect([await first.held(), await second.held(), second.after]).toEqual([false, true, undefined])
    await first.release()
    expect(await second.held()).toBe(true)
    await expect(acquireLock(directory)).rejects.toMatchObject({ kind: 'locked' })
    await second.release()
  })

  it('says from whom it was taken over when another one came and went', async () => {
    const first = await acquireLock(directory)
    rmSync(join(directory, 'LOCK'), { recursive: true })
    const second = await acquireLock(directory)
    await second.release()
    const third = await acquireLock(directory)
    expect(third.after).toBe(second.name)
    await Promise.all([first.release(), third.release()])
  })
})
