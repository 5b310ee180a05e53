/** What is in a journal's directory, and what is wrong with it. Reads only. */
import { join } from 'node:path'
import { findChain, scanFile, type ScannedFile } from './chain.js'
import { decodeEntries } from './codec.js'
import type { Disk } from './disk.js'
import { isUnfinished, parseFileName, type FileName } from './files.js'
import { JournalError, systemCode } from './journal-error.js'
import { readWatermark, WATERMARK_NAME, type Watermark } from './watermark.js'

/** A stretch of a file that cannot be read. */
export interface FileProblem {
  /** `torn` is an unfinished last write, which opening heals by itself; everything else keeps a node from starting. */
  readonly kind: 'torn' | 'damaged' | 'missing' | 'unknown-version' | 'io'
  readonly offset: number
  readonly bytes: number
  readonly why: string
}

/** One file of the journal. */
export interface FileReport {
  readonly name: string
  readonly bytes: number
  readonly frames: number
  /** Entries in good frames. */
  readonly entries: number
  /** `current`: part of the state. `replaced`: not needed, other files hold all of it. `unfinished`: never became a file. `backup`: kept by a repair. `watermark`: says how far the newest log went. */
  readonly role: 'current' | 'replaced' | 'unfinished' | 'backup' | 'watermark'
  readonly problems: readonly FileProblem[]
}

/** A directory as `rollcall journal verify` shows it. */
export interface JournalReport {
  readonly directory: string
  readonly files: readonly FileReport[]
  /** Entries that a node would replay; 0 when it would not start. */
  readonly entries: number
  /** Whether a node would start from it. */
  readonly opens: boolean
  /** Why not. */
  readonly refusal: string | undefined
}

/** Orders as in time: by number, snapshot before log. */
export function byAge(a: FileName, b: FileName): number {
  return a.number - b.number || (a.kind === b.kind ? 0 : a.kind === 'snapshot' ? -1 : 1)
}

/** Everything in a directory. */
export interface Contents {
  /** Oldest first. */
  readonly files: readonly ScannedFile[]
  readonly unreadable: ReadonlyMap<string, FileProblem>
  readonly watermark: Watermark | undefined
}

/** Reads every file of the journal, each log up to where the next one says that it counts. */
export async function scanAll(disk: Disk, directory: string): Promise<Contents> {
  const watermark = await readWatermark(disk, directory)
  const names = (await disk.list(directory))
    .map(parseFileName)
    .filter((file) => file !== undefined)
    .sort(byAge)
  const files: ScannedFile[] = []
  const unreadable = new Map<string, FileProblem>()
  const sealed = new Map<number, number>()
  for (const name of names.reverse()) {
    const limit = name.kind === 'log' ? sealed.get(name.number) : undefined
    const reach = {
      ...(limit === undefined ? {} : { sealed: limit }),
      ...(watermark === undefined ? {} : { watermark }),
    }
    try {
      const scanned = contentChecked(await scanFile(disk, directory, name, reach))
      files.unshift(scanned)
      if (scanned.kind === 'log' && scanned.sealed > 0) sealed.set(scanned.number - 1, scanned.sealed)
    } catch (error) {
      unreadable.set(name.name, { kind: 'io', offset: 0, bytes: 0, why: systemCode(error) ?? String(error) })
    }
  }
  return { files, unreadable, watermark }
}

/** Moves frames whose content makes no sense in spite of a right checksum to the bad ones. */
function contentChecked(file: ScannedFile): ScannedFile {
  if (file.bad.some((stretch) => stretch.kind === 'unknown-version')) return { ...file, frames: [] }
  const bad = [...file.bad]
  const frames = file.frames.filter((frame) => {
    if (frame.end) return true
    try {
      decodeEntries(frame.payload, () => undefined)
      return true
    } catch (error) {
      bad.push({
        offset: frame.offset,
        bytes: frame.payload.length,
        kind: 'damaged',
        why: error instanceof Error ? error.message : String(error),
      })
      return false
    }
  })
  return { ...file, frames, bad }
}

/** Entries in the good frames of a file. */
export function entriesIn(file: ScannedFile): number {
  return file.frames.reduce((sum, frame) => sum + (frame.end ? 0 : frame.count), 0)
}

/** Which files a node would replay, and why it would not start. */
interface Judgement {
  readonly used: (file: FileName) => boolean
  readonly refusal: string | undefined
}

async function judge(disk: Disk, directory: string): Promise<Judgement> {
  try {
    const chain = await findChain(disk, directory)
    const names = new Set([chain?.snapshot, ...(chain?.logs ?? [])].map((file) => file?.name))
    return { used: ({ name }) => names.has(name), refusal: undefined }
  } catch (error) {
    const why = error instanceof JournalError ? error.message : undefined
    return {
      used: () => true,
      refusal: why ?? `the directory cannot be read: ${systemCode(error) ?? String(error)}`,
    }
  }
}

/** What a file is that holds no part of the state. */
function roleOf(name: string): 'unfinished' | 'backup' | 'watermark' | undefined {
  if (name === WATERMARK_NAME) return 'watermark'
  if (isUnfinished(name)) return 'unfinished'
  return /\.(damaged|replaced)$/.test(name) ? 'backup' : undefined
}

function unreadableWatermark(bytes: number): FileProblem {
  return {
    kind: 'torn',
    offset: 0,
    bytes,
    why: 'it cannot be read; how far the newest log went is not known',
  }
}

/** Checks a journal without changing anything. Also while a node runs; its last write may then show as torn. */
export async function verifyJournal(disk: Disk, directory: string): Promise<JournalReport> {
  const { files, unreadable, watermark } = await scanAll(disk, directory)
  const { used, refusal } = await judge(disk, directory)
  // The chain is judged by its checksums; only here is every entry read as well.
  const unsound = files.find((file) => used(file) && file.bad.some((stretch) => stretch.kind === 'damaged'))
  const whyNot = refusal ?? (unsound === undefined ? undefined : `${unsound.name}: ${unsound.bad[0]?.why}`)
  const reports: FileReport[] = files.map((file) => ({
    name: file.name,
    bytes: file.bytes.length,
    frames: file.frames.length,
    entries: entriesIn(file),
    role: used(file) ? 'current' : 'replaced',
    problems: file.bad,
  }))
  for (const [name, problem] of unreadable) {
    reports.push({ name, bytes: 0, frames: 0, entries: 0, role: 'current', problems: [problem] })
  }
  for (const name of await disk.list(directory)) {
    const role = roleOf(name)
    if (role === undefined) continue
    const bytes = (await disk.state(join(directory, name)))?.length ?? 0
    const problems = role === 'watermark' && watermark === undefined ? [unreadableWatermark(bytes)] : []
    reports.push({ name, bytes, frames: 0, entries: 0, role, problems })
  }
  const entries = files.filter(used).reduce((sum, file) => sum + entriesIn(file), 0)
  return {
    directory,
    files: reports,
    entries: whyNot === undefined ? entries : 0,
    opens: whyNot === undefined,
    refusal: whyNot,
  }
}
