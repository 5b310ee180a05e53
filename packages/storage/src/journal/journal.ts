/** The journal of a node on its disk. */
import type { Clock, JournalEntry, JournalPort, Logger, Meter } from '@rollcall/core'
import type { Disk } from './disk.js'
import type { JournalHealth } from './health.js'
import { Holding } from './holding.js'
import { JournalError } from './journal-error.js'
import { systemWords } from './make-directory.js'
import { resolveOptions, type JournalOptions } from './options.js'
import { recover, type Opened, type Recovered } from './recovery.js'
import { JournalWriter } from './writer.js'

/** What a journal needs. */
export interface JournalDeps {
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  /**
   * The whole durable state as entries, from memory. Called when a snapshot is due, never before the first append
   * or `retryMsMin`, and read piece by piece while the registry goes on changing (iterating a Map is fine). The
   * registry must apply a change to memory before, or in the same step as, it appends the entry.
   */
  readonly snapshotSource: () => Iterable<JournalEntry>
}

/** A journal that can be asked how it does. */
export interface Journal extends JournalPort {
  health(): JournalHealth
}

async function openFiles(deps: JournalDeps, directory: string, holding: Holding): Promise<Opened> {
  try {
    const opened = await recover(deps.disk, directory, deps.logger)
    await holding.adopt(opened.needed)
    return opened
  } catch (error) {
    if (error instanceof JournalError) throw error
    const message = `${directory} cannot be opened: ${systemWords(error)}`
    throw new JournalError('io', message, { file: directory, cause: error })
  }
}

async function takeDirectory(disk: Disk, directory: string): Promise<Holding> {
  try {
    return await Holding.take(disk, directory)
  } catch (error) {
    if (error instanceof JournalError) throw error
    const message = `${directory} cannot be used as data directory: ${systemWords(error)}`
    throw new JournalError('io', message, { file: directory, cause: error })
  }
}

/**
 * Takes the directory, checks every byte in it, heals an unfinished last write, and opens the journal. Rejects with
 * JournalError (`damaged`, `missing`, `unknown-version`, `locked`, `io`) and changes nothing when it must not start.
 * `close` commits what is queued and lets the directory go; it rejects with JournalError `io` when changes are lost
 * because the disk refuses to the end.
 */
export async function openJournal(
  deps: JournalDeps,
  options: JournalOptions,
): Promise<{ readonly journal: Journal; readonly recovered: Recovered }> {
  const resolved = resolveOptions(options)
  const holding = await takeDirectory(deps.disk, resolved.directory)
  let opened: Opened
  try {
    opened = await openFiles(deps, resolved.directory, holding)
  } catch (error) {
    await holding.release()
    throw error
  }
  const writer = new JournalWriter({ ...deps, holding }, resolved, opened)
  const closeAll = async (): Promise<void> => {
    try {
      await writer.close()
    } finally {
      await holding.release()
    }
  }
  let closed: Promise<void> | undefined
  const journal: Journal = {
    append: (entries) => writer.append(entries),
    health: () => writer.health(),
    close() {
      closed ??= closeAll()
      return closed
    },
  }
  return { journal, recovered: opened.recovered }
}
