/** Packages of npm that tests run as guests: from the cache folder, so that what they drag in is in no lock file of ours. */
import { dirname } from 'node:path'
import { npmPackage } from '@rollcall/testkit'
import type { TestContext } from 'vitest'
import { without } from './guest.js'

/** The folder whose `node_modules` has the package; a test without it is reported as not run. */
export async function findPackage(context: TestContext, name: string, version: string): Promise<string> {
  try {
    return dirname(await npmPackage({ name, version }))
  } catch (error) {
    return without(context, (error as Error).message.split('\n')[0] ?? '')
  }
}
