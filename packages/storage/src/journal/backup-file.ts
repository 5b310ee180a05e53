/**
 * A backup: the state of a journal as one file. A snapshot in all but two things: the header says that it is a backup,
 * and the end marker carries what it is about, as JSON. So a file without its end is no backup, wherever it was cut.
 */
import { basename } from 'node:path'
import { declarationKey, merge, type JournalEntry, type StoredRecord } from '@rollcall/core'
import { checkMarker } from './chain.js'
import type { Disk } from './disk.js'
import { decodeFileHeader, scanFrames, type Frame } from './frames.js'
import { JournalError, systemCode } from './journal-error.js'
import { writePieces, type SnapshotPiece } from './snapshot.js'
import { createEntryReader } from './upgrade.js'

/** Frames name the file that they belong to; a backup has no number, so all have this one. */
const BACKUP_NUMBER = 1

/** What a backup says of itself. */
export interface BackupAbout {
  /** When it was begun, by the clock of the machine that took it, as ISO 8601. Everything acknowledged as `disk` by then is in it. */
  readonly createdAt: string
  /** Version of the software that took it. */
  readonly software: string
  /** The commit that it ends with: a log, and how many bytes of it count. */
  readonly upTo: { readonly file: string; readonly offset: number }
}

/** What is in a backup, counted as a node would show it. */
export interface BackupContent {
  /** Listed instances: neither deregistered nor expired. */
  readonly instances: number
  /** Deregistered or expired ones that are remembered, so that they do not come back. */
  readonly removed: number
  /** Instances, removed ones included, with a drain, a ban or a weight of an operator. */
  readonly overrides: number
  /** Settings of services and namespaces, and freezes. */
  readonly declarations: number
}

/** A backup that was read and found whole. */
export interface BackupReport extends BackupAbout {
  readonly file: string
  readonly bytes: number
  /** Format of its entries. */
  readonly version: number
  readonly entries: number
  readonly content: BackupContent
}

/** A whole backup, read and checked. */
export interface Backup {
  readonly bytes: number
  /** Format of its entries. */
  readonly version: number
  readonly entries: readonly JournalEntry[]
  readonly about: BackupAbout
}

/** Writes a backup, durably; on failure there is no such file. Resolves to the number of entries. */
export function writeBackup(
  disk: Disk,
  path: string,
  pieces: Iterable<SnapshotPiece>,
  about: BackupAbout,
): Promise<number> {
  return writePieces(
    disk,
    path,
    { kind: 'backup', number: BACKUP_NUMBER, about: () => JSON.stringify(about) },
    pieces,
  )
}

/**
 * Reads a backup and checks every byte and entry of it. Rejects with JournalError that names file and byte: `damaged`,
 * `unknown-version`, or `io` where it cannot be read.
 */
export async function readBackup(disk: Disk, path: string): Promise<Backup> {
  const name = basename(path)
  const refuse = (kind: 'damaged' | 'unknown-version', offset: number, why: string): JournalError =>
    new JournalError(
      kind,
      kind === 'damaged'
        ? `${name} cannot be trusted from byte ${offset} on: ${why}. Use another backup.`
        : `${name}: ${why}. Use the version of Rollcall that took it, or a newer one.`,
      { file: name, offset },
    )
  const bytes = await readFile(disk, path)
  const decoded = decodeFileHeader(bytes, 'backup', BACKUP_NUMBER)
  if ('fault' in decoded) throw refuse(decoded.fault, 0, decoded.why)
  const { frames, bad } = scanFrames(bytes, BACKUP_NUMBER)
  const [fault] = [...bad, ...checkMarker(frames, bytes.length)]
  if (fault !== undefined) throw refuse('damaged', fault.offset, fault.why)
  const entries: JournalEntry[] = []
  const read = createEntryReader()
  let at = frames[0] as Frame
  try {
    for (at of frames)
      if (!at.end) for (const entry of read(decoded.header.version, at.payload)) entries.push(entry)
    return { bytes: bytes.length, version: decoded.header.version, entries, about: aboutOf(at.payload) }
  } catch (error) {
    throw refuse('damaged', at.offset, error instanceof Error ? error.message : String(error))
  }
}

async function readFile(disk: Disk, path: string): Promise<Buffer> {
  try {
    const bytes = await disk.read(path)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  } catch (error) {
    const why = systemCode(error) ?? String(error)
    throw new JournalError('io', `${path} cannot be read: ${why}`, { file: basename(path), cause: error })
  }
}

/** The checksum was right: what does not make sense is a fault of the writer. */
function aboutOf(payload: Buffer): BackupAbout {
  const about = JSON.parse(payload.toString()) as Partial<BackupAbout>
  const { createdAt, software, upTo } = about
  if (
    createdAt === undefined ||
    Number.isNaN(Date.parse(createdAt)) ||
    software === undefined ||
    upTo === undefined
  )
    throw new Error('the end marker does not say what the backup is about')
  return { createdAt, software, upTo }
}

/** Counts what entries add up to. */
export function contentOf(entries: readonly JournalEntry[]): BackupContent {
  const records = new Map<string, StoredRecord>()
  const declared = new Set<string>()
  for (const entry of entries) {
    if (entry.kind === 'record') {
      const key = keyOf(entry.record)
      const held = records.get(key)
      records.set(key, held === undefined ? entry.record : merge(held, entry.record))
    } else if (entry.kind === 'forget') {
      const key = keyOf(entry.key)
      if (records.get(key)?.incarnation === entry.incarnation) records.delete(key)
    } else if (entry.kind === 'epoch') continue
    else if (entry.register.value === null) declared.delete(declarationKey(entry))
    else declared.add(declarationKey(entry))
  }
  let removed = 0
  let overrides = 0
  for (const { content, verdict, override } of records.values()) {
    if (content.intent === 'gone' || verdict.value === 'expired') removed++
    if (override !== undefined && override.value !== null) overrides++
  }
  return { instances: records.size - removed, removed, overrides, declarations: declared.size }
}

function keyOf({
  namespace,
  service,
  group,
  id,
}: Pick<StoredRecord, 'namespace' | 'service' | 'group' | 'id'>): string {
  return JSON.stringify([namespace, service, group, id])
}

/** What is in a backup file, as `rollcall journal verify` shows it. Rejects as `readBackup` does. */
export async function verifyBackup(disk: Disk, path: string): Promise<BackupReport> {
  const { bytes, version, entries, about } = await readBackup(disk, path)
  return { file: path, bytes, version, entries: entries.length, ...about, content: contentOf(entries) }
}
