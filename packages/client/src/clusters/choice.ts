/** Which instances of a list may be called. */
import type { Instance } from '@rollcall/wire'
import type { Choice } from '../machine/events.js'
import { NO_CHOICE } from '../machine/events.js'
import type { Ejections } from './ejections.js'

/** Instances in order of preference: those of the first tier that has any are called. */
export type Tiers = readonly [
  up: readonly Instance[],
  suspect: readonly Instance[],
  draining: readonly Instance[],
  kept: readonly Instance[],
  statics: readonly Instance[],
]

/**
 * Sorts what may be called: `up`; `suspect`; `draining` (it works, but an operator or the instance itself asked
 * not to use it); the missing that the shrink guard keeps; the static list. `down`, `disabled` and `starting`
 * are never called, but for a mass of `down` that the guard doubts.
 */
export function tiersOf(
  list: readonly Instance[],
  kept: readonly Instance[],
  statics: readonly Instance[],
): Tiers {
  return [
    list.filter((instance) => instance.state === 'up'),
    list.filter((instance) => instance.state === 'suspect'),
    list.filter((instance) => instance.state === 'draining'),
    kept,
    statics,
  ]
}

/**
 * The best tier that has any, less those that failed here: they are out for a growing time, but never more than
 * half of all that could be called, because if everything fails, trying is better than giving up. When the time
 * is over they are on trial: a candidate again, for one call at a time, until one succeeds.
 */
export function chooseAmong(now: number, tiers: Tiers, ejections: Ejections): Choice {
  const ejected = ejections.empty ? undefined : ejections.among(now, tiers.flat())
  if (ejected === undefined || ejected.size === 0) {
    const candidates = tiers.find((tier) => tier.length > 0)
    if (candidates === undefined) return NO_CHOICE
    const [up, suspect] = tiers
    const spare = candidates === up ? suspect : []
    return { candidates, trials: [], spare, hopeless: ejections.allHopeless(now, candidates) }
  }
  const candidates: Instance[] = []
  const trials: Instance[] = []
  for (const tier of tiers) {
    const fit = tier.filter((instance) => ejected.get(instance) !== 'out')
    const tried = fit.filter((instance) => ejected.has(instance))
    candidates.push(...fit)
    trials.push(...tried)
    // One trial at a time takes over no load: there has to be another instance as well.
    if (fit.length > tried.length) break
  }
  const chosen = new Set(candidates)
  const spare = [...tiers[0], ...tiers[1]].filter((instance) => !chosen.has(instance))
  return { candidates, trials, spare, hopeless: ejections.allHopeless(now, candidates) }
}
