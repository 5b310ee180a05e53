/** Real etcd for test files: Debian's, and a current one where there is Go. */
import { etcdProgram, programOnPath, type EtcdVersion } from '@rollcall/testkit'
import { describe, expect, it, type TestContext } from 'vitest'
import { without } from './guest.js'

/** Fetching and building, where that has not been done yet. */
export const ETCD_MS_MAX = 900_000

/**
 * The path of the program for one test. Without it the test is reported as not run; where guests are required it fails, but for
 * the current etcd on a machine without Go.
 */
export async function findEtcd(context: TestContext, version: EtcdVersion): Promise<string> {
  if (isExcused(version)) {
    process.stderr.write(
      `not run: ${context.task.name}: the current etcd is built by Go, which is not here\n`,
    )
    context.skip('no Go')
  }
  return etcdProgram(version).catch((error: unknown) => without(context, (error as Error).message))
}

/**
 * Describes tests of each etcd that can be had. Where one cannot, they are reported as not run, with the reason; where guests
 * are required their file fails, but for the current etcd on a machine without Go.
 */
export async function describeEtcd(
  versions: readonly EtcdVersion[],
  tests: (version: EtcdVersion, program: string) => void,
): Promise<void> {
  for (const version of versions) {
    const name = `etcd (${version})`
    try {
      const program = await etcdProgram(version)
      describe.each([name])('%s', () => {
        tests(version, program)
      })
    } catch (error) {
      const reason = (error as Error).message
      if (process.env['REQUIRE_GUESTS'] === '1' && !isExcused(version))
        throw new Error(`${reason}, and REQUIRE_GUESTS is set`, { cause: error })
      process.stderr.write(`not run: tests on ${name}: ${reason}\n`)
      // The reason is in the name.
      it.runIf(false)(`${name}: ${reason}`, () => expect.fail(reason))
    }
  }
}

function isExcused(version: EtcdVersion): boolean {
  return version === 'current' && programOnPath('go') === undefined
}
