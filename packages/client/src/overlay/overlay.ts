import type { Instance, Remove } from '@rollcall/wire'
import type { EjectionOptions, FailureKind } from './ejections.js'
import { Ejections, samePeer } from './ejections.js'
import type { ListSource } from '../machine/events.js'
import type { MirrorChange } from '../mirror.js'
import { instanceKey } from '../mirror.js'
import type { ShrinkGuardOptions } from './shrink-guard.js'
import { ShrinkGuard } from './shrink-guard.js'

/** How the overlay treats what failed here and what vanished. */
export interface OverlayOptions extends EjectionOptions, ShrinkGuardOptions {}

/** Defaults of OverlayOptions. */
export const OVERLAY_DEFAULTS: OverlayOptions = {
  ejectMsMin: 1_000,
  ejectMsMax: 30_000,
  failuresMax: 3,
  trialMs: 5_000,
  hopelessFailures: 5,
  keptMs: 600_000,
  keptMax: 10_000,
}

/** Whom to call. */
export interface Choice {
  /** In no order of preference. */
  readonly candidates: readonly Instance[]
  /** Those of the candidates that failed and may be given one call each, to see whether they are back. */
  readonly trials: readonly Instance[]
  /** Everybody else who is `up` or `suspect`: out for what happened here, or doubted by the registry. */
  readonly spare: readonly Instance[]
  /** Every candidate failed again and again, the last time a moment ago: callers should hold back. */
  readonly hopeless: boolean
}

/** What is known of one list, before anybody is chosen. */
export interface Standing {
  readonly source: ListSource
  /** A stream vouches for it now. */
  readonly live: boolean
  /** When a registry last confirmed it, on the clock of the machine; absent when none ever did. */
  readonly confirmedAt?: number
  readonly sign: string
  /** In all states. */
  readonly instances: readonly Instance[]
  /** Those that vanished without a word, while the shrink guard keeps them. */
  readonly kept: readonly Instance[]
  readonly statics: readonly Instance[]
}

/** The choice when there is nobody. */
export const NOBODY: Choice = { candidates: [], trials: [], spare: [], hopeless: false }

/** Who may be called, the best first. */
export function tiersOf(
  list: readonly Instance[],
  kept: readonly Instance[],
  statics: readonly Instance[],
): readonly [readonly Instance[], readonly Instance[], ...(readonly Instance[])[]] {
  return [
    list.filter((instance) => instance.state === 'up'),
    list.filter((instance) => instance.state === 'suspect'),
    list.filter((instance) => instance.state === 'draining'),
    kept,
    statics,
  ]
}

/** The best tier that has anybody, less those that failed. */
export function chooseAmong(now: number, tiers: ReturnType<typeof tiersOf>, ejections: Ejections): Choice {
  const ejected = ejections.empty ? undefined : ejections.among(now, tiers.flat())
  if (ejected === undefined || ejected.size === 0) {
    const candidates = tiers.find((tier) => tier.length > 0)
    if (candidates === undefined) return NOBODY
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
    // One trial at a time takes nobody's load: somebody else has to be there as well.
    if (fit.length > tried.length) break
  }
  const chosen = new Set(candidates)
  const spare = [...tiers[0], ...tiers[1]].filter((instance) => !chosen.has(instance))
  return { candidates, trials, spare, hopeless: ejections.allHopeless(now, candidates) }
}

/**
 * What the client thinks by itself: a filter over the list that never touches mirror or sign.
 *
 * Candidates are the best tier that has anybody: `up`; `suspect`; `draining` (it works, but somebody asked not
 * to use it); the missing that the shrink guard keeps; the static list. `down`, `disabled` and `starting` are
 * never called, but for a mass of `down` that the guard doubts.
 *
 * Instances that failed here are out for a growing time, but never more than half of all that could be called:
 * if everything fails, trying is better than giving up. When the time is over they are on trial: a candidate
 * again, for one call at a time, until one succeeds.
 */
export class Overlay {
  private readonly statics: readonly Instance[]
  private readonly ejections: Ejections
  private readonly guard: ShrinkGuard
  private list: readonly Instance[] = []

  constructor(statics: readonly Instance[], options: OverlayOptions) {
    this.statics = statics
    this.ejections = new Ejections(options)
    this.guard = new ShrinkGuard(options)
  }

  /** The missing that are kept as a last resort. */
  get kept(): readonly Instance[] {
    return this.guard.kept
  }

  /** Takes over a list and how it came about. */
  update(now: number, list: readonly Instance[], change: Pick<MirrorChange, 'upserts' | 'removes'>): void {
    this.list = list
    this.guard.update(now, change)
    if (!this.ejections.empty) this.ejections.retain(this.all())
  }

  /** Reasons for absences, also of instances that vanished earlier. Returns whether that changes anything. */
  explained(removes: readonly Remove[]): boolean {
    return this.guard.explained(removes)
  }

  /** The registry is away. */
  pause(): void {
    this.guard.pause()
  }

  /** The registry vouches for the list (again). */
  resume(now: number): void {
    this.guard.resume(now)
  }

  /** A call to the instance failed; one that is no longer listed is nobody's concern. */
  failed(now: number, instance: Instance, kind: FailureKind): void {
    if (this.drop(instance, kind)) return
    const key = instanceKey(instance)
    const known = this.all().find((item) => instanceKey(item) === key)
    if (known !== undefined && samePeer(known, instance)) this.ejections.failed(now, known, kind)
  }

  /** Lets go of one that is only kept, if this is who failed. Returns whether it was. */
  drop(instance: Instance, kind: FailureKind): boolean {
    const key = instanceKey(instance)
    const isKept = this.guard.kept.some((item) => instanceKey(item) === key && samePeer(item, instance))
    if (!isKept || kind === 'failure') return false
    this.guard.drop(instance)
    return true
  }

  /** The instance answered. Returns whether that changes anything. */
  succeeded(instance: Instance): boolean {
    return this.ejections.succeeded(instance)
  }

  /** An instance on trial was given a call. */
  trying(now: number, instance: Instance): void {
    this.ejections.trying(now, instance)
  }

  /** When the choice next changes by itself. */
  nextAt(now: number): number | undefined {
    const ejection = this.ejections.nextAt(now)
    const kept = this.guard.nextAt()
    return ejection === undefined || kept === undefined ? (ejection ?? kept) : Math.min(ejection, kept)
  }

  /** Whom to call now. */
  choose(now: number): Choice {
    this.expire(now)
    return chooseAmong(now, tiersOf(this.list, this.guard.kept, this.statics), this.ejections)
  }

  /** Lets go of the missing that were kept long enough. */
  expire(now: number): void {
    this.guard.expire(now)
  }

  /** Everybody who may ever be called. Later ones win in a map: the list over what is only kept. */
  private all(): Instance[] {
    return [...this.statics, ...this.guard.kept, ...this.list]
  }
}
