/**
 * One direction of a bridge: what stands in the target because of it, and what is to be done next. It does nothing itself, and
 * receives the time. What stands there is known from the target, so that a bridge takes over what an earlier one left.
 */
import { Doubt, type Belief } from './doubt.js'
import { mirrorLeft } from './mark.js'
import { planOf, type Plan, type PlanRules } from './plan.js'
import type { SideListing, MirroredInstance } from './records.js'

export interface DirectionRules extends PlanRules {
  /** The source forgets what it listed when it restarts. */
  readonly forgets: boolean
  readonly holdMs: number
  /** How often a registration is renewed; a fraction of its lease. */
  readonly renewMs: number
  /** How long nothing is tried again that the target refused, or that was deregistered there by others. */
  readonly retryMs: number
}

/** What is to be done in the target. */
export interface BridgeWork {
  readonly register: readonly MirroredInstance[]
  readonly renew: readonly MirroredInstance[]
  readonly remove: readonly MirroredInstance[]
}

/** What became of one item: `unknown`, to be registered again; `taken`, deregistered there by others; `refused` with words. */
export type MirrorOutcome = 'done' | 'unknown' | 'taken' | { readonly refused: string }

/** How a direction does, for people. */
export interface DirectionState {
  readonly mirrored: number
  readonly atHome: number
  readonly leftOut: number
  /** Refused by the target, and tried again later. */
  readonly refused: number
  readonly refusal?: string
  /** Kept although the source does not list them, and why. */
  readonly kept: number
  readonly why?: Exclude<Belief, 'believed'>
}

interface Held {
  readonly mirror: MirroredInstance
  renewedAt: number
  /** The target has forgotten it. */
  lost: boolean
}

export class Direction {
  private readonly rules: DirectionRules
  private readonly doubt: Doubt
  private readonly held = new Map<string, Held>()
  /** When what was refused or taken is tried again. Bounded by what is wanted. */
  private readonly notBefore = new Map<string, { readonly at: number; readonly words?: string }>()
  private last: Pick<DirectionState, 'atHome' | 'leftOut' | 'kept' | 'why'> = {
    atHome: 0,
    leftOut: 0,
    kept: 0,
  }

  constructor(rules: DirectionRules) {
    this.rules = rules
    this.doubt = new Doubt(rules.holdMs)
  }

  /** What to do, by what both list; undefined where a registry is away. Without the source, nothing is removed. */
  next(source: SideListing | undefined, target: SideListing | undefined, now: number): BridgeWork {
    if (target !== undefined) this.takeOver(target)
    if (source === undefined && this.rules.forgets) this.doubt.raise(now)
    if (source === undefined || target === undefined) return this.upkeep(now, new Set())
    const plan = planOf(source, target, this.rules)
    const remove = this.removals(plan, source.stale, now)
    const register = this.registrations(plan, now)
    const busy = new Set([...remove, ...register].map(({ id }) => id))
    const upkeep = this.upkeep(now, busy)
    return { register: [...register, ...upkeep.register], renew: upkeep.renew, remove }
  }

  /** Everything that stands in the target: for the end. */
  all(): readonly MirroredInstance[] {
    return [...this.held.values()].map(({ mirror }) => mirror)
  }

  registered(mirror: MirroredInstance, outcome: MirrorOutcome, now: number): void {
    if (outcome === 'done') {
      this.held.set(mirror.id, { mirror, renewedAt: now, lost: false })
      this.notBefore.delete(mirror.id)
    } else {
      this.putOff(mirror, now, typeof outcome === 'object' ? outcome.refused : undefined)
    }
  }

  renewed(mirror: MirroredInstance, outcome: MirrorOutcome, now: number): void {
    const held = this.held.get(mirror.id)
    if (held === undefined) return
    if (outcome === 'done') held.renewedAt = now
    else if (outcome === 'taken') {
      this.held.delete(mirror.id)
      this.putOff(mirror, now)
    } else held.lost = true
  }

  removed({ id }: MirroredInstance): void {
    this.held.delete(id)
    this.notBefore.delete(id)
  }

  state(): DirectionState {
    const words = [...this.notBefore.values()].flatMap(({ words: said }) =>
      said === undefined ? [] : [said],
    )
    const [refusal] = words
    return {
      mirrored: this.held.size,
      ...this.last,
      refused: words.length,
      ...(refusal === undefined ? {} : { refusal }),
    }
  }

  private takeOver({ instances }: SideListing): void {
    const { bridge, from } = this.rules
    for (const seen of instances) {
      const { mark } = seen
      if (mark?.bridge !== bridge || mark.from !== from || this.held.has(seen.id)) continue
      this.held.set(seen.id, { mirror: mirrorLeft(seen, mark), renewedAt: -Infinity, lost: false })
    }
  }

  private removals(
    { wanted, present, listed, atHome, leftOut }: Plan,
    stale: boolean,
    now: number,
  ): MirroredInstance[] {
    const gone: MirroredInstance[] = []
    const absent: MirroredInstance[] = []
    for (const { mirror } of this.held.values()) {
      if (wanted.has(mirror.id)) continue
      // What the source lists and is not wanted is at home in the target, or out by its own word.
      if (present.has(mirror.id)) gone.push(mirror)
      else absent.push(mirror)
    }
    const belief = this.doubt.judge(
      { known: this.held.size - gone.length, absent: absent.length, listed, stale },
      now,
    )
    this.last =
      belief === 'believed'
        ? { atHome, leftOut, kept: 0 }
        : { atHome, leftOut, kept: absent.length, why: belief }
    return belief === 'believed' ? [...gone, ...absent] : gone
  }

  private registrations({ wanted }: Plan, now: number): MirroredInstance[] {
    for (const id of this.notBefore.keys()) if (!wanted.has(id)) this.notBefore.delete(id)
    return [...wanted.values()].filter((mirror) => {
      if ((this.notBefore.get(mirror.id)?.at ?? -Infinity) > now) return false
      return this.held.get(mirror.id)?.mirror.mark.digest !== mirror.mark.digest
    })
  }

  /** Renewals that are due, and what the target has forgotten. */
  private upkeep(now: number, busy: ReadonlySet<string>): BridgeWork {
    const register: MirroredInstance[] = []
    const due: Held[] = []
    for (const held of this.held.values()) {
      const { mirror, renewedAt, lost } = held
      if (busy.has(mirror.id)) continue
      if (lost) {
        if ((this.notBefore.get(mirror.id)?.at ?? -Infinity) <= now) register.push(mirror)
      } else if (now - renewedAt >= this.rules.renewMs) due.push(held)
    }
    // Those that have waited longest first, should there be time for some only.
    due.sort((a, b) => (a.renewedAt < b.renewedAt ? -1 : a.renewedAt > b.renewedAt ? 1 : 0))
    return { register, renew: due.map(({ mirror }) => mirror), remove: [] }
  }

  private putOff({ id }: MirroredInstance, now: number, words?: string): void {
    this.notBefore.set(id, { at: now + this.rules.retryMs, ...(words === undefined ? {} : { words }) })
  }
}
