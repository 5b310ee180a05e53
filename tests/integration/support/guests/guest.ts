/**
 * Programs of others that some tests run. Where one cannot be had its tests are reported as not run, with the reason;
 * with ROLLCALL_REQUIRE_GUESTS=1, as CI sets it, they fail instead.
 */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'vitest'

/** The path of a program on the PATH. */
export function onPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Ends a test whose guest cannot be had: not run, or failed where guests are required. */
export function without(context: TestContext, reason: string): never {
  if (process.env['ROLLCALL_REQUIRE_GUESTS'] === '1')
    throw new Error(`${reason}, and ROLLCALL_REQUIRE_GUESTS is set`)
  process.stderr.write(`not run: ${context.task.name}: ${reason}\n`)
  context.skip(reason)
  throw new Error('a skipped test ends')
}
