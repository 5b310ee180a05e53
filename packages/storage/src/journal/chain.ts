/**
 * Which files make up the state: one snapshot (or none, if the first log is still there) and all logs from its
 * number on, each sealed by the one after it. Everything is checked before anything is believed.
 *
 * Why an older snapshot never brings back what was forgotten: snapshot n is begun after log n has become the only
 * log that is written. So it holds the effect of every entry in the logs before n, and every `forget` that it may
 * have missed while it was written is in log n or later, which is replayed after it. Logs before n are never
 * replayed onto snapshot n. If snapshot n is bad, snapshot k < n is used only together with all logs from k on, and
 * these hold every `forget` since.
 */
import { join } from 'node:path'
import type { Disk } from './disk.js'
import { fileName, parseFileName, type FileName } from './files.js'
import {
  decodeFileHeader,
  HEADER_BYTES,
  scanFrames,
  type BadStretch,
  type FileKind,
  type Frame,
} from './frames.js'
import { JournalError, type JournalErrorKind } from './journal-error.js'

/** A file as it was found. */
export interface ScannedFile extends FileName {
  readonly bytes: Buffer
  /** Format of the file; 0 where that cannot be read. */
  readonly version: number
  /** How much of the log before this one counts; 0 where that cannot be read. */
  readonly sealed: number
  readonly frames: readonly Frame[]
  readonly bad: readonly (Omit<BadStretch, 'kind'> & {
    readonly kind: BadStretch['kind'] | 'unknown-version'
  })[]
}

function checkSnapshot(frames: readonly Frame[], length: number): BadStretch[] {
  const last = frames.at(-1)
  const total = frames.reduce((sum, frame) => sum + (frame.end ? 0 : frame.count), 0)
  if (last === undefined || !last.end)
    return [{ offset: length, bytes: 0, kind: 'damaged', why: 'the end marker is missing' }]
  if (frames.some((frame) => frame.end && frame !== last) || last.count !== total) {
    return [
      { offset: last.offset, bytes: 0, kind: 'damaged', why: 'the end marker does not match the content' },
    ]
  }
  return []
}

/** Reads and judges one file by itself. `limit`: bytes that count, if a later log says so. */
export async function scanFile(
  disk: Disk,
  directory: string,
  file: FileName,
  limit?: number,
): Promise<ScannedFile> {
  const whole = await disk.read(join(directory, file.name))
  const bytes = Buffer.from(
    whole.buffer,
    whole.byteOffset,
    Math.min(whole.byteLength, limit ?? whole.byteLength),
  )
  const decoded = decodeFileHeader(bytes, file.kind, file.number)
  const { frames, bad } = scanFrames(bytes, file.number)
  const problems: ScannedFile['bad'][number][] = []
  if ('fault' in decoded)
    problems.push({
      offset: 0,
      bytes: Math.min(bytes.length, HEADER_BYTES),
      kind: decoded.fault,
      why: decoded.why,
    })
  if (limit !== undefined && bytes.length < limit) {
    problems.push({
      offset: bytes.length,
      bytes: limit - bytes.length,
      kind: 'damaged',
      why: `${limit - bytes.length} bytes at its end are missing`,
    })
  }
  // Only the end of the last log may be unfinished. A snapshot gets its name when it is whole, a sealed log was whole.
  const mayBeTorn = file.kind === 'log' && limit === undefined
  for (const stretch of bad) problems.push(mayBeTorn ? stretch : { ...stretch, kind: 'damaged' })
  if (file.kind === 'snapshot' && problems.length === 0) problems.push(...checkSnapshot(frames, bytes.length))
  const { version, sealed } = 'header' in decoded ? decoded.header : { version: 0, sealed: 0 }
  return { ...file, bytes, version, sealed, frames, bad: problems }
}

/** The files to be replayed, in order. */
export interface Chain {
  readonly snapshot: ScannedFile | undefined
  readonly logs: readonly ScannedFile[]
  /** Why a newer snapshot than this was not used. */
  readonly fallback: JournalError | undefined
}

const ADVICE =
  'Nothing was changed. `rollcall journal verify` shows all of it, `rollcall journal repair` says what can be saved and what is lost.'

function refuse(kind: JournalErrorKind, file: string, offset: number, why: string): JournalError {
  const advice =
    kind === 'unknown-version'
      ? 'Nothing was changed. Start the version of Rollcall that wrote it, or a newer one.'
      : ADVICE
  const where =
    kind === 'missing' ? `${file} ${why}` : `${file} cannot be trusted from byte ${offset} on: ${why}`
  return new JournalError(kind, `${where}. ${advice}`, { file, offset })
}

function insist(file: ScannedFile): ScannedFile {
  const fault = file.bad.find((stretch) => stretch.kind !== 'torn')
  if (fault !== undefined)
    throw refuse(fault.kind === 'torn' ? 'damaged' : fault.kind, file.name, fault.offset, fault.why)
  return file
}

function requireName(names: ReadonlySet<string>, kind: FileKind, number: number): FileName {
  const name = fileName(kind, number)
  if (!names.has(name)) throw refuse('missing', name, 0, 'is missing, and other files build on it')
  return { kind, number, name }
}

async function readLogs(
  disk: Disk,
  directory: string,
  names: ReadonlySet<string>,
  from: number,
  to: number,
): Promise<ScannedFile[]> {
  const logs: ScannedFile[] = []
  let limit: number | undefined
  for (let number = to; number >= from; number--) {
    const log = insist(await scanFile(disk, directory, requireName(names, 'log', number), limit))
    logs.unshift(log)
    limit = log.sealed
  }
  return logs
}

/**
 * Finds the newest complete chain. Undefined in a directory without a journal; rejects with JournalError about the
 * newest chain when there is none. Reads only, and only the files it needs.
 */
export async function findChain(disk: Disk, directory: string): Promise<Chain | undefined> {
  const files = (await disk.list(directory)).map(parseFileName).filter((file) => file !== undefined)
  if (files.length === 0) return undefined
  const names = new Set(files.map((file) => file.name))
  const snapshots = files.filter((file) => file.kind === 'snapshot').sort((a, b) => b.number - a.number)
  const last = Math.max(...files.map((file) => file.number))
  let newest: JournalError | undefined
  for (const name of [...snapshots, undefined]) {
    try {
      const snapshot = name === undefined ? undefined : insist(await scanFile(disk, directory, name))
      const from = name?.number ?? 1
      if (name === undefined && newest === undefined && !names.has(fileName('log', 1))) {
        const first = Math.min(...files.map((file) => file.number))
        throw refuse('missing', fileName('snapshot', first), 0, 'is missing, and other files build on it')
      }
      const logs = await readLogs(disk, directory, names, from, last)
      return { snapshot, logs, fallback: newest }
    } catch (error) {
      if (!(error instanceof JournalError) || error.kind === 'unknown-version') throw error
      newest ??= error
    }
  }
  throw newest ?? new JournalError('io', 'no chain of files was considered')
}
