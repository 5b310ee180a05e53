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
import { carriedEntries, readWatermark, type Watermark } from './watermark.js'

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

/** What is wrong with the end of a file that closes with a marker. */
export function checkMarker(frames: readonly Frame[], length: number): BadStretch[] {
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

/** What other files say about how far a log goes. */
interface LogReach {
  /** Bytes that count, if a later log says so: what lies beyond was never acknowledged. */
  readonly sealed?: number
  /** What the watermark says, for the newest log. */
  readonly watermark?: Watermark
}

type Problem = ScannedFile['bad'][number]

function missingEnd(from: number, to: number): Problem {
  return { offset: from, bytes: to - from, kind: 'damaged', why: `${to - from} bytes at its end are missing` }
}

/** What is wrong with the end of a log. */
function checkEnd(
  length: number,
  bad: readonly Problem[],
  number: number,
  { sealed, watermark }: LogReach,
): Problem[] {
  if (sealed !== undefined) return length < sealed ? [missingEnd(length, sealed)] : []
  if (watermark?.number !== number) return []
  const torn = bad.find((stretch) => stretch.kind === 'torn')
  const end = torn?.offset ?? length
  return end < watermark.length ? [missingEnd(end, watermark.length)] : []
}

/** Whether there is not one byte in a file that was ever written. */
function isEmpty(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0)
}

