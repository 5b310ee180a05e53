/** The file system of this machine, as the journal uses it. */
import { constants, fstatSync } from 'node:fs'
import { open, readdir, readFile, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Disk, DiskFile, FileState } from './disk.js'
import { systemCode } from './journal-error.js'
import { acquireLock } from './lock.js'
import { makeDirectories } from './make-directory.js'

const { O_APPEND, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } = constants
const MODE = 0o640

function wrap(handle: FileHandle): DiskFile {
  return {
    append: async (bytes) => (await handle.write(bytes, 0, bytes.length, null)).bytesWritten,
    sync: () => handle.datasync(),
    // Inodes of some file systems have more than 53 bits.
    state: () => stateOf(fstatSync(handle.fd, { bigint: true })),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  }
}

function stateOf(stats: {
  readonly dev: bigint
  readonly ino: bigint
  readonly nlink: bigint
  readonly size: bigint
}): FileState {
  const { dev, ino, nlink, size } = stats
  return { id: `${dev}:${ino}`, device: `${dev}`, links: Number(nlink), length: Number(size) }
}

/** Undefined in place of the error that says that there is no such name. */
async function ifThere<T>(value: Promise<T>): Promise<T | undefined> {
  try {
    return await value
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, O_RDONLY)
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
      // Each new name needs its parent synced.
      for (const made of (await makeDirectories(directory)).toReversed()) await sync(dirname(made))
    },
    list: async (directory) => (await ifThere(readdir(directory))) ?? [],
    read: (path) => readFile(path),
    async state(path) {
      const stats = await ifThere(stat(path, { bigint: true }))
      return stats === undefined ? undefined : stateOf(stats)
    },
    create: async (path) => wrap(await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, MODE)),
    reopen: async (path) => wrap(await open(path, O_WRONLY | O_APPEND)),
    async overwrite(path, bytes) {
      const handle = await open(path, O_WRONLY | O_CREAT, MODE)
      try {
        await handle.write(bytes, 0, bytes.length, 0)
      } finally {
        await handle.close()
      }
    },
    rename: (from, to) => rename(from, to),
    async remove(path) {
      await ifThere(unlink(path))
    },
    sync,
    lock: (directory) => acquireLock(directory),
  }
}
