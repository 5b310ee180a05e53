/** Names of the journal's files, and how they come into being. */
import { join } from 'node:path'
import type { Disk, DiskFile } from './disk.js'
import { encodeFileHeader, encodeFrame, HEADER_BYTES, type FileKind } from './frames.js'

/** A file of the journal by its name. */
export interface FileName {
  readonly kind: FileKind
  readonly number: number
  readonly name: string
}

/** `journal-7.log`, `snapshot-7.snap`. */
export function fileName(kind: FileKind, number: number): string {
  return kind === 'log' ? `journal-${number}.log` : `snapshot-${number}.snap`
}

/** Reads a name; undefined when it is none of the journal's own. */
export function parseFileName(name: string): FileName | undefined {
  const match = /^(?:journal-([1-9][0-9]{0,8})\.log|snapshot-([1-9][0-9]{0,8})\.snap)$/.exec(name)
  if (match === null) return undefined
  const kind = match[1] === undefined ? 'snapshot' : 'log'
  return { kind, number: Number(match[1] ?? match[2]), name }
}

/** Whether a name belongs to a file that was never finished. */
export function isUnfinished(name: string): boolean {
  return name.endsWith('.tmp') && parseFileName(name.slice(0, -4)) !== undefined
}

/** Writes everything, however little the system takes at a time. */
export async function writeAll(file: DiskFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const written = await file.write(bytes.subarray(done), position + done)
    if (written <= 0) throw Object.assign(new Error('the disk took no bytes'), { code: 'EIO' })
    done += written
  }
}

/** Closes a file whose fate no longer matters. */
export async function closeQuietly(file: DiskFile): Promise<void> {
  try {
    await file.close()
  } catch {
    // Its last sync decided what is on disk; closing adds nothing.
  }
}

/** A log that takes frames at its end. */
export interface OpenLog {
  readonly number: number
  readonly sealed: number
  readonly file: DiskFile
  /** Durable bytes, and the position of the next frame. */
  length: number
  /** Durable frames. */
  frames: number
}

/**
 * Makes an empty log. It gets its name only after its header is durable, so a log with an unreadable header is
 * damaged, never unfinished. Replaces a log of the same number: the caller knows that one to be empty.
 */
export async function createLog(
  disk: Disk,
  directory: string,
  number: number,
  sealed: number,
): Promise<OpenLog> {
  const path = join(directory, fileName('log', number))
  const file = await disk.create(`${path}.tmp`)
  try {
    await writeAll(file, encodeFileHeader({ kind: 'log', number, sealed }), 0)
    await file.sync()
    await disk.rename(`${path}.tmp`, path)
    await disk.syncDirectory(directory)
  } catch (error) {
    await closeQuietly(file)
    throw error
  }
  return { number, sealed, file, length: HEADER_BYTES, frames: 0 }
}

/** What a piece of a snapshot holds. */
export interface SnapshotPiece {
  readonly payload: Uint8Array
  readonly count: number
}

/**
 * Writes a snapshot under a temporary name, makes it durable, and only then gives it its name. Takes one piece
 * at a time and lets the event loop run between two. Returns its size.
 */
export async function createSnapshot(
  disk: Disk,
  directory: string,
  number: number,
  pieces: Iterable<SnapshotPiece>,
): Promise<number> {
  const path = join(directory, fileName('snapshot', number))
  const file = await disk.create(`${path}.tmp`)
  let length = 0
  const put = async (bytes: Uint8Array): Promise<void> => {
    await writeAll(file, bytes, length)
    length += bytes.length
  }
  try {
    await put(encodeFileHeader({ kind: 'snapshot', number, sealed: 0 }))
    let index = 0
    let total = 0
    for (const piece of pieces) {
      await put(encodeFrame({ file: number, index: index++, count: piece.count, end: false }, piece.payload))
      total += piece.count
    }
    await put(encodeFrame({ file: number, index, count: total, end: true }, ''))
    await file.sync()
  } catch (error) {
    await closeQuietly(file)
    await disk.remove(`${path}.tmp`).catch(() => undefined)
    throw error
  }
  await file.close()
  await disk.rename(`${path}.tmp`, path)
  await disk.syncDirectory(directory)
  return length
}
