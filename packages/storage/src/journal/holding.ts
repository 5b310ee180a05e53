/**
 * What a journal stands on: its directory, taken for this process, and the files in it. Says when they are not any
 * more what the journal left there, and takes the directory again where that is safe.
 *
 * A file that is removed, cut or replaced while it is open fails no write and no fsync. So the log's own state is
 * looked at with each commit, and what the paths show, the lock's included, several times a second.
 */
import { join } from 'node:path'
import type { Disk, DiskLock, FileState } from './disk.js'
import { fileName, parseFileName, type OpenLog } from './files.js'
import { JournalFault } from './journal-error.js'

interface OwnFile {
  readonly id: string
  readonly length: number
  /** Whether a restart would need it. */
  readonly needed: boolean
}

function faultOf(
  name: string,
  shown: FileState | undefined,
  own: OwnFile,
  lengthMin: number,
): string | undefined {
  if (shown === undefined) return `${name} was removed`
  if (shown.id !== own.id) return `${name} was replaced by another file`
  if (shown.length < lengthMin) return `${name} was cut from ${lengthMin} to ${shown.length} bytes`
  // Logs grow while they are looked at, and a given-up commit may still arrive; a snapshot never changes.
  if (name.endsWith('.snap') && shown.length > lengthMin) return `${name} grew to ${shown.length} bytes`
  return undefined
}

/** Confirms that what was just synced is in a log that still has a name and ends where this commit ended. */
export function confirmCommit(log: OpenLog, length: number): void {
  const state = log.file.state()
  const name = fileName('log', log.number)
  if (state.links === 0) throw new JournalFault('files', `${name} was removed`)
  if (state.length !== length)
    throw new JournalFault('files', `${name} has ${state.length} bytes where ${length} were written`)
}

/** A directory held for this process, with the files of its journal. */
export class Holding {
  readonly #disk: Disk
  readonly #directory: string
  readonly #device: string | undefined
  #lock: DiskLock
  readonly #files = new Map<string, OwnFile>()
  /** Set once another process has held the directory since this one lost it: then no file is trusted to be own. */
  #displaced = false
  /** Name of the lock of the last attempt to take the directory again. */
  #attempt: string | undefined

  private constructor(disk: Disk, directory: string, device: string | undefined, lock: DiskLock) {
    this.#disk = disk
    this.#directory = directory
    this.#device = device
    this.#lock = lock
  }

  /** Takes the directory for this process, made if there is none. Rejects with JournalError `locked` when another has it. */
  static async take(disk: Disk, directory: string): Promise<Holding> {
    await disk.makeDirectory(directory)
    const lock = await disk.lock(directory)
    return new Holding(disk, directory, (await disk.state(directory))?.device, lock)
  }

  /** Remembers the files that are there when the journal is opened, and which of them a restart needs. */
  async adopt(needed: ReadonlySet<string>): Promise<void> {
    for (const name of await this.#disk.list(this.#directory)) {
      if (parseFileName(name) === undefined) continue
      await this.add(name)
      if (!needed.has(name)) this.retire(name)
    }
  }

  /** Remembers a file that has just been made, and that a restart needs from now on. Returns its length. */
  async add(name: string): Promise<number> {
    const state = await this.#disk.state(join(this.#directory, name))
    if (state === undefined) throw new JournalFault('files', `${name} was removed`)
    this.#files.set(name, { id: state.id, length: state.length, needed: true })
    return state.length
  }

  /** A log that takes no more entries must keep at least this length. */
  seal(name: string, length: number): void {
    const own = this.#files.get(name)
    if (own?.needed === true) this.#files.set(name, { ...own, length })
  }

  /** A file that no restart needs any more, or that is about to be replaced. */
  retire(name: string): void {
    const own = this.#files.get(name)
    if (own !== undefined) this.#files.set(name, { ...own, needed: false })
  }

  /** All files of smaller numbers are needed no more: a snapshot of this number stands for them. */
  retireBelow(number: number): void {
    for (const name of this.#files.keys()) if ((parseFileName(name)?.number ?? 0) < number) this.retire(name)
  }

  /** Forgets the retired files that are gone. */
  async prune(): Promise<void> {
    const left = new Set(await this.#disk.list(this.#directory))
    for (const [name, { needed }] of this.#files) if (!needed && !left.has(name)) this.#files.delete(name)
  }

  /** Rejects with JournalFault when the directory or a needed file is not what this process left there. */
  async confirm(log: OpenLog): Promise<void> {
    const logName = fileName('log', log.number)
    for (const [name, own] of this.#files) {
      if (!own.needed) continue
      const lengthMin = name === logName ? log.length : own.length
      const fault = faultOf(name, await this.#disk.state(join(this.#directory, name)), own, lengthMin)
      // Retired or made anew meanwhile: what was seen is about a file that is none of the journal's any more.
      if (fault !== undefined && this.#files.get(name) === own) throw new JournalFault('files', fault)
    }
    await this.confirmLock()
  }

  /** Rejects with JournalFault when another process could take the directory, or has. */
  async confirmLock(): Promise<void> {
    if (!(await this.#lock.held()))
      throw new JournalFault('lock', `LOCK in ${this.#directory} was removed or taken by another process`)
  }

  /**
   * Makes sure that the directory is this process's, taking it again when it was lost. Rejects, and holds nothing new,
   * when another process holds it (JournalError `locked`), or (JournalFault) when it holds files of another journal, for
   * what that one acknowledged must not be replaced by what this one remembers, or is on another file system than
   * before: what is written under a volume that is not mounted is gone when it is mounted again.
   */
  async retake(): Promise<void> {
    if (await this.#lock.held()) return
    await this.#disk.makeDirectory(this.#directory)
    const lock = await this.#disk.lock(this.#directory)
    try {
      if (![undefined, this.#lock.name, this.#attempt].includes(lock.after)) this.#displaced = true
      this.#attempt = lock.name
      await this.#confirmPlace()
    } catch (error) {
      await lock.release()
      throw error
    }
    this.#displaced = false
    await this.#lock.release()
    this.#lock = lock
  }

  async #confirmPlace(): Promise<void> {
    if ((await this.#disk.state(this.#directory))?.device !== this.#device)
      throw new JournalFault(
        'lock',
        `${this.#directory} is on another file system than before; mount the one it was on, or restart this node`,
      )
    const stranger = await this.#stranger()
    if (stranger !== undefined)
      throw new JournalFault(
        'lock',
        `${this.#directory} was lost and now holds ${stranger} of another journal; restart this node to go on from there, or move its files away`,
      )
  }

  release(): Promise<void> {
    return this.#lock.release()
  }

  /** A file of a journal that this process has not written. */
  async #stranger(): Promise<string | undefined> {
    for (const name of await this.#disk.list(this.#directory)) {
      if (parseFileName(name) === undefined) continue
      const state = await this.#disk.state(join(this.#directory, name))
      if (state !== undefined && (this.#displaced || this.#files.get(name)?.id !== state.id)) return name
    }
    return undefined
  }
}
