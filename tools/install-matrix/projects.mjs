/** Empty projects outside the checkout, into which npm installs the packed packages as a user's npm would. */
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ROOT } from '../prepare.mjs'

/** Of this tool alone: what it installs neither comes from the user's cache nor goes there. */
const CACHE = join(ROOT, '.cache', 'install-matrix')

/** Beyond it a program hangs, as a test runner does that waits for an open handle. */
const TIMEOUT_MS = 300_000

/** Runs a program in a folder; resolves to what it printed, rejects with that when it fails. */
export function run(cwd, command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const shell = process.platform === 'win32' && command !== process.execPath
    const child = spawn(command, args, {
      cwd,
      shell,
      env: { ...process.env, npm_config_cache: CACHE, NO_COLOR: '1', CI: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0
        ? resolve(text.trim())
        : reject(new Error(`${command} ${args.join(' ')}: exit code ${code}\n${text}`)),
    )
  })
}

/** A project with these files, by path. */
export function project(folder, files) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

/** Those of the tarballs that belong to these packages: `client`, or `rollcall` for the one without scope. */
export function chosen(tarballs, names) {
  const files = names.map((name) =>
    name === 'rollcall' ? /^rollcall-\d/ : new RegExp(`^rollcall-${name}-\\d`),
  )
  return tarballs.filter((path) => files.some((file) => file.test(basename(path))))
}

/** Installs packed packages and others into a project. */
export async function install(folder, tarballs, others = []) {
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline']
  await run(folder, 'npm', ['install', ...options, ...tarballs, ...others])
}

/** Packages and MiB below a project's node_modules. */
export function weigh(folder) {
  const files = readdirSync(join(folder, 'node_modules'), { recursive: true, withFileTypes: true })
  const bytes = files
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
  const packages = files.filter(
    (entry) =>
      entry.name === 'package.json' && /node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+$/.test(entry.parentPath),
  )
  return { packages: packages.length, mebibytes: Math.round((bytes / 2 ** 20) * 10) / 10 }
}
