/** What is shown of a view: the lists of the clusters that count, as one list under one sign. */
import type { Instance } from '@rollcall/wire'
import { EMPTY_SIGN, SignSum } from '@rollcall/wire'
import type { ListChange, ListSource, Removed } from '../machine/events.js'
import { instanceKey } from '../machine/keys.js'
import type { ClusterAnswer } from './answer.js'
import { guardOf } from './answer.js'
import type { Tiers } from './choice.js'
import { tiersOf } from './choice.js'
import { merge } from './merge.js'

/** A list made of answers. */
export interface ShownList {
  readonly source: ListSource
  readonly sign: string
  readonly instances: readonly Instance[]
  readonly tiers: Tiers
  /** Whether the same instance is listed more than once: then it matters which list is the fresher. */
  readonly overlap: boolean
  /** A change in an answer; returns what is to be told of it at once. */
  changed(change: ListChange): ListChange | undefined
  /** Takes the answers that count; returns how the list differs from before, unless that was told already. */
  show(answers: readonly ClusterAnswer[]): ListChange | undefined
  /** Other answers count than before: what comes next is a list of its own. */
  restart(): void
}

const NO_TIERS: Tiers = [[], [], [], [], []]

/** The list of the only cluster, as that cluster has it: nothing to merge, and nothing to compare. */
export class SingleList implements ShownList {
  source: ListSource = 'none'
  sign: string = EMPTY_SIGN
  instances: readonly Instance[] = []
  tiers: Tiers = NO_TIERS
  readonly overlap = false

  changed(change: ListChange): ListChange | undefined {
    const { source, upserts, removes } = change
    return source === this.source && upserts.length + removes.length === 0 ? undefined : change
  }

  show([answer]: readonly ClusterAnswer[]): undefined {
    const { source, sign, instances, kept, statics } = answer!.list
    this.source = source
    this.sign = sign
    this.instances = instances
    // A static list is the last resort already; what it shows is not offered twice.
    this.tiers = tiersOf(source === 'static' ? [] : instances, kept, statics)
  }

  restart(): void {}
}

const SOURCES: readonly ListSource[] = ['registry', 'snapshot', 'static', 'none']

/** The merged lists of several clusters. */
export class MergedList implements ShownList {
  source: ListSource = 'none'
  instances: readonly Instance[] = []
  tiers: Tiers = NO_TIERS
  overlap = false
  private byKey: ReadonlyMap<string, Instance> = new Map()
  private readonly sum = new SignSum()
  /** What to say of those that leave, and whether a cluster sent a full list. */
  private readonly reasons = new Map<string, Removed['reason']>()
  private whole = true

  get sign(): string {
    return this.sum.toString()
  }

  changed({ type, removes }: ListChange): undefined {
    if (type === 'view') this.whole = true
    for (const { instance, reason } of removes) this.reasons.set(instanceKey(instance), reason)
  }

  restart(): void {
    this.whole = true
  }

  show(answers: readonly ClusterAnswer[]): ListChange | undefined {
    const { instances, kept, statics, overlap } = merge(answers)
    this.overlap = overlap
    const { upserts, removes } = this.difference(instances)
    const before = this.source
    this.source = SOURCES.find((each) => answers.some(({ list }) => list.source === each)) ?? 'none'
    const type = this.whole ? 'view' : 'delta'
    this.whole = false
    this.reasons.clear()
    this.byKey = instances
    if (upserts.length > 0 || removes.length > 0) this.instances = [...instances.values()]
    const dynamic = answers.some(({ list }) => list.source === 'static')
      ? this.instances.filter((instance) => !statics.includes(instance))
      : this.instances
    this.tiers = tiersOf(dynamic, kept, statics)
    if (this.source === before && upserts.length === 0 && removes.length === 0) return undefined
    const { source, sign } = this
    return { type, source, sign, instances: this.instances, upserts, removes, ...guardOf(answers) }
  }

  private difference(after: ReadonlyMap<string, Instance>): { upserts: Instance[]; removes: Removed[] } {
    const before = this.byKey
    const upserts: Instance[] = []
    const removes: Removed[] = []
    for (const [key, instance] of after) {
      const old = before.get(key)
      if (old === instance) continue
      // Entries of static lists have no digest.
      if (old !== undefined && old.digest === instance.digest && old.digest !== EMPTY_SIGN) continue
      if (old !== undefined) this.sum.subtractHex(old.digest)
      this.sum.addHex(instance.digest)
      upserts.push(instance)
    }
    for (const [key, instance] of before) {
      if (after.has(key)) continue
      this.sum.subtractHex(instance.digest)
      const reason = this.reasons.get(key)
      removes.push(reason === undefined ? { instance } : { instance, reason })
    }
    return { upserts, removes }
  }
}
