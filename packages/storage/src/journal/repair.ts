/**
 * Saves what can be read of a damaged journal: all good frames, oldest first, become one new snapshot. Entries that
 * were in bad frames are lost, and with them possibly a deregistration: leases and probes then end such an instance.
 */
import { join } from 'node:path'
import type { JournalEntry } from '@rollcall/core'
import type { ScannedFile } from './chain.js'
import type { Disk } from './disk.js'
import { closeQuietly, createLog, fileName } from './files.js'
import { JournalError } from './journal-error.js'
import { nameSnapshot, piecesOf, writeSnapshot } from './snapshot.js'
import { createEntryReader } from './upgrade.js'
import { entriesIn, scanAll, verifyJournal, type Contents } from './verify.js'
import { carriedEntries } from './watermark.js'

/** Something that cannot be saved. */
export interface Dropped {
  readonly file: string
  readonly offset: number
  readonly bytes: number
  readonly why: string
}

/** What a repair did, or would do. */
export interface RepairReport {
  readonly directory: string
  /** False when there was nothing to repair: then nothing was done. */
  readonly needed: boolean
  readonly dryRun: boolean
  /** Entries in the new snapshot. */
  readonly keptEntries: number
  readonly dropped: readonly Dropped[]
  /** Files kept under another name; delete them when you are content. */
  readonly backups: readonly { readonly from: string; readonly to: string }[]
  /** The files a node will start from. */
  readonly written: readonly string[]
}

interface Plan {
  readonly sources: readonly ScannedFile[]
  readonly dropped: readonly Dropped[]
  readonly damaged: ReadonlySet<string>
  /** Number of the new snapshot and log. */
  readonly number: number
}

/** Everything from the newest whole snapshot on; all there is if no snapshot is whole. */
function planOf({ files, unreadable, watermark }: Contents): Plan {
  const whole = files.filter((file) => file.kind === 'snapshot' && file.bad.length === 0)
  const base = whole.at(-1)?.number ?? 0
  const sources = files.filter((file) => file.number >= base)
  const dropped: Dropped[] = []
  const damaged = new Set<string>()
  for (const file of sources) {
    for (const { offset, bytes, why, kind } of file.bad) {
      if (kind !== 'torn') damaged.add(file.name)
      dropped.push({ file: file.name, offset, bytes, why })
    }
  }
  for (const [name, { why }] of unreadable) {
    damaged.add(name)
    dropped.push({ file: name, offset: 0, bytes: 0, why: `the whole file cannot be read: ${why}` })
  }
  const logs = sources.filter((file) => file.kind === 'log').map((file) => file.number)
  const last = Math.max(0, ...sources.map((file) => file.number))
  const newest = watermark !== undefined && carriedEntries(watermark, watermark.number) ? watermark.number : 0
  for (let number = Math.max(1, base); number <= Math.max(last, newest); number++) {
    const name = fileName('log', number)
    if (logs.includes(number) || unreadable.has(name)) continue
    // Without any snapshot, logs before the first that is left are covered by nothing we know of.
    dropped.push({ file: name, offset: 0, bytes: 0, why: 'the file is missing' })
  }
  const taken = [...files.map((file) => file.number), watermark?.number ?? 0]
  return { sources, dropped, damaged, number: Math.max(...taken) + 1 }
}

function* entriesOf(sources: readonly ScannedFile[]): Generator<JournalEntry> {
  const read = createEntryReader()
  for (const file of sources) {
    for (const frame of file.frames) {
      if (frame.end) continue
      yield* read(file.version, frame.payload)
    }
  }
}

async function carryOut(
  disk: Disk,
  directory: string,
  plan: Plan,
  backups: RepairReport['backups'],
): Promise<void> {
  // The log first, as in every rotation: interrupted anywhere, the directory is still refused and repaired anew.
  const log = await createLog(disk, directory, plan.number, 0)
  await closeQuietly(log.file)
  await writeSnapshot(disk, directory, plan.number, piecesOf(entriesOf(plan.sources)))
  await nameSnapshot(disk, directory, plan.number)
  for (const { from, to } of backups) await disk.rename(join(directory, from), join(directory, to))
  await disk.sync(directory)
}

async function repairUnderLock(disk: Disk, directory: string, dryRun: boolean): Promise<RepairReport> {
  const before = await verifyJournal(disk, directory)
  const nothing = { directory, dryRun, keptEntries: before.entries, dropped: [], backups: [], written: [] }
  if (before.opens) return { ...nothing, needed: false }
  const contents = await scanAll(disk, directory)
  const { files, unreadable } = contents
  const foreign = files.find((file) => file.bad.some((stretch) => stretch.kind === 'unknown-version'))
  if (foreign !== undefined) {
    throw new JournalError(
      'unknown-version',
      `${foreign.name} was written by another version of Rollcall; repair it with that one`,
      { file: foreign.name },
    )
  }
  const plan = planOf(contents)
  const names = [...files.map((file) => file.name), ...unreadable.keys()]
  const backups = names.map((from) => ({
    from,
    to: `${from}.${plan.damaged.has(from) ? 'damaged' : 'replaced'}`,
  }))
  if (!dryRun) await carryOut(disk, directory, plan, backups)
  return {
    directory,
    dryRun,
    needed: true,
    keptEntries: plan.sources.reduce((sum, file) => sum + entriesIn(file), 0),
    dropped: plan.dropped,
    backups,
    written: [fileName('snapshot', plan.number), fileName('log', plan.number)],
  }
}

/**
 * Makes a directory that opens out of one that does not, and says what that costs. Nothing is deleted: damaged files
 * get the ending `.damaged`, whole ones that the new snapshot replaces `.replaced`. With `dryRun` only says so.
 * Rejects with JournalError `locked` while a node has the directory, and `unknown-version` for files of a newer one.
 */
export async function repairJournal(
  disk: Disk,
  directory: string,
  options: { readonly dryRun?: boolean } = {},
): Promise<RepairReport> {
  if ((await disk.list(directory)).length === 0) {
    return {
      directory,
      dryRun: options.dryRun ?? false,
      needed: false,
      keptEntries: 0,
      dropped: [],
      backups: [],
      written: [],
    }
  }
  const lock = await disk.lock(directory)
  try {
    return await repairUnderLock(disk, directory, options.dryRun ?? false)
  } finally {
    await lock.release()
  }
}
