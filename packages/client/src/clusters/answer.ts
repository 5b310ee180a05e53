import type { Guard } from '@rollcall/wire'
import { EMPTY_SIGN } from '@rollcall/wire'
import type { ListChange } from '../machine/events.js'
import type { Standing } from '../overlay/overlay.js'
import type { Part } from './merge.js'

const UNKNOWN: Standing = {
  source: 'none',
  live: false,
  sign: EMPTY_SIGN,
  instances: [],
  kept: [],
  statics: [],
}

/** One cluster's part in a merged list, as it changes. */
export interface Answer extends Part {
  standing: Standing
  /** At most as many as it lists. */
  readonly left: Map<string, number>
  guard: Guard | undefined
  stale: boolean
}

/** Of a cluster that has not said anything yet. */
export function unknownAnswer(cluster: string): Answer {
  return { cluster, standing: UNKNOWN, left: new Map(), guard: undefined, stale: false }
}

/** How old what a cluster says is; nothing for what no registry ever said. */
export function ageOf(now: number, { standing }: Part): { readonly ageMs?: number } {
  const { live, source, confirmedAt } = standing
  if (source !== 'registry' && source !== 'snapshot') return {}
  // A stream says at once what changes, and is watched for silence.
  if (live) return { ageMs: 0 }
  return confirmedAt === undefined ? {} : { ageMs: now - confirmedAt }
}

/** Whether registries hold back in any of these lists. */
export function guardOf(parts: readonly Answer[]): Pick<ListChange, 'guard' | 'stale'> {
  const guards = parts.map((part) => part.guard).filter((guard) => guard !== undefined)
  if (guards.length === 0) return {}
  return {
    guard: {
      tripped: guards.some((guard) => guard.tripped),
      kept: guards.reduce((sum, guard) => sum + guard.kept, 0),
    },
    stale: parts.some((part) => part.stale),
  }
}
