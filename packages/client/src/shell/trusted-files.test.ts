/** Whole files: durable before they have their name. Whose files are believed: snapshots.test.ts. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { writeWhole } from './trusted-files.js'

let dir: string
let path: string
let temporary: string
let files: FileHandle

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'rollcall-files-'))
  path = join(dir, 'list.json')
  temporary = `${path}.tmp`
  const handle = await open(join(dir, 'other'), 'w')
  await handle.close()
  files = Object.getPrototypeOf(handle) as FileHandle
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(dir, { recursive: true })
})

describe('a file that is written as a whole', () => {
  it('is on the disk before it has its name', async () => {
    const synced: (readonly [text: string, named: boolean])[] = []
    vi.spyOn(files, 'sync').mockImplementation(() => {
      synced.push([readFileSync(temporary, 'utf8'), existsSync(path)])
      return Promise.resolve()
    })
    expect(await writeWhole(path, temporary, 'all of it')).toBe(true)
    expect(synced).toEqual([['all of it', false]])
    expect(readFileSync(path, 'utf8')).toBe('all of it')
  })

  it('leaves the one before alone where the disk fails, and nothing beside it', async () => {
    await writeWhole(path, temporary, 'before')
    vi.spyOn(files, 'sync').mockRejectedValue(new Error('the disk fails'))
    await expect(writeWhole(path, temporary, 'after')).rejects.toThrow('the disk fails')
    expect(readFileSync(path, 'utf8')).toBe('before')
    expect(readdirSync(dir).sort()).toEqual(['list.json', 'other'])
  })
})
