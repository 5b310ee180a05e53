/**
 * One process per directory, without flock, which Node does not have.
 *
 * The lock is the directory `LOCK`. A starter listens on a Unix socket in there, named
 * `<pid>-<random>.sock`, and then makes the symbolic link `LOCK/<generation>` that points to it.
 *
 * - *Is the holder alive?* Connect to what the link points to. The kernel answers, not the process: the socket
 *   refuses from the moment its process is gone, by kill -9 too; a stopped or stalled holder still counts as
 *   alive; a reused pid means nothing. It works across containers that share the directory, where pids and TCP
 *   ports of the two sides have nothing to do with each other.
 * - *Which starter wins?* Making a link is atomic and fails if the name exists. The highest generation rules; a starter
 *   that finds it dead makes the next one and then looks again: if a higher one is there, it has lost. Numbers
 *   only grow and the highest is never removed, so two winners a < b cannot be: b was made either before a
 *   looked again (then a saw it and gave up), or later, by a starter that found a, or a living one above a, dead.
 *   A takeover by renaming or deleting a dead lock file does not have this property: the file may be a fresh
 *   one by the time it is deleted.
 * - Neither links nor sockets take data blocks, so a node also starts on a full disk.
 *
 * The directory must be on a file system of this machine: a socket on a network file system looks dead from the
 * other machine.
 */
import { randomBytes } from 'node:crypto'
import { lstat, mkdir, open, readdir, readlink, symlink, unlink, type FileHandle } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { DiskLock } from './disk.js'
import { JournalError, systemCode } from './journal-error.js'

/** The kernel's limit for socket paths is 104 to 108 bytes, and Node cuts longer ones without a word. */
const SOCKET_PATH_BYTES_MAX = 100
/** Every lost round means that another starter has won one, so this many say that something else is wrong. */
const ROUNDS_MAX = 64

interface Place {
  /** The LOCK directory. */
  readonly directory: string
  /** A name of it that is short enough for sockets. */
  readonly socketDirectory: string
  readonly handle: FileHandle | undefined
}

async function openPlace(journalDirectory: string): Promise<Place> {
  const directory = join(journalDirectory, 'LOCK')
  await mkdir(directory, { recursive: true })
  // 32 bytes leave room for the longest name of a socket.
  if (Buffer.byteLength(directory) + 32 <= SOCKET_PATH_BYTES_MAX)
    return { directory, socketDirectory: directory, handle: undefined }
  if (process.platform !== 'linux') {
    throw new JournalError(
      'io',
      `the path of ${directory} is too long for a socket; use a shorter data directory`,
      { file: 'LOCK' },
    )
  }
  const handle = await open(directory, 'r')
  return { directory, socketDirectory: `/proc/self/fd/${handle.fd}`, handle }
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen({ path, exclusive: true }, () => {
      server.removeListener('error', reject)
      server.on('error', () => undefined)
      server.unref()
      resolve(server)
    })
  })
}

/** Whether a process listens there. Anything but a refusal by the kernel counts as yes. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => {
      const code = systemCode(error)
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT')
    })
  })
}

async function generations(directory: string): Promise<number[]> {
  const names = await readdir(directory)
  return names.filter((name) => /^[0-9]+$/.test(name)).map(Number)
}

async function removeQuietly(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch {
    // Another starter cleans up as well, or the disk refuses: a left-over name does no harm.
  }
}

/** Name of the lock that a generation stands for; empty when its successor has just removed it. */
async function holderOf(place: Place, generation: number): Promise<string> {
  try {
    return await readlink(join(place.directory, String(generation)))
  } catch {
    return ''
  }
}

function holderError(journalDirectory: string, name: string): JournalError {
  const pid = Number.parseInt(name, 10)
  const holder = Number.isNaN(pid) ? 'another process' : `process ${pid}`
  return new JournalError(
    'locked',
    `${journalDirectory} is in use by ${holder}; stop it or use another data directory`,
    {
      file: 'LOCK',
      ...(Number.isNaN(pid) ? {} : { pid }),
    },
  )
}

/** Removes what dead holders and dead starters left behind, but never the ruling generation. */
async function sweep(place: Place, mine: number, socketName: string): Promise<void> {
  for (const name of await readdir(place.directory)) {
    const isOld = /^[0-9]+$/.test(name) && Number(name) < mine
    const isDeadSocket =
      name.endsWith('.sock') && name !== socketName && !(await isAlive(`${place.socketDirectory}/${name}`))
    if (isOld || isDeadSocket) await removeQuietly(join(place.directory, name))
  }
}

interface Won {
  readonly generation: number
  /** The dead holder before. */
  readonly after: string | undefined
}

async function contend(place: Place, journalDirectory: string, socketName: string): Promise<Won> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const highest = Math.max(0, ...(await generations(place.directory)))
    const after = highest === 0 ? undefined : await holderOf(place, highest)
    if (after !== undefined && (await isAlive(`${place.socketDirectory}/${highest}`)))
      throw holderError(journalDirectory, after)
    const mine = highest + 1
    const link = join(place.directory, String(mine))
    try {
      await symlink(socketName, link)
    } catch (error) {
      if (systemCode(error) === 'EEXIST') continue
      throw error
    }
    if (Math.max(...(await generations(place.directory))) === mine) return { generation: mine, after }
    await removeQuietly(link)
  }
  throw new JournalError(
    'locked',
    `${journalDirectory} changes hands all the time; see what keeps starting there`,
    { file: 'LOCK' },
  )
}

/** Whether the directory at this path shows this generation as the ruling one, held by this socket. */
async function rules(directory: string, generation: number, socketName: string): Promise<boolean> {
  try {
    if (Math.max(0, ...(await generations(directory))) !== generation) return false
    if ((await readlink(join(directory, String(generation)))) !== socketName) return false
    return (await lstat(join(directory, socketName))).isSocket()
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return false
    throw error
  }
}

/** Takes the directory for this process. Rejects with JournalError `locked`, naming the pid, when a living one has it. */
export async function acquireLock(journalDirectory: string): Promise<DiskLock> {
  const place = await openPlace(journalDirectory)
  const socketName = `${process.pid}-${randomBytes(4).toString('hex')}.sock`
  let server: Server | undefined
  const release = async (): Promise<void> => {
    const closing = server
    server = undefined
    // Closing also removes the socket's name. The link stays: the highest generation is never removed.
    if (closing !== undefined) await new Promise((resolve) => closing.close(resolve))
    await place.handle?.close().catch(() => undefined)
  }
  try {
    server = await listen(`${place.socketDirectory}/${socketName}`)
    const { generation, after } = await contend(place, journalDirectory, socketName)
    await sweep(place, generation, socketName)
    return {
      name: socketName,
      after,
      held: () => rules(place.directory, generation, socketName),
      release,
    }
  } catch (error) {
    await release()
    if (error instanceof JournalError) throw error
    throw new JournalError(
      'io',
      `cannot lock ${journalDirectory}: it must be on a local file system that has Unix sockets`,
      {
        file: 'LOCK',
        cause: error,
      },
    )
  }
}
