/** What the operator's register wants, for the rules that depend on it. Pure. */
import type { Override } from './record.js'

/** Whether it wants anything. */
export function isStanding(override: Pick<Override, 'drain' | 'disable' | 'weight'>): boolean {
  return override.drain === true || override.disable === true || override.weight !== undefined
}

/** Whether it binds to the id, so that the record must not be forgotten. */
export function isBound(override: Override | undefined): boolean {
  return override !== undefined && (override.drain === true || override.disable === true)
}
