/** Data directories: made with all above them, and refused in words where that cannot be. */
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeDirectories, systemWords } from './make-directory.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-directory-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a data directory', () => {
  it('is made with those above it, which are told', async () => {
    const deep = join(folder, 'a/b/c')
    expect(await makeDirectories(deep)).toEqual([join(folder, 'a'), join(folder, 'a/b'), deep])
    expect(statSync(deep).isDirectory()).toBe(true)
    expect(await makeDirectories(deep)).toEqual([])
  })

  it('may be made by several at once', async () => {
    const made = await Promise.all([1, 2, 3, 4].map(() => makeDirectories(join(folder, 'x/y'))))
    expect(made.flat().toSorted()).toEqual([join(folder, 'x'), join(folder, 'x/y')])
  })

  it('may be a link to one', async () => {
    mkdirSync(join(folder, 'real'))
    symlinkSync('real', join(folder, 'link'))
    expect(await makeDirectories(join(folder, 'link'))).toEqual([])
  })

  it.each([
    ['file', 'file is not a directory'],
    ['file/a/b', 'file is not a directory'],
    ['dangling', 'dangling is a link that leads nowhere'],
    ['dangling/a', 'dangling is a link that leads nowhere'],
    ['x'.repeat(300), 'name too long (ENAMETOOLONG)'],
  ])('is not %s', async (name, why) => {
    writeFileSync(join(folder, 'file'), '')
    symlinkSync('nowhere', join(folder, 'dangling'))
    await expect(makeDirectories(join(folder, name))).rejects.toMatchObject({
      name: 'JournalError',
      kind: 'io',
      message: expect.stringMatching(
        new RegExp(
          `^${join(folder, name)} cannot be used as data directory: .*${why.replace(/[()]/g, '\\$&')}$`,
        ),
      ) as string,
    })
  })

  // The kernel calls missing what it does not let anyone make there, and Node's own `recursive` tries for ever.
  it.runIf(process.platform === 'linux')('is not in /proc, and that takes no time', async () => {
    await expect(makeDirectories('/proc/rollcall/data')).rejects.toThrow('/proc takes no directories')
  })
})

describe('words of the operating system', () => {
  it('stand beside their code; what has none speaks for itself', () => {
    expect(systemWords(Object.assign(new Error('x'), { code: 'EACCES', errno: -13 }))).toBe(
      'permission denied (EACCES)',
    )
    expect(systemWords(Object.assign(new Error('x'), { code: 'EODD' }))).toBe('EODD')
    expect([systemWords(new Error('odd')), systemWords('odd')]).toEqual(['odd', 'odd'])
  })
})
