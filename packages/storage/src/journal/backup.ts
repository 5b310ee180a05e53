/**
 * Backs up a journal beside the node that writes it, or without one. The node is not asked and not held up: what is
 * durable is in its files, and those only grow until a newer snapshot stands for them.
 *
 * Why the copy is one moment of the node: a chain is a snapshot and all logs from its number on, and whatever it ends
 * with, what came before is in it. The names are listed after the call began, so every commit that was acknowledged by then is in a
 * file that is listed or that a listed one stands for. The newest log is read to its last whole frame: a commit that is
 * being written while it is read is not acknowledged yet.
 *
 * Files that a snapshot replaces while they are read are gone, or the list of names is of two moments. Both show as
 * names that changed meanwhile, and the chain is looked for again; what is wrong under names that did not change is damage.
 */
import { basename, dirname } from 'node:path'
import { verifyBackup, writeBackup, type BackupReport } from './backup-file.js'
import { findChain, type Chain } from './chain.js'
import type { Disk } from './disk.js'
import { parseFileName } from './files.js'
import { JournalError, systemCode } from './journal-error.js'
import { replay } from './recovery.js'
import { piecesOf } from './snapshot.js'

/** What a backup is told. */
export interface BackupOptions {
  /** The data directory. */
  readonly directory: string
  /** The file to be made; nothing may have that name. Not in the data directory. */
  readonly file: string
  /** A name of its own for this attempt, such as the pid: two attempts at one file must not meet. */
  readonly attempt: string
  /** Milliseconds since the epoch. */
  readonly wallNow: number
  /** Version of the software. */
  readonly software: string
}

/** What a backup did. */
export interface BackupDone extends BackupReport {
  /** Why older files than the newest snapshot were used; the node should make a new one. */
  readonly fallback: string | undefined
}

/** A snapshot takes longer to make than to be copied: losing this many races in a row means something else. */
const ATTEMPTS_MAX = 20

/**
 * Writes all that is durable in a journal into one file, reads it back, and only then gives it its name. Changes nothing
 * in the directory. Rejects with JournalError: `missing` without a journal, `damaged`, `missing` or `unknown-version`
 * where a node would not start, `occupied` where the name is taken, `io` where the system refuses. Then no file is left.
 */
export async function backupJournal(disk: Disk, options: BackupOptions): Promise<BackupDone> {
  const { directory, file, attempt, wallNow, software } = options
  await refuseTaken(disk, options)
  const chain = await readChain(disk, directory)
  const partial = `${file}.${attempt}.partial`
  const about = { createdAt: new Date(wallNow).toISOString(), software, upTo: endOf(chain) }
  const files = [...(chain.snapshot === undefined ? [] : [chain.snapshot]), ...chain.logs]
  try {
    await writeBackup(disk, partial, piecesOf(replay(files)), about)
    const report = await verifyBackup(disk, partial)
    await refuseTaken(disk, options)
    await disk.rename(partial, file)
    await disk.sync(dirname(file))
    return { ...report, file, fallback: chain.fallback?.message }
  } catch (error) {
    await disk.remove(partial).catch(() => undefined)
    if (error instanceof JournalError) throw error
    throw failure(error, `${file} cannot be written`, basename(file))
  }
}

function failure(error: unknown, what: string, file: string): JournalError {
  return new JournalError('io', `${what}: ${systemCode(error) ?? String(error)}`, { file, cause: error })
}

/** A backup replaces nothing, and a file beside the journal's own could pass for one of them. */
async function refuseTaken(disk: Disk, { directory, file }: BackupOptions): Promise<void> {
  const name = basename(file)
  const folder = await disk.state(dirname(file))
  if (folder === undefined)
    throw new JournalError('missing', `${dirname(file)} is not there: make the folder first`, { file: name })
  if (folder.id === (await disk.state(directory))?.id)
    throw new JournalError('occupied', `${file} is in the data directory: backups belong elsewhere`, {
      file: name,
    })
  if ((await disk.state(file)) !== undefined)
    throw new JournalError('occupied', `${file} is there already, and nothing is overwritten`, { file: name })
}

async function readChain(disk: Disk, directory: string): Promise<Chain> {
  for (let attempt = 1; ; attempt++) {
    const before = await namesIn(disk, directory)
    const { chain, error } = await lookFor(disk, directory)
    if (chain !== undefined && chain.fallback === undefined) return chain
    const changed = before !== (await namesIn(disk, directory))
    if (changed && attempt < ATTEMPTS_MAX) continue
    if (chain !== undefined) return chain
    if (error === undefined)
      throw new JournalError('missing', `${directory} holds no journal`, { file: directory })
    throw error instanceof JournalError ? error : failure(error, `${directory} cannot be read`, directory)
  }
}

/** The chain there is, or why there is none. */
async function lookFor(
  disk: Disk,
  directory: string,
): Promise<{ readonly chain?: Chain | undefined; readonly error?: unknown }> {
  try {
    return { chain: await findChain(disk, directory) }
  } catch (error) {
    return { error }
  }
}

/** All names of the journal's files, as one text. No number is used twice, so equal texts mean that nothing turned. */
async function namesIn(disk: Disk, directory: string): Promise<string> {
  const names = await disk.list(directory)
  return names
    .filter((name) => parseFileName(name) !== undefined)
    .sort()
    .join('\n')
}

function endOf({ logs }: Chain): { readonly file: string; readonly offset: number } {
  const log = logs.at(-1)
  if (log === undefined) throw new JournalError('missing', 'a chain of files without a log')
  return { file: log.name, offset: log.bad[0]?.offset ?? log.bytes.length }
}
