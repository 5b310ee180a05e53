/**
 * Makes directories one by one. Node's own `recursive` asks for ever for a parent of what the kernel refuses to make and
 * calls missing, such as `/proc/x`.
 */
import { lstat, mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { getSystemErrorMap } from 'node:util'
import { JournalError, systemCode } from './journal-error.js'

/**
 * Makes a directory and those above it that are missing. Returns what was made, the topmost first. Rejects with JournalError
 * `io`, which names the one that could not be made and says why.
 */
export async function makeDirectories(directory: string): Promise<readonly string[]> {
  const path = resolve(directory)
  try {
    const missing: string[] = []
    for (let at = path; !(await isDirectory(at)); at = dirname(at)) missing.unshift(at)
    const made: string[] = []
    for (const each of missing) if (await makeOne(each)) made.push(each)
    return made
  } catch (error) {
    const why = error instanceof Obstacle ? error.message : `${path}: ${systemWords(error)}`
    throw new JournalError('io', `${directory} cannot be used as data directory: ${why}`, {
      file: directory,
      cause: error,
    })
  }
}

/** What stands in the way, by its path. */
class Obstacle extends Error {}

/** False for what is not there. The root always is, so a walk upwards ends. */
async function isDirectory(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true
  } catch (error) {
    const code = systemCode(error)
    // Of something above that is no directory: the walk comes to it.
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
    if (await isLink(path)) throw new Obstacle(`${path} is a link that leads nowhere`)
    return false
  }
  throw new Obstacle(`${path} is not a directory`)
}

function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  )
}

/** Whether it was made here; another process may have been faster. */
async function makeOne(path: string): Promise<boolean> {
  try {
    await mkdir(path)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST' && (await isDirectory(path))) return false
    // Its parent is there.
    if (systemCode(error) === 'ENOENT') throw new Obstacle(`${dirname(path)} takes no directories`)
    throw error
  }
}

/** What the operating system says, with its code: `permission denied (EACCES)`. */
export function systemWords(error: unknown): string {
  const code = systemCode(error)
  if (code === undefined) return error instanceof Error ? error.message : String(error)
  const errno = typeof error === 'object' && error !== null && 'errno' in error ? error.errno : undefined
  const words = typeof errno === 'number' ? getSystemErrorMap().get(errno)?.[1] : undefined
  return words === undefined ? code : `${words} (${code})`
}
