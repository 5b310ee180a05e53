/** A folder that a killed or stopped server left, damaged bit by bit and cut byte by byte: refused by name, never believed. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDisk, verifyJournal, type JournalReport } from '@rollcall/storage'
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApi } from './http-calls.js'
import { counted, form } from './support/chaos-form.js'
import { Ledger } from './support/ledger.js'

const MARK = 'journal.mark'

let root: string

/** A folder that a server of its own left, after so many batches of ten. */
async function leave(
  name: string,
  batches: number,
  end: 'stop' | 'kill',
  args: readonly string[] = [],
): Promise<string> {
  const folder = join(root, name)
  const server = await startServerProcess({ dataDir: folder, args })
  const api = createApi(server)
  const ledger = new Ledger()
  for (let batch = 0; batch < batches; batch++) {
    const instances = Array.from({ length: 10 }, (_, at) => ledger.instance(`${batch}-${at}`, 1))
    await api.post('/api/v1/register', { instances })
  }
  api.close()
  // A rotation under way would leave files that are needed no more, and a second chain to fall back to.
  await expect.poll(() => filesOf(folder).filter((each) => each.endsWith('.log')).length).toBe(1)
  await (end === 'stop' ? server.stop() : server.kill())
  return folder
}

function filesOf(folder: string): string[] {
  return readdirSync(folder).filter((name) => /\.(log|snap|mark)$/.test(name)) // prettier-ignore
}

/** What a start would make of a copy of the folder in which one file was changed. */
async function judged(
  folder: string,
  name: string,
  change: (bytes: Buffer) => Uint8Array,
): Promise<JournalReport> {
  const copy = join(root, 'copy')
  rmSync(copy, { recursive: true, force: true })
  mkdirSync(copy)
  for (const each of filesOf(folder)) copyFileSync(join(folder, each), join(copy, each))
  writeFileSync(join(copy, name), change(readFileSync(join(folder, name))))
  return verifyJournal(createDisk(), copy)
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'rollcall-damage-'))
})

afterAll(async () => {
  await killServerProcesses()
  rmSync(root, { recursive: true, force: true })
})

describe('one flipped bit', () => {
  it('anywhere in a log or a snapshot is refused, with the name of the file', async () => {
    const folder = await leave('flips', 120, 'kill', ['--journal-rotate-bytes-min', '65536'])
    const names = filesOf(folder).filter((name) => name !== MARK)
    expect(names.some((name) => name.endsWith('.snap'))).toBe(true)
    const flips = form(60, 1_200)
    const silent: string[] = []
    for (let flip = 0; flip < flips; flip++) {
      const name = names[flip % names.length] ?? ''
      let at = 0
      const report = await judged(folder, name, (bytes) => {
        at = Math.floor(Math.random() * bytes.length)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (flip % 8))
        return bytes
      })
      if (report.opens || !(report.refusal ?? '').includes(name))
        silent.push(`${name} bit ${flip % 8} of ${at}`)
    }
    expect(silent).toEqual([])
    counted('flipped bits', { flips, refused: flips })
  })

  it('anywhere in the watermark keeps no server from starting, and loses nothing', async () => {
    const folder = await leave('mark', 3, 'stop')
    const bits = 8 * readFileSync(join(folder, MARK)).length
    for (let bit = 0; bit < bits; bit += form(7, 1)) {
      const report = await judged(folder, MARK, (bytes) => {
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        return bytes
      })
      expect(report).toMatchObject({ opens: true, entries: 30 })
    }
  })
})

describe('a cut at every position of the newest log', () => {
  it('after a stop is refused, wherever it is', async () => {
    const folder = await leave('stopped', 3, 'stop')
    const { length } = readFileSync(join(folder, 'journal-1.log'))
    const step = form(97, 1)
    let cuts = 0
    for (let cut = length - 1; cut >= 0; cut -= step, cuts++) {
      const report = await judged(folder, 'journal-1.log', (bytes) => bytes.subarray(0, cut))
      expect(report.opens, `cut at byte ${cut}`).toBe(false)
      expect(report.refusal).toContain('journal-1.log')
    }
    counted('cuts after a stop', { cuts, refused: cuts })
  })

  it('after kill -9 leaves a prefix, or is refused where more is known to have been there', async () => {
    const folder = await leave('killed', 3, 'kill')
    const { length } = readFileSync(join(folder, 'journal-1.log'))
    const step = form(97, 1)
    const seen = { cuts: 0, refused: 0, prefixes: 0 }
    for (let cut = length - 1; cut >= 0; cut -= step, seen.cuts++) {
      const report = await judged(folder, 'journal-1.log', (bytes) => bytes.subarray(0, cut))
      if (report.opens) {
        expect([0, 10, 20, 30], `cut at byte ${cut}`).toContain(report.entries)
        seen.prefixes++
      } else seen.refused++
    }
    counted('cuts after kill -9', seen)
    // The first commit is known for certain, so at least a cut to nothing is refused.
    expect(seen.refused).toBeGreaterThan(0)
  })
})
