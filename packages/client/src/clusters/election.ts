/** Which cluster answers, where there is an order of preference. */
import type { Instance } from '@rollcall/wire'
import type { Ejections } from './ejections.js'
import type { ClusterList } from '../cluster/events.js'

/** One cluster as the election sees it. */
export interface Contender {
  readonly cluster: string
  readonly list: ClusterList
  /** It may still answer within the head start: no worse one is taken before. */
  readonly pending: boolean
}

/**
 * Which of several clusters answers for a service that has an order of preference: the first that is fit. A
 * cluster is fit while it knows an instance `up` or `suspect`, from a stream, from memory or from a snapshot, unless
 * every one of them failed here; then it is unfit until at least half of them have answered again. Its static
 * list is a last resort and makes no cluster fit. Unfit: the next one is taken at once. Fit again: it is returned to
 * when it was so for `failBackMs`, so that a cluster that flaps moves no calls.
 */
export class Election {
  private readonly failBackMs: number
  private readonly fitSince = new Map<string, number>()
  private readonly failed = new Set<string>()
  private current: string | undefined
  private undecided = false

  constructor(failBackMs: number) {
    this.failBackMs = failBackMs
  }

  /** The cluster that answers; undefined while none is fit. */
  get winner(): string | undefined {
    return this.current
  }

  /** None is fit yet, and one may still answer. */
  get open(): boolean {
    return this.undecided
  }

  /** Votes again; the best comes first. */
  vote(now: number, contenders: readonly Contender[], ejections: Ejections): void {
    for (const contender of contenders) {
      if (!this.fit(now, contender, ejections)) this.fitSince.delete(contender.cluster)
      else if (!this.fitSince.has(contender.cluster)) this.fitSince.set(contender.cluster, now)
    }
    const rank = contenders.findIndex(({ cluster }) => cluster === this.current)
    if (rank >= 0 && this.fitSince.has(contenders[rank]!.cluster)) {
      const better = contenders.slice(0, rank).find(({ cluster }) => now >= this.returnAt(cluster))
      this.current = better?.cluster ?? this.current
      this.undecided = false
      return
    }
    const first = contenders.findIndex(({ cluster }) => this.fitSince.has(cluster))
    const better = first < 0 ? contenders : contenders.slice(0, first)
    this.undecided = better.some(({ pending }) => pending)
    this.current = this.undecided || first < 0 ? undefined : contenders[first]!.cluster
  }

  /** When the outcome next changes by itself. */
  nextAt(contenders: readonly Contender[]): number | undefined {
    if (this.current === undefined) return undefined
    let next = Number.POSITIVE_INFINITY
    for (const { cluster } of contenders) {
      if (cluster === this.current) break
      next = Math.min(next, this.returnAt(cluster))
    }
    return next === Number.POSITIVE_INFINITY ? undefined : next
  }

  /** Those of better clusters that failed here and may be given one call, to see whether they are back. */
  trials(now: number, contenders: readonly Contender[], ejections: Ejections): readonly Instance[] {
    const trials: Instance[] = []
    if (this.current === undefined || ejections.empty) return trials
    for (const { cluster, list } of contenders) {
      if (cluster === this.current) break
      if (!this.failed.has(cluster)) continue
      trials.push(...callable(list).filter((instance) => ejections.of(now, instance) === 'trial'))
    }
    return trials
  }

  private returnAt(cluster: string): number {
    const since = this.fitSince.get(cluster)
    return since === undefined ? Number.POSITIVE_INFINITY : since + this.failBackMs
  }

  private fit(now: number, { cluster, list }: Contender, ejections: Ejections): boolean {
    const members = callable(list)
    const out = ejections.empty
      ? 0
      : members.filter((instance) => ejections.of(now, instance) !== undefined).length
    if (out === 0 || out * 2 <= members.length) this.failed.delete(cluster)
    if (out > 0 && out === members.length) this.failed.add(cluster)
    return members.length > 0 && !this.failed.has(cluster)
  }
}

function callable({ source, instances }: ClusterList): readonly Instance[] {
  return source === 'static' ? [] : instances.filter(({ state }) => state === 'up' || state === 'suspect')
}
