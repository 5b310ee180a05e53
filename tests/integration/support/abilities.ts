/**
 * What some tests need of the machine: rights, or tools of its system. Where that is missing they are reported as not run,
 * with the reason; with REQUIRE_ABILITIES=1, as CI sets it, their file fails instead.
 */

/** Whether the machine can do it; `missing` says why not. */
export function isAble(what: string, missing: string | undefined): boolean {
  if (missing === undefined) return true
  if (process.env['REQUIRE_ABILITIES'] === '1')
    throw new Error(`${what}: ${missing}, and REQUIRE_ABILITIES is set`)
  process.stderr.write(`not run: ${what}: ${missing}\n`)
  return false
}
