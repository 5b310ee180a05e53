/** From files to a state and a log that takes new frames. */
import { join } from 'node:path'
import type { JournalEntry, Logger } from '@rollcall/core'
import { findChain, type Chain, type ScannedFile } from './chain.js'
import type { Disk } from './disk.js'
import { closeQuietly, createLog, isUnfinished, parseFileName, type OpenLog } from './files.js'
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
  /** Bytes in logs since the snapshot. */
  readonly logBytes: number
  readonly snapshotBytes: number
  /** Whether a fresh snapshot is due because the newest one is bad. */
  readonly snapshotDue: boolean
}

function* replay(files: ScannedFile[]): Generator<JournalEntry> {
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

/** Continues the last log after its last good frame. */
async function reopenLog(
  disk: Disk,
  directory: string,
  last: ScannedFile,
  logger: Logger,
): Promise<{ log: OpenLog; tornBytes: number }> {
  const torn = last.bad[0]
  const length = torn?.offset ?? last.bytes.length
  const tornBytes = last.bytes.length - length
  const file = await disk.reopen(join(directory, last.name))
  try {
    if (torn !== undefined) {
      logger.warn(
        { file: last.name, offset: length, bytesCut: tornBytes, bytesKept: length, why: torn.why },
        'journal: cut an unfinished write off the end of the last log',
      )
      await file.truncate(length)
    }
    // What was read may still be in the kernel's cache only: the process before may have died before its sync.
    await file.sync()
  } catch (error) {
    await closeQuietly(file)
    throw error
  }
  if (last.version !== FORMAT_VERSION) {
    // An older format takes no new entries: the version that wrote it would not understand them.
    await file.close()
    const [number, sealed] = last.frames.length === 0 ? [last.number, last.sealed] : [last.number + 1, length]
    return { log: await createLog(disk, directory, number, sealed), tornBytes }
  }
  return {
    log: { number: last.number, sealed: last.sealed, file, length, frames: last.frames.length },
    tornBytes,
  }
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
    logBytes: chain.logs.reduce((sum, file) => sum + file.bytes.length - HEADER_BYTES, 0) - tornBytes,
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
  const { log, tornBytes } = await reopenLog(disk, directory, last, logger)
  await removeReplaced(disk, directory, chain.snapshot?.number ?? 0)
  return opened(log, tornBytes, chain)
}
