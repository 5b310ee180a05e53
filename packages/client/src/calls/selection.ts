/** The choice of an instance for the next attempt. */
import type { Instance } from '@rollcall/wire'
import type { AttemptReport, Balancer } from '../balancers/balancer.js'
import { NO_CHOICE } from '../machine/events.js'
import type { Choice } from '../machine/events.js'

/** What a selection works with. */
export interface SelectionDeps {
  readonly balancer: Balancer
  /** Share of all that could be called below which the local view of which instances are well is not believed any more. */
  readonly panicThreshold: number
  /** The candidates are others than before. */
  changed(): void
  /** An instance on trial was given a call. */
  trying(instance: Instance): void
}

/** Picks tried for an instance that was not tried before, until the list is searched in order. */
const PICKS_MAX = 8

/** The instance that is called next: the machine says which may be, the balancer chooses. */
export class Selection {
  private readonly deps: SelectionDeps
  private choice: Choice = NO_CHOICE
  private readonly trials = new Set<Instance>()

  constructor(deps: SelectionDeps) {
    this.deps = deps
  }

  get candidates(): readonly Instance[] {
    return this.choice.candidates
  }

  /** Whether every candidate has failed again and again, the last time a moment ago. */
  get hopeless(): boolean {
    return this.choice.hopeless
  }

  /** What may be called from now on. */
  offer(choice: Choice): void {
    this.take(this.panics(choice) ? withSpare(choice) : choice)
  }

  /** The next instance. */
  pick(key?: string): Instance | undefined {
    const instance = this.deps.balancer.pick(key)
    if (this.trials.size > 0 && instance !== undefined) this.claim(instance)
    return instance
  }

  /** The next instance that is none of these. */
  pickOther(tried: ReadonlySet<Instance>, key?: string): Instance | undefined {
    if (tried.size === 0) return this.pick(key)
    let found: Instance | undefined
    for (let picks = 0; picks < PICKS_MAX && found === undefined; picks += 1) {
      const instance = this.deps.balancer.pick(picks === 0 ? key : undefined)
      if (instance === undefined) break
      if (!has(tried, instance)) found = instance
    }
    found ??= this.choice.candidates.find((instance) => !has(tried, instance))
    if (found !== undefined) this.claim(found)
    return found
  }

  /** Whether there is a candidate but these. */
  another(tried: ReadonlySet<Instance>): boolean {
    return this.choice.candidates.some((instance) => !has(tried, instance))
  }

  /** An attempt began; it will end. */
  began(instance: Instance): void {
    this.deps.balancer.began?.(instance)
  }

  /** An attempt or a reported call ended. */
  ended(instance: Instance, report: AttemptReport): void {
    this.deps.balancer.ended?.(instance, report)
  }

  private take(choice: Choice): void {
    this.choice = choice
    this.trials.clear()
    for (const instance of choice.trials) this.trials.add(instance)
    this.deps.balancer.update(choice.candidates)
    this.deps.changed()
  }

  /** An instance on trial takes one call at a time: until the machine knows, it is left out here. */
  private claim(instance: Instance): void {
    if (!this.trials.delete(instance)) return
    const candidates = this.choice.candidates.filter((other) => other !== instance)
    if (candidates.length > 0) this.take({ ...this.choice, candidates, trials: [...this.trials] })
    this.deps.trying(instance)
  }

  private panics({ candidates, spare }: Choice): boolean {
    const all = candidates.length + spare.length
    return spare.length > 0 && candidates.length < this.deps.panicThreshold * all
  }
}

/** The choice with the spare instances in it. When all are called, no single one is on trial. */
function withSpare({ candidates, spare, hopeless }: Choice): Choice {
  return { candidates: [...candidates, ...spare], trials: [], spare: [], hopeless }
}

/** By address, not by object: a changed weight does not make it another instance. */
function has(tried: ReadonlySet<Instance>, instance: Instance): boolean {
  for (const other of tried) if (other.host === instance.host && other.port === instance.port) return true
  return false
}
