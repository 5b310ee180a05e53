/**
 * Makes a data directory out of a backup. A directory is refused by a node until the snapshot in it has its name, which
 * comes last: a log of number 2 alone, or a snapshot without its log, says by its number that something is missing.
 */
import { join } from 'node:path'
import type { JournalEntry } from '@rollcall/core'
import { contentOf, readBackup, type BackupReport } from './backup-file.js'
import type { Disk } from './disk.js'
import { closeQuietly, createLog, fileName, isUnfinished } from './files.js'
import { JournalError, systemCode } from './journal-error.js'
import { nameSnapshot, piecesOf, writeSnapshot } from './snapshot.js'
import { verifyJournal } from './verify.js'

/** Not 1: a first log needs no snapshot, and half a restore would pass for a new journal. */
const NUMBER = 2

/** What may be in a directory that counts as empty: a lock that no process holds, and what a new file system comes with. */
const NO_OBSTACLES = new Set(['LOCK', 'lost+found'])

/** What a restore made. */
export interface RestoreReport extends BackupReport {
  readonly directory: string
  /** The files a node will start from. */
  readonly written: readonly string[]
}

/**
 * Checks a backup whole, then makes a journal of it in a directory, which is made if it does not exist, and checks that
 * too. Rejects with JournalError, and leaves no file of a journal: as `readBackup`, `occupied` where the directory is not
 * empty, `locked` while a process has it, `io` where the system refuses.
 */
export async function restoreJournal(disk: Disk, file: string, directory: string): Promise<RestoreReport> {
  const { entries, about, bytes, version } = await readBackup(disk, file)
  const report = { file, bytes, version, entries: entries.length, ...about, content: contentOf(entries) }
  const written = [fileName('snapshot', NUMBER), fileName('log', NUMBER)]
  try {
    await refuseOccupied(disk, directory)
    await disk.makeDirectory(directory)
    const lock = await disk.lock(directory)
    try {
      // Once more, now that no other process can begin here.
      await refuseOccupied(disk, directory)
      await write(disk, directory, entries)
    } finally {
      await lock.release()
    }
  } catch (error) {
    if (error instanceof JournalError) throw error
    const why = systemCode(error) ?? String(error)
    throw new JournalError('io', `${directory} cannot be filled: ${why}`, { file: directory, cause: error })
  }
  return { ...report, directory, written }
}

async function refuseOccupied(disk: Disk, directory: string): Promise<void> {
  const found = (await disk.list(directory)).find((name) => !NO_OBSTACLES.has(name) && !isUnfinished(name))
  if (found === undefined) return
  throw new JournalError(
    'occupied',
    `${directory} is not empty, it has ${found}. A restore goes into an empty directory: move what is there elsewhere, or name another one`,
    { file: found },
  )
}

async function write(disk: Disk, directory: string, entries: readonly JournalEntry[]): Promise<void> {
  try {
    await writeSnapshot(disk, directory, NUMBER, piecesOf(entries))
    const log = await createLog(disk, directory, NUMBER, 0)
    await closeQuietly(log.file)
    await nameSnapshot(disk, directory, NUMBER)
    await confirm(disk, directory, entries.length)
  } catch (error) {
    const [snapshot, log] = [fileName('snapshot', NUMBER), fileName('log', NUMBER)]
    // The snapshot first: without it, what is left is refused.
    for (const name of [snapshot, `${snapshot}.tmp`, log, `${log}.tmp`])
      await disk.remove(join(directory, name)).catch(() => undefined)
    throw error
  }
}

async function confirm(disk: Disk, directory: string, entries: number): Promise<void> {
  const report = await verifyJournal(disk, directory)
  if (report.opens && report.entries === entries) return
  const why = report.refusal ?? `it has ${report.entries} entries where ${entries} were written`
  throw new JournalError('io', `${directory} does not hold what was written there: ${why}`, {
    file: directory,
  })
}
