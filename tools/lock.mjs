/** A lock between processes that share a checkout. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The holder touches its lock this often … */
const TOUCH_MS = 1_000
/** … and a lock untouched for this long was left behind by a process that was killed. */
const ABANDONED_MS = 10_000

/**
 * Runs `work` while holding the lock file, and resolves to its result. Waits while another process holds it
 * and says so once; takes over a lock whose holder was killed.
 */
export async function withLock(path, say, work) {
  mkdirSync(dirname(path), { recursive: true })
  let told = false
  while (!acquire(path)) {
    if (!told) say(`waiting for process ${holder(path)}, which is setting up this checkout …`)
    told = true
    await sleep(200)
  }
  const release = () => rmSync(path, { force: true })
  const interrupted = (signal) => {
    release()
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  const touching = setInterval(() => touch(path), TOUCH_MS)
  try {
    return await work()
  } finally {
    clearInterval(touching)
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
    release()
  }
}

function acquire(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    dropAbandoned(path)
    return false
  }
}

/** Moves the lock aside before removing it: of several waiters that see it abandoned only one succeeds. */
function dropAbandoned(path) {
  const aside = `${path}.${process.pid}`
  try {
    if (Date.now() - statSync(path).mtimeMs < ABANDONED_MS) return
    renameSync(path, aside)
    rmSync(aside, { force: true })
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}

function touch(path) {
  const now = new Date()
  try {
    utimesSync(path, now, now)
  } catch {
    // The lock was removed by hand; finishing the work is still right.
  }
}

function holder(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return 'unknown'
  }
}
