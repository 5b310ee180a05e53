/**
 * Programs of others that some tests run. Where one cannot be had its tests are reported as not run, with the reason;
 * with REQUIRE_GUESTS=1, as CI sets it, they fail instead.
 */
import type { TestContext } from 'vitest'

/** Ends a test whose guest cannot be had: not run, or failed where guests are required. */
export function without(context: TestContext, reason: string): never {
  if (process.env['REQUIRE_GUESTS'] === '1') throw new Error(`${reason}, and REQUIRE_GUESTS is set`)
  const { name, suite } = context.task
  process.stderr.write(`not run: ${suite?.name === undefined ? '' : `${suite.name} `}${name}: ${reason}\n`)
  context.skip(reason)
  throw new Error('a skipped test ends')
}
