/** Newcomers get their share little by little. */
import type { Instance } from '@rollcall/wire'
import type { AttemptReport, Balancer, BalancerTools } from './balancer.js'
import { instanceKey } from '../machine/keys.js'

/** Share of its calls that a newcomer gets from the first moment on. */
const SHARE_MIN = 0.1
/** Picks tried for another than a newcomer whose turn it is not yet. */
const PICKS_MAX = 4

interface Seen {
  readonly since: number
  /** When it was missing for the first time; undefined while it is there. */
  goneAt: number | undefined
}

/**
 * Newcomers get their share of the calls bit by bit: a tenth at once, all of it after `slowStartMs`. A newcomer is
 * a process that this client has not seen for that long; those of the first list are none. Picks with a key stay
 * with the key's instance. Reads the clock only while an instance is new.
 */
export function createSlowStart(inner: Balancer, tools: BalancerTools, slowStartMs: number): Balancer {
  return new SlowStart(inner, tools, slowStartMs)
}

class SlowStart implements Balancer {
  private readonly inner: Balancer
  private readonly tools: BalancerTools
  private readonly slowStartMs: number
  private readonly seen = new Map<string, Seen>()
  private readonly newcomers = new Map<Instance, number>()

  constructor(inner: Balancer, tools: BalancerTools, slowStartMs: number) {
    this.inner = inner
    this.tools = tools
    this.slowStartMs = slowStartMs
  }

  update(candidates: readonly Instance[]): void {
    const now = this.tools.now()
    const first = this.seen.size === 0
    const present = new Map(candidates.map((instance) => [processKey(instance), instance]))
    for (const [key, seen] of this.seen) {
      if (present.has(key)) continue
      seen.goneAt ??= now
      if (seen.goneAt + this.slowStartMs <= now) this.seen.delete(key)
    }
    this.newcomers.clear()
    for (const [key, instance] of present) {
      const since = this.since(key, now, first)
      if (now < since + this.slowStartMs) this.newcomers.set(instance, since)
    }
    this.inner.update(candidates)
  }

  pick(key?: string): Instance | undefined {
    const instance = this.inner.pick(key)
    if (this.newcomers.size === 0 || key !== undefined || instance === undefined) return instance
    return this.ramp(instance)
  }

  began(instance: Instance): void {
    this.inner.began?.(instance)
  }

  ended(instance: Instance, report: AttemptReport): void {
    this.inner.ended?.(instance, report)
  }

  private since(key: string, now: number, first: boolean): number {
    const known = this.seen.get(key)
    const back = known?.goneAt === undefined || now < known.goneAt + this.slowStartMs
    const since = known !== undefined && back ? known.since : first ? -Infinity : now
    this.seen.set(key, { since, goneAt: undefined })
    return since
  }

  private ramp(first: Instance): Instance {
    const { random } = this.tools
    const now = this.tools.now()
    let instance = first
    for (let picks = 1; picks < PICKS_MAX; picks += 1) {
      const since = this.newcomers.get(instance)
      if (since === undefined) return instance
      const share = (now - since) / this.slowStartMs
      if (share >= 1) this.newcomers.delete(instance)
      if (random() < Math.max(SHARE_MIN, share)) return instance
      instance = this.inner.pick() ?? instance
    }
    return instance
  }
}

function processKey(instance: Instance): string {
  return `${instanceKey(instance)}\n${instance.incarnation}`
}
