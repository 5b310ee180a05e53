/** What one cluster says of one list, as it changes. */
import type { Guard, Instance } from '@rollcall/wire'
import { EMPTY_SIGN } from '@rollcall/wire'
import type { ClusterList } from '../cluster/events.js'
import type { ListChange } from '../machine/events.js'
import { instanceKey } from '../machine/keys.js'
import type { ListStatus, Origin } from '../machine/status.js'
import type { Part } from './merge.js'

const UNKNOWN: ClusterList = {
  source: 'none',
  live: false,
  sign: EMPTY_SIGN,
  instances: [],
  kept: [],
  statics: [],
}

const NONE: ReadonlyMap<string, number> = new Map()

/** One cluster's part in a watched list. */
export class ClusterAnswer implements Part {
  readonly cluster: string
  list: ClusterList = UNKNOWN
  left: ReadonlyMap<string, number> = NONE
  guard: Guard | undefined
  stale = false
  /** Its snapshot is still being read. */
  loading: boolean

  constructor(cluster: string, loading: boolean) {
    this.cluster = cluster
    this.loading = loading
  }

  /** Takes over where the list stands. Returns whether its instances are others, or may count differently now. */
  take(list: ClusterList): boolean {
    const before = this.list
    this.list = list
    const returned = list.live && this.left.size > 0
    if (returned) this.left = NONE
    return (
      returned ||
      before.source !== list.source ||
      before.instances !== list.instances ||
      before.kept !== list.kept ||
      before.statics !== list.statics
    )
  }

  /** What its nodes say of their guard holds until their next full view. */
  follow({ type, guard, stale = false }: ListChange): void {
    if (type !== 'view') return
    this.guard = guard
    this.stale = stale
  }

  /** Remembers deregistrations from another cluster of what this one, out of reach, goes on listing. */
  leave(gone: readonly Instance[]): void {
    const { live, source, instances } = this.list
    if (live || source === 'static') return
    const listed = new Set(instances.map(instanceKey))
    const left = new Map(this.left)
    for (const instance of gone) {
      const key = instanceKey(instance)
      if (listed.has(key)) left.set(key, instance.incarnation)
    }
    this.left = left
  }

  /** Where the list is from, and how old: 0 while a stream vouches for it, nothing for what no registry ever said. */
  origin(now: number): Origin {
    const { source, live, confirmedAt } = this.list
    const origin = { cluster: this.cluster, source, live }
    if (source !== 'registry' && source !== 'snapshot') return origin
    if (live) return { ...origin, ageMs: 0 }
    return confirmedAt === undefined ? origin : { ...origin, ageMs: Math.round(now - confirmedAt) }
  }

  status(now: number, used: boolean): ListStatus {
    const { sign, instances, kept } = this.list
    return { ...this.origin(now), used, sign, instances: instances.length, kept: kept.length }
  }
}

/** Whether registries hold back in any of these lists. */
export function guardOf(answers: readonly ClusterAnswer[]): Pick<ListChange, 'guard' | 'stale'> {
  const guards = answers.map(({ guard }) => guard).filter((guard) => guard !== undefined)
  if (guards.length === 0) return {}
  return {
    guard: {
      tripped: guards.some((guard) => guard.tripped),
      kept: guards.reduce((sum, guard) => sum + guard.kept, 0),
    },
    stale: answers.some(({ stale }) => stale),
  }
}
