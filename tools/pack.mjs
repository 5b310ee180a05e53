/**
 * Writes everything that can be installed into one folder: the npm packages as tarballs, a single executable that needs no
 * Node, a Debian package with a systemd unit, and their SHA256SUMS. Nothing is fetched. What cannot be made on this
 * machine is named at the end. Two runs on the same sources with the same Node and npm write the same bytes: dates
 * inside are those of SOURCE_DATE_EPOCH, else of the last commit, else of the release.
 *
 *     node tools/pack.mjs [--out FOLDER] [--compression xz|gzip|zstd|none] [npm|executable|debian ...]
 *
 * --out          default: out/ of the checkout. What earlier runs left there is removed, nothing else is.
 * --compression  of the Debian package; default xz, which takes two minutes.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepare, ROOT, say } from './prepare.mjs'
import { readOptions } from './usage.mjs'

const KINDS = ['npm', 'executable', 'debian']
const COMPRESSIONS = ['xz', 'gzip', 'zstd', 'none']
/** Names that this tool gives, and removes before it writes anew. */
const OWN_NAME = /^(rollcall[-_].*|THIRD-PARTY-NOTICES\.txt|SHA256SUMS)$/

/**
 * Makes the kinds asked for into a folder. Resolves to the paths written and to what was `notMade`, as sentences.
 * The Debian package brings the executable along. `epoch` is the date of all that is inside, in seconds.
 *
 * @param {string} folder
 * @param {{ kinds?: string[], compression?: string, epoch?: number }} options
 */
export async function pack(folder, { kinds = KINDS, compression = 'xz', epoch } = {}) {
  // Loaded only now: `--help` works before anything is installed.
  const { makeTarballs } = await import('./pack/npm-tarballs.mjs')
  const { makeExecutable } = await import('./pack/executable.mjs')
  const { makeDebian } = await import('./pack/debian.mjs')
  const { NotMade } = await import('./pack/programs.mjs')
  const { version, released } = JSON.parse(
    readFileSync(join(ROOT, 'packages', 'server', 'package.json'), 'utf8'),
  )
  const date = epoch ?? (await sourceDate(released))
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (OWN_NAME.test(name)) rmSync(join(folder, name))
  const written = []
  const notMade = []
  const make = async (name, work) => {
    const startedAt = performance.now()
    try {
      const made = await work()
      say(`${name} in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`)
      return made
    } catch (error) {
      if (!(error instanceof NotMade)) throw error
      notMade.push(error.message)
      return undefined
    }
  }
  if (kinds.includes('npm')) written.push(...((await make('tarballs', () => makeTarballs(folder))) ?? []))
  if (kinds.includes('executable') || kinds.includes('debian')) {
    const made = await make('single executable', () => makeExecutable(folder, version))
    if (made !== undefined) written.push(made.executable, made.notices)
    if (kinds.includes('debian')) {
      const file = await make('Debian package', () =>
        makeDebian(folder, { version, made, epoch: date, compression }),
      )
      if (file !== undefined) written.push(file)
    }
  }
  const sums = written.map((path) => `${sha256(path)}  ${basename(path)}\n`)
  writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''))
  return { written: [...written, join(folder, 'SHA256SUMS')], notMade }
}

const sha256 = (path) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** In seconds since the epoch. */
async function sourceDate(released) {
  const given = process.env.SOURCE_DATE_EPOCH ?? ''
  if (given !== '') {
    if (!/^\d{1,10}$/.test(given)) throw new Error(`SOURCE_DATE_EPOCH is ${given}, not a number of seconds`)
    return Number(given)
  }
  const { output } = await import('./pack/programs.mjs')
  // An archive of the sources has no history.
  const committed = await output('git', ['log', '-1', '--format=%ct']).catch(() => '')
  return /^\d+\n$/.test(committed) ? Number(committed) : Date.parse(released) / 1_000
}

async function main() {
  const { values, positionals: asked } = readOptions(import.meta.url, {
    allowPositionals: true,
    options: {
      out: { type: 'string', default: join(ROOT, 'out') },
      compression: { type: 'string', default: 'xz' },
    },
  })
  const unknown = asked.filter((name) => !KINDS.includes(name))
  if (unknown.length > 0 || !COMPRESSIONS.includes(values.compression)) {
    const what =
      unknown.length > 0
        ? `Nothing is called ${unknown.join(', ')}`
        : `No compression is called ${values.compression}`
    process.stderr.write(`${what}; see --help.\n`)
    return 2
  }
  if (!(await prepare())) return 1
  const { written, notMade } = await pack(resolve(values.out), {
    kinds: asked.length > 0 ? asked : KINDS,
    compression: values.compression,
  })
  for (const path of written) process.stdout.write(`${String(statSync(path).size).padStart(11)}  ${path}\n`)
  for (const reason of notMade) process.stdout.write(`not made: ${reason}\n`)
  return 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main()
