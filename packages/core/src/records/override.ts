/** What the operator's register wants, for the rules that depend on it. Pure. */
import type { Override } from './record.js'

/** Whether it wants anything. */
export function isStanding(override: Override | undefined): boolean {
  return override !== undefined && override.value !== null
}

/** Whether the record must not be forgotten: the override binds to the id, or its removal is still remembered. */
export function holdsRecord(override: Override | undefined): boolean {
  if (override === undefined) return false
  const { value } = override
  return value === null || value.drain === true || value.disable === true
}
