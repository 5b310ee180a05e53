/**
 * Completes package-lock.json. A package with native binaries names one optional package per platform, and
 * `npm ci` refuses a lock file that lacks an entry for any of them, also for platforms it would not install.
 * npm leaves such entries out when the registry it asked (a partial mirror, say) does not have them; they can
 * be written from the names alone. Run it after `npm install` when tests/architecture says so.
 *
 *     node tools/complete-lock.mjs [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readOptions } from './usage.mjs'

const LOCK_FILE = new URL('../package-lock.json', import.meta.url)
const PLATFORM =
  /(?<os>android|darwin|freebsd|linux|openharmony|win32)-(?<cpu>arm64|arm|ia32|ppc64|riscv64|s390x|x64)(?:-(?<abi>[a-z]+))?$/

/**
 * The entries that the lock file lacks, by path. Throws for one that names no platform: that is a package
 * which only npm can describe.
 */
export function missingEntries(lock) {
  const missing = {}
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (resolves(lock.packages, path, name, version)) continue
      const platform = PLATFORM.exec(name)?.groups
      if (platform === undefined)
        throw new Error(`${path}: no lock entry for ${name}@${version}, and its name names no platform`)
      missing[`${folderOf(lock.packages, path, entry)}node_modules/${name}`] = describe(
        version,
        platform,
        entry,
      )
    }
  }
  return missing
}

/** Whether Node's lookup from `path` upwards meets the package in the wanted version. */
function resolves(packages, path, name, version) {
  for (const folder of folders(path)) {
    const found = packages[`${folder}node_modules/${name}`]
    if (found !== undefined) return found.version === version || !/^\d/.test(version)
  }
  return false
}

/** The places of node_modules folders seen from a package, nearest first. */
function* folders(path) {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1)))
    yield `${at}/`
  yield ''
}

/** Beside the siblings that npm did place, else as high as the package itself. */
function folderOf(packages, path, entry) {
  for (const [name, version] of Object.entries(entry.optionalDependencies)) {
    for (const folder of folders(path)) {
      if (packages[`${folder}node_modules/${name}`]?.version === version) return folder
    }
  }
  return path.slice(0, path.lastIndexOf('node_modules/'))
}

function describe(version, { os, cpu, abi }, parent) {
  const libc = abi?.startsWith('musl') ? ['musl'] : abi?.startsWith('gnu') ? ['glibc'] : undefined
  return {
    version,
    cpu: [cpu],
    ...(parent.dev === true ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc }),
    ...(parent.license === undefined ? {} : { license: parent.license }),
    optional: true,
    os: [os],
    ...(parent.engines === undefined ? {} : { engines: parent.engines }),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { check = false } = readOptions(import.meta.url, { options: { check: { type: 'boolean' } } }).values
  const lock = JSON.parse(readFileSync(LOCK_FILE, 'utf8'))
  const missing = missingEntries(lock)
  const count = Object.keys(missing).length
  if (count > 0 && !check) {
    const all = Object.entries({ ...lock.packages, ...missing })
    lock.packages = Object.fromEntries(all.toSorted(([a], [b]) => a.localeCompare(b, 'en')))
    writeFileSync(LOCK_FILE, `${JSON.stringify(lock, null, 2)}\n`)
  }
  process.stdout.write(`package-lock.json: ${count} entries ${check ? 'missing' : 'added'}\n`)
  process.exitCode = count > 0 && check ? 1 : 0
}
