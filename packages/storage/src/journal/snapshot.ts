/** Snapshots: how the state becomes a file. */
import { join } from 'node:path'
import type { JournalEntry } from '@rollcall/core'
import { encodeEntries } from './codec.js'
import type { Disk } from './disk.js'
import { appendAll, closeQuietly, fileName } from './files.js'
import { encodeFileHeader, encodeFrame } from './frames.js'
import { SNAPSHOT_PIECE_LIMITS } from './options.js'

/** What a piece of a snapshot holds. */
export interface SnapshotPiece {
  readonly payload: Uint8Array
  readonly count: number
}

/** Encodes entries piece by piece, as they are taken. */
export function* piecesOf(entries: Iterable<JournalEntry>): Generator<SnapshotPiece> {
  let waiting: JournalEntry[] = []
  const encode = (): SnapshotPiece => {
    const { payload, taken } = encodeEntries(waiting, 0, SNAPSHOT_PIECE_LIMITS)
    waiting = waiting.slice(taken)
    return { payload, count: taken }
  }
  for (const entry of entries) {
    waiting.push(entry)
    if (waiting.length >= SNAPSHOT_PIECE_LIMITS.entriesMax) yield encode()
  }
  while (waiting.length > 0) yield encode()
}

/** What a file of pieces is. */
interface PiecesFile {
  readonly kind: 'snapshot' | 'backup'
  readonly number: number
  /** What the end marker carries, made when all pieces are written: nothing in a snapshot. */
  readonly about?: (entries: number) => string
}

/**
 * Writes a file of pieces and an end marker that counts them, durably, replacing what has the path; takes one piece at a
 * time and lets the event loop run between two. On failure the file is removed. Resolves to the number of entries.
 */
export async function writePieces(
  disk: Disk,
  path: string,
  { kind, number, about = () => '' }: PiecesFile,
  pieces: Iterable<SnapshotPiece>,
): Promise<number> {
  const file = await disk.create(path)
  let total = 0
  try {
    await appendAll(file, encodeFileHeader({ kind, number, sealed: 0 }))
    let index = 0
    for (const { count, payload } of pieces) {
      await appendAll(file, encodeFrame({ file: number, index: index++, count, end: false }, payload))
      total += count
    }
    await appendAll(file, encodeFrame({ file: number, index, count: total, end: true }, about(total)))
    await file.sync()
  } catch (error) {
    await closeQuietly(file)
    await disk.remove(path).catch(() => undefined)
    throw error
  }
  await file.close()
  return total
}

/** Writes a snapshot under a temporary name, durably. */
export async function writeSnapshot(
  disk: Disk,
  directory: string,
  number: number,
  pieces: Iterable<SnapshotPiece>,
): Promise<void> {
  const path = `${join(directory, fileName('snapshot', number))}.tmp`
  await writePieces(disk, path, { kind: 'snapshot', number }, pieces)
}

/** Gives a snapshot that was written its name: from now on it stands for all that is older. */
export async function nameSnapshot(disk: Disk, directory: string, number: number): Promise<void> {
  const path = join(directory, fileName('snapshot', number))
  await disk.rename(`${path}.tmp`, path)
  await disk.sync(directory)
}
