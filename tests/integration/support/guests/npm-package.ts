/** Packages of npm that tests run as guests: installed into the cache folder, so that what they drag in is in no lock file of ours. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { guestsCache } from '@rollcall/testkit'
import type { TestContext } from 'vitest'
import { without } from './guest.js'

const INSTALL_MS_MAX = 300_000

const run = promisify(execFile)

/** The folder whose `node_modules` has the package; a test without it is reported as not run. */
export async function findPackage(context: TestContext, name: string, version: string): Promise<string> {
  const folder = join(guestsCache(), 'npm', `${name}-${version}`)
  if (existsSync(folder)) return folder
  mkdirSync(dirname(folder), { recursive: true })
  const work = mkdtempSync(join(dirname(folder), '.installing-'))
  try {
    writeFileSync(join(work, 'package.json'), JSON.stringify({ private: true }))
    const options = { cwd: work, timeout: INSTALL_MS_MAX }
    await run(
      'npm',
      ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`],
      options,
    )
    // Another process may have been faster; its copy is as good.
    if (!existsSync(folder)) renameSync(work, folder)
  } catch (error) {
    without(context, `${name} cannot be installed: ${(error as Error).message.split('\n')[0]}`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return folder
}
