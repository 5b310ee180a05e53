/**
 * Packages of npm that are no dependency of this workspace: each in a cache folder of its own, with what it needs, so that the
 * lock file knows nothing of it. Install scripts do not run.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { guestsCache, reasonOf } from './guest-program.js'

const run = promisify(execFile)

/** A package with what it needs, over a slow line. */
const NPM_MS_MAX = 120_000

/** A package in exactly one version. */
export interface NpmPackage {
  readonly name: string
  readonly version: string
}

/**
 * The path of a file from which `createRequire` finds the package, which is fetched if it is not there: below `$GUESTS_CACHE`
 * (default: `.cache/` of the checkout). Rejects with the reason where it cannot be had. Several callers at once are no trouble.
 * `fetching` is told the package before it is fetched.
 */
export async function npmPackage(
  { name, version }: NpmPackage,
  fetching: (name: string) => void = () => {},
): Promise<string> {
  const label = `${name}@${version}`
  const folder = join(guestsCache(), 'npm', label.replaceAll('/', '+'))
  const manifest = join(folder, 'package.json')
  if (existsSync(manifest)) return manifest
  fetching(label)
  mkdirSync(dirname(folder), { recursive: true })
  const work = mkdtempSync(join(dirname(folder), '.fetching-'))
  try {
    writeFileSync(join(work, 'package.json'), JSON.stringify({ private: true }))
    const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock', '--save-exact']
    await run('npm', ['install', ...options, label], {
      cwd: work,
      timeout: NPM_MS_MAX,
      shell: process.platform === 'win32',
    })
    // Another caller may have been faster; its copy is as good.
    if (!existsSync(folder)) renameSync(work, folder)
  } catch (cause) {
    if (!existsSync(manifest)) throw new Error(`${label} cannot be fetched: ${reasonOf(cause)}`, { cause })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return manifest
}
