/** The disk as the journal needs it, as a port, and the disk of this machine. */
import { constants } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { systemCode } from './journal-error.js'
import { acquireLock } from './lock.js'

/** An open file. After any failed call its content is unknown: close it and never write to it again. */
export interface DiskFile {
  /** Writes at a position and returns how many bytes were taken, which may be fewer than given. */
  write(bytes: Uint8Array, position: number): Promise<number>
  /** Makes content and size durable (fdatasync). */
  sync(): Promise<void>
  truncate(length: number): Promise<void>
  close(): Promise<void>
}

/** A held lock. Idempotent release. */
export interface DiskLock {
  release(): Promise<void>
}

/** The little of a file system that the journal needs. Names become durable with `syncDirectory` only. */
export interface Disk {
  /** Creates the directory and its parents, durably. */
  makeDirectory(directory: string): Promise<void>
  /** Names in the directory; empty when it does not exist. */
  list(directory: string): Promise<readonly string[]>
  read(path: string): Promise<Uint8Array>
  size(path: string): Promise<number>
  /** Opens an empty file for writing, replacing what had the name. */
  create(path: string): Promise<DiskFile>
  /** Opens an existing file for writing. */
  reopen(path: string): Promise<DiskFile>
  /** Atomically gives a file a name, replacing what had it. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file; fine when there is none. */
  remove(path: string): Promise<void>
  syncDirectory(directory: string): Promise<void>
  /** Takes the directory for this process, or rejects with JournalError `locked`. The kernel lets go when the process dies. */
  lock(directory: string): Promise<DiskLock>
}

function wrap(handle: FileHandle): DiskFile {
  return {
    async write(bytes, position) {
      return (await handle.write(bytes, 0, bytes.length, position)).bytesWritten
    },
    sync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The real file system. */
export function createDisk(): Disk {
  return {
    async makeDirectory(directory) {
      const path = resolve(directory)
      const first = await mkdir(path, { recursive: true })
      // `first` is the topmost directory that was made; each new name needs its parent synced.
      if (first === undefined) return
      for (let made = path; made.length >= first.length; made = dirname(made))
        await syncDirectory(dirname(made))
    },
    async list(directory) {
      try {
        return await readdir(directory)
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return []
        throw error
      }
    },
    read: (path) => readFile(path),
    size: async (path) => (await stat(path)).size,
    create: async (path) => wrap(await open(path, 'w', 0o640)),
    reopen: async (path) => wrap(await open(path, 'r+')),
    rename: (from, to) => rename(from, to),
    async remove(path) {
      try {
        await unlink(path)
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw error
      }
    },
    syncDirectory,
    lock: (directory) => acquireLock(directory),
  }
}
