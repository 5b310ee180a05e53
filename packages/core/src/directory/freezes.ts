/**
 * What operators froze: in a frozen namespace silence takes no instance down, nothing expires, and nothing is taken
 * out by host. `*` freezes all namespaces.
 */
import { limitRefusal } from '../budgets/limit.js'
import type { Meter } from '../metrics.js'
import {
  ALL_NAMESPACES,
  errorBody,
  type ErrorBody,
  type FreezeSummary,
  NAME_PATTERN,
  NAME_WORDS,
  type Signature,
} from '@rollcall/wire'

/** Most freezes that stand at once; each is one namespace. */
export const FREEZES_MAX = 10_000

interface Freeze {
  readonly signature: Signature
  readonly since: number
}

export class Freezes {
  private readonly standing = new Map<string, Freeze>()

  get size(): number {
    return this.standing.size
  }

  /** Whether the namespace is frozen, by its own name or with all others. */
  covers(namespace: string): boolean {
    return this.standing.size > 0 && (this.standing.has(namespace) || this.standing.has(ALL_NAMESPACES))
  }

  /** Whether there is a freeze of this very name. */
  has(namespace: string): boolean {
    return this.standing.has(namespace)
  }

  /** The freezes that hold a namespace. */
  over(namespace: string, now: number): FreezeSummary[] {
    return this.list(now).filter(
      (freeze) => freeze.namespace === namespace || freeze.namespace === ALL_NAMESPACES,
    )
  }

  /** Why a freeze of this name cannot be; undefined if it can. Counts what the limit refuses. */
  refusal(namespace: string, meter: Pick<Meter, 'count'>): ErrorBody | undefined {
    const fault = this.fault(namespace)
    if (fault !== undefined) return fault
    if (this.standing.size < FREEZES_MAX || this.standing.has(namespace)) return undefined
    const message = 'the node holds as many freezes as it may'
    return limitRefusal(meter, { quota: 'freezesMax', max: FREEZES_MAX, over: 'node', message })
  }

  /** What is wrong with the name of a freeze, whether it begins or ends. */
  fault(namespace: string): ErrorBody | undefined {
    if (namespace === ALL_NAMESPACES || NAME_PATTERN.test(namespace)) return undefined
    return errorBody('invalid_argument', `namespace must be * or ${NAME_WORDS}`, 'namespace')
  }

  /** Freezes; one that stands keeps its age and takes the new signature. */
  set(namespace: string, signature: Signature, now: number): void {
    const since = this.standing.get(namespace)?.since ?? now
    this.standing.set(namespace, { signature, since })
  }

  /** Ends a freeze, if there is one. */
  clear(namespace: string): void {
    this.standing.delete(namespace)
  }

  /** In order of namespace. */
  list(now: number): FreezeSummary[] {
    return [...this.standing]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([namespace, freeze]) => summary(namespace, freeze, now))
  }

  /** Those that stand longest, so many of them at most. Costs what is told, not what stands. */
  oldest(count: number, now: number): FreezeSummary[] {
    const oldest: FreezeSummary[] = []
    for (const [namespace, freeze] of this.standing) {
      if (oldest.length === count) break
      oldest.push(summary(namespace, freeze, now))
    }
    return oldest
  }
}

function summary(namespace: string, { signature, since }: Freeze, now: number): FreezeSummary {
  return { namespace, ...signature, ageMs: Math.max(0, Math.round(now - since)) }
}
