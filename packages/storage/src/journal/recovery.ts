/** From files to a state and a log that takes new frames. */
import { join } from 'node:path'
import type { JournalEntry, Logger } from '@rollcall/core'
import { findChain, type Chain, type ScannedFile } from './chain.js'
import type { Disk, DiskFile } from './disk.js'
import { closeQuietly, createLog, fileName, isUnfinished, parseFileName, type OpenLog } from './files.js'
import { FORMAT_VERSION, HEADER_BYTES } from './frames.js'
import { JournalError } from './journal-error.js'
import { createEntryReader } from './upgrade.js'

/** What a journal held when it was opened. */
export interface Recovered {
  /**
   * All entries in the order in which they are to be replayed; records merge. Can be read once: memory is given
   * back while reading. Throws JournalError `damaged` if a frame with a right checksum makes no sense.
   */
  readonly entries: Iterable<JournalEntry>
  readonly entryCount: number
  /** Bytes of the unfinished write that was cut off the last log; no caller had been told that it was kept. */
  readonly tornBytes: number
}

/** What recovery leaves to the writer. */
export interface Opened {
  readonly recovered: Recovered
  readonly log: OpenLog
  /** Names of the files that another start would need. */
  readonly needed: ReadonlySet<string>
  /** Bytes in logs since the snapshot. */
  readonly logBytes: number
  readonly snapshotBytes: number
  /** Whether a fresh snapshot is due because the newest one is bad. */
  readonly snapshotDue: boolean
}

/** The entries of files in order; takes the files off the list, so that their memory is given back. Throws `damaged` by name. */
export function* replay(files: ScannedFile[]): Generator<JournalEntry> {
  const read = createEntryReader()
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
    for (const frame of file.frames) {
      if (frame.end) continue
      let entries: JournalEntry[]
      try {
        entries = read(file.version, frame.payload)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        throw new JournalError('damaged', `${file.name}, frame at byte ${frame.offset}: ${why}`, {
          file: file.name,
          offset: frame.offset,
          cause: error,
        })
      }
      yield* entries
    }
  }
}

function countOf(file: ScannedFile): number {
  return file.frames.reduce((sum, frame) => sum + (frame.end ? 0 : frame.count), 0)
}

/** Where a log ends that is whole, or was cut. */
interface End {
  readonly file: DiskFile
  readonly length: number
  readonly tornBytes: number
}

/** Opens a log, cuts an unfinished write off its end, and makes durable what is left. */
async function mendLog(disk: Disk, directory: string, log: ScannedFile, logger: Logger): Promise<End> {
  const torn = log.bad[0]
  const length = torn?.offset ?? log.bytes.length
  const tornBytes = log.bytes.length - length
  const file = await disk.reopen(join(directory, log.name))
  try {
    if (torn !== undefined) {
      logger.warn(
        { file: log.name, offset: length, bytesCut: tornBytes, bytesKept: length, why: torn.why },
        'journal: cut an unfinished write off the end of the last log; probably it was never acknowledged',
      )
      await file.truncate(length)
    }
    // What was read may still be in the kernel's cache only: the process before may have died before its sync.
    await file.sync()
  } catch (error) {
    await closeQuietly(file)
    throw error
  }
  return { file, length, tornBytes }
}

interface Continued {
  readonly log: OpenLog
  readonly tornBytes: number
}

/** Continues the last log after its last good frame, or begins the next one where it takes no new entries. */
async function continueLog(
  disk: Disk,
  directory: string,
  last: ScannedFile,
  logger: Logger,
): Promise<Continued> {
  const { file, length, tornBytes } = await mendLog(disk, directory, last, logger)
  if (last.version === FORMAT_VERSION)
    return {
      log: { number: last.number, sealed: last.sealed, file, length, frames: last.frames.length },
      tornBytes,
    }
  // An older format takes no new entries: the version that wrote it would not understand them.
  await file.close()
  const [number, sealed] = last.frames.length === 0 ? [last.number, last.sealed] : [last.number + 1, length]
  return { log: await createLog(disk, directory, number, sealed), tornBytes }
}

/** Makes a log anew that is empty and carried nothing. It seals the one before it as it is found. */
async function replaceLog(
  disk: Disk,
  directory: string,
  { name, number, bytes }: ScannedFile,
  before: ScannedFile | undefined,
  logger: Logger,
): Promise<Continued> {
  logger.warn(
    { file: name, bytes: bytes.length },
    'journal: the last log is empty and nothing was ever acknowledged from it; made anew',
  )
  if (before === undefined) return { log: await createLog(disk, directory, number, 0), tornBytes: 0 }
  const { file, length, tornBytes } = await mendLog(disk, directory, before, logger)
  await file.close()
  return { log: await createLog(disk, directory, number, length), tornBytes }
}

/** Removes unfinished files, and files that a durable newer snapshot has replaced. */
export async function removeReplaced(disk: Disk, directory: string, base: number): Promise<void> {
  for (const name of await disk.list(directory)) {
    const file = parseFileName(name)
    if (isUnfinished(name) || (file !== undefined && file.number < base))
      await disk.remove(join(directory, name))
  }
}

function opened(log: OpenLog, tornBytes: number, chain: Chain): Opened {
  const files = [...(chain.snapshot === undefined ? [] : [chain.snapshot]), ...chain.logs]
  return {
    recovered: {
      entries: replay(files),
      entryCount: files.reduce((sum, file) => sum + countOf(file), 0),
      tornBytes,
    },
    log,
    needed: new Set([...files.map((file) => file.name), fileName('log', log.number)]),
    logBytes:
      chain.logs.reduce((sum, file) => sum + Math.max(0, file.bytes.length - HEADER_BYTES), 0) - tornBytes,
    snapshotBytes: chain.snapshot?.bytes.length ?? 0,
    snapshotDue: chain.fallback !== undefined,
  }
}

/** Opens what is there, or begins. Rejects with JournalError and changes nothing if what is there is not whole. */
export async function recover(disk: Disk, directory: string, logger: Logger): Promise<Opened> {
  const chain = await findChain(disk, directory)
  if (chain === undefined) {
    await removeReplaced(disk, directory, 0)
    return opened(await createLog(disk, directory, 1, 0), 0, {
      snapshot: undefined,
      logs: [],
      fallback: undefined,
    })
  }
  if (chain.fallback !== undefined) {
    logger.error(
      { reason: chain.fallback.message, file: chain.fallback.file },
      'journal: newest snapshot is bad, using the complete chain before it',
    )
  }
  const last = chain.logs.at(-1)
  if (last === undefined)
    throw new JournalError('missing', 'a chain of files without a log', { file: directory })
  const isEmpty = last.bad[0]?.offset === 0
  const { log, tornBytes } = isEmpty
    ? await replaceLog(disk, directory, last, chain.logs.at(-2), logger)
    : await continueLog(disk, directory, last, logger)
  await removeReplaced(disk, directory, chain.snapshot?.number ?? 0)
  return opened(log, tornBytes, chain)
}
