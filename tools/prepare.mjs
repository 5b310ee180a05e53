/**
 * Makes a checkout ready: installs what the lock file names, builds what changed. Plain Node without
 * dependencies, because it runs before anything is installed. Writes only inside the checkout.
 *
 *     node tools/prepare.mjs [--no-build]
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.mjs'
import { readOptions } from './usage.mjs'

/** The root of the checkout. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url))

const NODE_FLOOR = [20, 19]
const LOCK_FILE = join(ROOT, 'package-lock.json')
/** npm writes this list of what it installed as the last act of an install, so it doubles as the stamp. */
const INSTALLED_FILE = join(ROOT, 'node_modules', '.package-lock.json')

/** Says one line about what is being done. On stderr: the output of the command that follows stays clean. */
export function say(line) {
  process.stderr.write(`rollcall: ${line}\n`)
}

/** Resolves to the exit code of a program run in the checkout. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], ...options })
    child.once('error', (error) => {
      say(`cannot run ${command}: ${error.message}`)
      resolve(127)
    })
    child.once('close', (code) => resolve(code ?? 1))
  })
}

/**
 * Installs and builds as far as needed; one process per checkout at a time, others wait for it.
 * Resolves to false, after saying why, when the checkout cannot be made ready.
 */
export async function prepare({ build = true } = {}) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor < NODE_FLOOR[1])) {
    say(`needs Node ${NODE_FLOOR.join('.')} or newer; this is ${process.versions.node}.`)
    return false
  }
  return withLock(join(ROOT, '.cache', 'prepare.lock'), say, async () => {
    const reason = installReason()
    if (reason !== undefined) {
      say(`installing dependencies (npm ci): ${reason} …`)
      if (!(await step('installed', () => npm('ci', '--include=dev', '--prefer-offline')))) return false
    }
    return (
      !build ||
      step('built', () =>
        run(process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-b']),
      )
    )
  })
}

function installReason() {
  if (!existsSync(INSTALLED_FILE)) return 'nothing is installed yet'
  const [wanted, installed] = [LOCK_FILE, INSTALLED_FILE].map(
    (file) => JSON.parse(readFileSync(file, 'utf8')).packages,
  )
  return difference(wanted, installed, isLinked)
}

/**
 * Why what is installed is not what the lock file wants, or undefined. What is installed beyond that (a tool
 * that is tried out) is no reason. Both are `packages` of a lock file; `linked` tells whether a command is in place.
 */
export function difference(wanted, installed, linked) {
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue
    const present = installed[path]
    // What npm leaves out on purpose: binaries of other platforms, and peers that no package asked for.
    if (present === undefined && (entry.optional === true || entry.peer === true)) continue
    if (present === undefined) return `${path} is missing`
    if (present.version !== entry.version || present.integrity !== entry.integrity)
      return `${path} has changed`
    const own = !path.includes('node_modules/')
    if (own && !Object.keys(entry.bin ?? {}).every(linked)) return `the command of ${path} is missing`
  }
  return undefined
}

function isLinked(command) {
  const link = join(ROOT, 'node_modules', '.bin', command)
  return existsSync(link) || existsSync(`${link}.cmd`)
}

/** Runs npm: the one that runs us, if one does, else the one on the path. */
function npm(...args) {
  const self = process.env.npm_execpath
  if (self?.endsWith('.js')) return run(process.execPath, [self, ...args])
  return run('npm', args, { shell: process.platform === 'win32' })
}

async function step(done, work) {
  const startedAt = performance.now()
  const code = await work()
  const seconds = `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
  say(code === 0 ? `${done} in ${seconds}` : `failed with exit code ${code} after ${seconds}`)
  return code === 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = readOptions(import.meta.url, { options: { 'no-build': { type: 'boolean' } } })
  process.exitCode = (await prepare({ build: values['no-build'] !== true })) ? 0 : 1
}