/** Reads one file and judges it, with what other files say about how far it goes. */
export async function scanFile(
  disk: Disk,
  directory: string,
  file: FileName,
  reach: LogReach = {},
): Promise<ScannedFile> {
  const whole = await disk.read(join(directory, file.name))
  const { sealed: limit, watermark } = reach
  const bytes = Buffer.from(
    whole.buffer,
    whole.byteOffset,
    Math.min(whole.byteLength, limit ?? whole.byteLength),
  )
  const newestLog = file.kind === 'log' && limit === undefined
  if (newestLog && isEmpty(bytes) && carriedEntries(watermark, file.number) === false) {
    const why = 'it is empty, and nothing was ever acknowledged from it'
    const bad = [{ offset: 0, bytes: bytes.length, kind: 'torn', why } as const]
    return { ...file, bytes, version: 0, sealed: 0, frames: [], bad }
  }
  const decoded = decodeFileHeader(bytes, file.kind, file.number)
  const { frames, bad } = scanFrames(bytes, file.number)
  const problems: Problem[] = []
  if ('fault' in decoded)
    problems.push({
      offset: 0,
      bytes: Math.min(bytes.length, HEADER_BYTES),
      kind: decoded.fault,
      why: decoded.why,
    })
  if (file.kind === 'log') problems.push(...checkEnd(bytes.length, bad, file.number, reach))
  // Only the end of the newest log may be unfinished. A snapshot gets its name when it is whole, a sealed log was whole.
  for (const stretch of bad) problems.push(newestLog ? stretch : { ...stretch, kind: 'damaged' })
  if (file.kind === 'snapshot' && problems.length === 0) problems.push(...checkMarker(frames, bytes.length))
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

/** A directory under examination. */
interface Found {
  readonly disk: Disk
  readonly directory: string
  readonly names: ReadonlySet<string>
  readonly watermark: Watermark | undefined
}

function refuse(
  { directory }: Pick<Found, 'directory'>,
  kind: JournalErrorKind,
  file: string,
  offset: number,
  why: string,
): JournalError {
  const advice =
    kind === 'unknown-version'
      ? 'Nothing was changed. Start the version of Rollcall that wrote it, or a newer one.'
      : `Nothing was changed. \`rollcall journal verify ${directory}\` shows all of it, \`rollcall journal repair --dry-run ${directory}\` says what can be saved and what is lost, and without --dry-run does it.`
  const where =
    kind === 'missing' ? `${file} ${why}` : `${file} cannot be trusted from byte ${offset} on: ${why}`
  return new JournalError(kind, `${where}. ${advice}`, { file, offset })
}

function insist(found: Found, file: ScannedFile): ScannedFile {
  const fault = file.bad.find((stretch) => stretch.kind !== 'torn')
  if (fault !== undefined)
    throw refuse(found, fault.kind === 'torn' ? 'damaged' : fault.kind, file.name, fault.offset, fault.why)
  return file
}

function requireName(found: Found, kind: FileKind, number: number): FileName {
  const name = fileName(kind, number)
  if (!found.names.has(name))
    throw refuse(found, 'missing', name, 0, 'is missing, and other files build on it')
  return { kind, number, name }
}

async function readLogs(found: Found, from: number, to: number): Promise<ScannedFile[]> {
  const { disk, directory, watermark } = found
  const logs: ScannedFile[] = []
  let sealed: number | undefined
  for (let number = to; number >= from; number--) {
    const reach = {
      ...(sealed === undefined ? {} : { sealed }),
      ...(watermark === undefined ? {} : { watermark }),
    }
    const log = insist(found, await scanFile(disk, directory, requireName(found, 'log', number), reach))
    logs.unshift(log)
    // An empty log seals nothing: the one before it is judged as if it were the newest.
    sealed = log.sealed > 0 ? log.sealed : undefined
  }
  return logs
}

/** A log that carried entries and is not there any more leaves a trace in the watermark only. */
function requireNewest(found: Found, last: number): void {
  const { watermark } = found
  if (watermark === undefined || watermark.number <= last || !carriedEntries(watermark, watermark.number))
    return
  const name = fileName('log', watermark.number)
  throw refuse(found, 'missing', name, 0, `is missing, and went to byte ${watermark.length}`)
}

/**
 * Finds the newest complete chain. Undefined in a directory without a journal; rejects with JournalError about the
 * newest chain when there is none. Reads only, and only the files it needs.
 */
export async function findChain(disk: Disk, directory: string): Promise<Chain | undefined> {
  // First: a node that runs may turn to a new log at any time, and the watermark must not be ahead of the names.
  const watermark = await readWatermark(disk, directory)
  const files = (await disk.list(directory)).map(parseFileName).filter((file) => file !== undefined)
  const found: Found = { disk, directory, names: new Set(files.map((file) => file.name)), watermark }
  const last = Math.max(0, ...files.map((file) => file.number))
  requireNewest(found, last)
  if (files.length === 0) return undefined
  const snapshots = files.filter((file) => file.kind === 'snapshot').sort((a, b) => b.number - a.number)
  let newest: JournalError | undefined
  for (const name of [...snapshots, undefined]) {
    try {
      const snapshot = name === undefined ? undefined : insist(found, await scanFile(disk, directory, name))
      const from = name?.number ?? 1
      if (name === undefined && newest === undefined && !found.names.has(fileName('log', 1))) {
        const first = fileName('snapshot', Math.min(...files.map((file) => file.number)))
        throw refuse(found, 'missing', first, 0, 'is missing, and other files build on it')
      }
      return { snapshot, logs: await readLogs(found, from, last), fallback: newest }
    } catch (error) {
      if (!(error instanceof JournalError) || error.kind === 'unknown-version') throw error
      newest ??= error
    }
  }
  await refuseForeign(found, files)
  throw newest ?? new JournalError('io', 'no chain of files was considered')
}

/** Among damaged files one of a newer version decides: only that version can tell what is damaged, and repair it. */
async function refuseForeign(found: Found, files: readonly FileName[]): Promise<void> {
  for (const { name, kind, number } of files) {
    const bytes = await found.disk.read(join(found.directory, name)).catch(() => new Uint8Array())
    const decoded = decodeFileHeader(Buffer.from(bytes.subarray(0, HEADER_BYTES)), kind, number)
    if ('fault' in decoded && decoded.fault === 'unknown-version')
      throw refuse(found, decoded.fault, name, 0, decoded.why)
  }
}
