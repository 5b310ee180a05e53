/** Names of the journal's files, and how logs come into being. */
import { join } from 'node:path'
import type { Disk, DiskFile } from './disk.js'
import { encodeFileHeader, HEADER_BYTES, type FileKind } from './frames.js'

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
export async function appendAll(file: DiskFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const written = await file.append(bytes.subarray(done))
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
    await appendAll(file, encodeFileHeader({ kind: 'log', number, sealed }))
    await file.sync()
    await disk.rename(`${path}.tmp`, path)
    await disk.sync(directory)
  } catch (error) {
    await closeQuietly(file)
    throw error
  }
  return { number, sealed, file, length: HEADER_BYTES, frames: 0 }
}
