/**
 * Programs of others that tests run beside a node: from the PATH, or from Debian's archive into a cache folder. Nothing of
 * the system is changed: lists, archives and state of apt are in the cache folder too, and no root is needed.
 */
import { execFile } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A package of Debian and the program in it. */
export interface DebianProgram {
  readonly package: string
  /** Path in the package, such as `usr/bin/prometheus`. */
  readonly path: string
  /** Packages of libraries that the system may not have; they are unpacked beside it (`guestLibraries`). */
  readonly libraries?: readonly string[]
}

/** Lists and one package, over a slow line. */
const APT_MS_MAX = 300_000

/** The folder in which programs of others are kept. */
export function guestsCache(): string {
  return process.env['GUESTS_CACHE'] ?? fileURLToPath(new URL('../../../.cache', import.meta.url))
}

/** The path of a program on the PATH, if it is there. */
export function programOnPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

/**
 * A program of Debian, unpacked below `$GUESTS_CACHE` (default: `.cache/` of the checkout) and kept there. Rejects with
 * the reason where it cannot be had. Several callers at once are no trouble. `fetching` is told the package before it is
 * fetched, which may take minutes.
 */
export async function debianProgram(
  program: DebianProgram,
  fetching: (name: string) => void = () => {},
): Promise<string> {
  const folder = join(guestsCache(), 'debian', program.package)
  const binary = join(folder, program.path)
  if (isExecutable(binary)) return binary
  for (const tool of ['apt-get', 'dpkg']) {
    if (programOnPath(tool) === undefined)
      throw new Error(`${program.package} comes by apt, and there is no ${tool} here`)
  }
  fetching(program.package)
  mkdirSync(dirname(folder), { recursive: true })
  const work = mkdtempSync(join(dirname(folder), '.fetching-'))
  try {
    await unpack([program.package, ...(program.libraries ?? [])], work)
    if (!isExecutable(join(work, 'root', program.path)))
      throw new Error(`${program.package} has no ${program.path}`)
    // Another caller may have been faster; its copy is as good.
    if (!existsSync(folder)) renameSync(join(work, 'root'), folder)
  } catch (cause) {
    throw new Error(`${program.package} cannot be fetched: ${reasonOf(cause)}`, { cause })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return binary
}

/** The folders with the libraries of a program that was unpacked, for LD_LIBRARY_PATH. */
export function guestLibraries({ package: name }: DebianProgram): readonly string[] {
  const root = join(guestsCache(), 'debian', name)
  return ['usr/lib', 'lib']
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((each) => each.endsWith('-linux-gnu'))
        .map((each) => join(folder, each)),
    )
}

async function unpack(names: readonly string[], work: string): Promise<void> {
  for (const folder of ['lists/partial', 'archives/partial', 'state'])
    mkdirSync(join(work, folder), { recursive: true })
  const config = join(work, 'apt.conf')
  writeFileSync(config, aptConfig(work))
  const options = { cwd: work, timeout: APT_MS_MAX, env: { ...process.env, LC_ALL: 'C' } }
  await run('apt-get', ['-q', '-c', config, 'update'], options)
  await run('apt-get', ['-q', '-c', config, 'download', ...names], options)
  const archives = readdirSync(work).filter((file) => file.endsWith('.deb'))
  if (archives.length < names.length) throw new Error('not all was downloaded')
  for (const archive of archives) await run('dpkg', ['-x', archive, 'root'], options)
}

/** What an image of Debian hooks to an update cleans the system's own cache. */
function aptConfig(work: string): string {
  return [
    `Dir::State "${join(work, 'state')}";`,
    `Dir::State::lists "${join(work, 'lists')}";`,
    `Dir::Cache "${work}";`,
    `Dir::Cache::archives "${join(work, 'archives')}";`,
    'Acquire::Languages "none";',
    'Acquire::Retries "2";',
    `APT::Sandbox::User "";`,
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    '#clear APT::Update::Pre-Invoke;',
    '',
  ].join('\n')
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** What a program said last, or what went wrong with starting it. */
export function reasonOf(cause: unknown): string {
  const { stderr, message } = cause as { readonly stderr?: unknown; readonly message?: unknown }
  const said = typeof stderr === 'string' ? stderr.trim().split('\n').at(-1) : undefined
  return said === undefined || said === '' ? String(message) : said
}
