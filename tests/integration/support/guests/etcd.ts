/** Real etcd for a test file: Debian's, and a current one where there is Go. */
import { etcdProgram, type EtcdVersion } from '@rollcall/testkit'
import { programOnPath } from '@rollcall/testkit'
import type { TestContext } from 'vitest'
import { without } from './guest.js'

/** Fetching and building, where that has not been done yet. */
export const ETCD_MS_MAX = 900_000

/**
 * The path of the program. A test without it is reported as not run; where guests are required it fails, but for the
 * current etcd on a machine without Go.
 */
export async function findEtcd(context: TestContext, version: EtcdVersion): Promise<string> {
  if (version === 'current' && programOnPath('go') === undefined) {
    process.stderr.write(
      `not run: ${context.task.name}: the current etcd is built by Go, which is not here\n`,
    )
    context.skip('no Go')
  }
  return etcdProgram(version).catch((error: unknown) => without(context, (error as Error).message))
}
