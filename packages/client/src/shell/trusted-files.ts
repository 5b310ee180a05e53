/** Files that only this user, or the system, can have written: anything else in their place is refused, not read. */
import { constants } from 'node:fs'
import type { Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { lstat, open, realpath, rename, unlink } from 'node:fs/promises'

/** Not a link, and none that waits: opening a pipe would hang a thread for ever. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
const WRITABLE_BY_ALL = 0o002
const WRITABLE_BY_OTHERS = 0o022

/**
 * The real path of a directory; throws with what to do unless it is this user's or the system's. Its group may write to it,
 * as umask 002 has it for every directory: each file is judged by itself, and one that a member puts there is the member's.
 */
export async function trustedDirectory(path: string): Promise<string> {
  const real = await realpath(path)
  const stats = await lstat(real)
  if (!stats.isDirectory()) throw new Error(`${path} is not a directory`)
  const distrust = distrustOf(stats, WRITABLE_BY_ALL)
  if (distrust !== undefined)
    throw new Error(`${path} ${distrust}: use a directory of this user's own, such as one below it`)
  return real
}

/** The text of a file of at most so many bytes. */
export async function readTrusted(path: string, bytesMax: number): Promise<string> {
  const handle = await open(path, READ)
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error('not a regular file')
    const distrust = distrustOf(stats, WRITABLE_BY_OTHERS)
    if (distrust !== undefined) throw new Error(`the file ${distrust}`)
    if (stats.size > bytesMax) throw new Error('too large')
    return await readBytes(handle, stats.size)
  } finally {
    await handle.close()
  }
}

/** Writes a file as a whole, durably. Returns false, and does nothing, where `temporary` is being written already. */
export async function writeWhole(path: string, temporary: string, text: string): Promise<boolean> {
  let handle: FileHandle
  try {
    handle = await open(temporary, 'wx', 0o600)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
  try {
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    return true
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
}

/** Whether an error of Node has this code. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** As many as there were when it was looked at: one that grows is cut, and its checksum wrong. */
async function readBytes(handle: FileHandle, size: number): Promise<string> {
  const buffer = Buffer.alloc(size)
  let end = 0
  while (end < size) {
    const { bytesRead } = await handle.read(buffer, end, size - end, end)
    if (bytesRead === 0) break
    end += bytesRead
  }
  return buffer.toString('utf8', 0, end)
}

/** Why what is there may be a stranger's; undefined where it is not, and on systems without such owners. */
function distrustOf({ uid, mode }: Stats, writable: number): string | undefined {
  const own = process.getuid?.()
  if (own === undefined) return undefined
  if (uid !== own && uid !== 0) return `belongs to the user ${uid}`
  return (mode & writable) === 0 ? undefined : 'may be written by others'
}
