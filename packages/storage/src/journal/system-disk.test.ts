/** The real file system as the journal's port promises it: what a state tells, where bytes land, what is no error. */
import { linkSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDisk } from './system-disk.js'

const disk = createDisk()
let directory = ''
let path = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rollcall-disk-'))
  path = join(directory, 'file')
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('a file', () => {
  it('is written at the end that it has, whatever another process did to it', async () => {
    const file = await disk.create(path)
    expect(await file.append(Buffer.from('abc'))).toBe(3)
    truncateSync(path, 1)
    await file.append(Buffer.from('d'))
    writeFileSync(path, 'X', { flag: 'a' })
    await file.append(Buffer.from('e'))
    await file.sync()
    expect(readFileSync(path, 'utf8')).toBe('adXe')
    expect(file.state().length).toBe(4)
    await file.truncate(2)
    await file.close()
    const again = await disk.reopen(path)
    await again.append(Buffer.from('f'))
    await again.close()
    expect(readFileSync(path, 'utf8')).toBe('adf')
  })

  it('tells by its state that it was removed, replaced or moved', async () => {
    const file = await disk.create(path)
    const { id, device, links } = file.state()
    expect(await disk.state(path)).toEqual({ id, device, links: 1, length: 0 })
    expect(links).toBe(1)
    linkSync(path, `${path}.backup`)
    expect(file.state().links).toBe(2)
    rmSync(`${path}.backup`)
    renameSync(path, `${path}.moved`)
    expect([file.state().links, await disk.state(path)]).toEqual([1, undefined])
    writeFileSync(path, '')
    expect((await disk.state(path))?.id).not.toBe(id)
    rmSync(`${path}.moved`)
    expect(file.state().links).toBe(0)
    await file.close()
    // Closed, also while something still asks: an error, never another file that was given the same number.
    expect(() => file.state()).toThrow('fd')
  })

  it('is emptied when it is made, and has to be there when it is opened', async () => {
    writeFileSync(path, 'old')
    await (await disk.create(path)).close()
    expect(readFileSync(path, 'utf8')).toBe('')
    await expect(disk.reopen(`${path}.none`)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(disk.read(`${path}.none`)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('is overwritten at its beginning only, and made where there is none', async () => {
    await disk.overwrite(path, Buffer.from('abc'))
    await disk.overwrite(path, Buffer.from('X'))
    await disk.sync(path)
    expect(readFileSync(path, 'utf8')).toBe('Xbc')
  })

  it('is removed, and it is fine when there is none', async () => {
    writeFileSync(path, '')
    await disk.remove(path)
    await disk.remove(path)
    expect(await disk.list(directory)).toEqual([])
    await expect(disk.remove(directory)).rejects.toMatchObject({ syscall: 'unlink' })
  })

  it('gets its name in place of what had it', async () => {
    writeFileSync(path, 'old')
    writeFileSync(`${path}.tmp`, 'new')
    await disk.rename(`${path}.tmp`, path)
    await disk.sync(directory)
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(await disk.list(directory)).toEqual(['file'])
  })
})

describe('a directory', () => {
  it('is made with its parents, and it is fine when it is there', async () => {
    const deep = join(directory, 'a', 'b', 'c')
    await disk.makeDirectory(deep)
    await disk.makeDirectory(deep)
    expect(await disk.list(deep)).toEqual([])
    const { device } = (await disk.state(directory)) ?? {}
    expect(await disk.state(deep)).toMatchObject({ device })
  })

  it('that is not there is empty; what is no directory is an error', async () => {
    expect(await disk.list(join(directory, 'none'))).toEqual([])
    writeFileSync(path, '')
    await expect(disk.list(path)).rejects.toMatchObject({ code: 'ENOTDIR' })
    await expect(disk.makeDirectory(path)).rejects.toThrow('is not a directory')
  })

  it('is locked for one', async () => {
    const lock = await disk.lock(directory)
    await expect(disk.lock(directory)).rejects.toMatchObject({ kind: 'locked' })
    await lock.release()
  })
})
