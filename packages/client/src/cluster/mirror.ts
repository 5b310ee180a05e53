/** The mirror of a view. */
import type { Delta, Instance, View } from '@rollcall/wire'
import { parseLanes, partOf, PartSums, SignSum } from '@rollcall/wire'
import type { Removed } from '../machine/events.js'
import { instanceKey } from '../machine/keys.js'

/** What one message changed in a mirror. */
export interface MirrorChange {
  readonly upserts: readonly Instance[]
  /** Instances that left, with the reason given; `undefined` where a full view just lacks them. */
  readonly removes: readonly Removed[]
  /** Whether the sum of the digests is what the node says it is. */
  readonly verified: boolean
}

/**
 * Most a list may hold, in characters of its instances and some 300 for each: as much as one message may bring.
 * What goes beyond is left out, so that the sum is wrong and the list is asked for again, ever more rarely.
 */
export const LIST_CHARS_MAX = 67_108_864

/** What an instance costs beside its texts. */
const INSTANCE_CHARS = 300

/**
 * Exactly what the node said about one view: deltas set absolute values, a full view replaces. It does not
 * merge and has no opinion; what the client thinks by itself is the overlay's.
 */
export class Mirror {
  private byKey = new Map<string, Instance>()
  private sum = new SignSum()
  private cached: readonly Instance[] | undefined
  private chars = 0
  private readonly charsMax: number

  constructor(charsMax: number = LIST_CHARS_MAX) {
    this.charsMax = charsMax
  }

  /** Sum of the digests held. */
  get sign(): string {
    return this.sum.toString()
  }

  /** The list; a new array after each change. */
  get instances(): readonly Instance[] {
    this.cached ??= [...this.byKey.values()]
    return this.cached
  }

  get(key: string): Instance | undefined {
    return this.byKey.get(key)
  }

  /** Applies a delta. `from` is only a hint: absolute values are right whatever the base was. */
  apply(delta: Delta): MirrorChange {
    const removes: Removed[] = []
    for (const remove of delta.removes) {
      const instance = this.take(instanceKey(remove))
      if (instance !== undefined) removes.push({ instance, reason: remove.reason })
    }
    const { parts } = delta
    if (parts !== undefined) removes.push(...this.clear(parts, delta.upserts))
    const upserts = delta.upserts.filter((instance) => {
      // Of a part that is replaced most is as it was.
      const known = parts !== undefined && this.byKey.get(instanceKey(instance))?.digest === instance.digest
      return !known && this.set(instance)
    })
    if (removes.length > 0 || upserts.length > 0) this.cached = undefined
    return { upserts, removes, verified: this.sign === delta.to }
  }

  /** The sums of so many parts of the list. */
  sumsOf(parts: number): string {
    const sums = new PartSums(parts)
    for (const { group, id, digest } of this.byKey.values())
      sums.add(partOf(group, id, parts), parseLanes(digest))
    return sums.toString()
  }

  /** Takes out what stands in some of the parts and is not listed. */
  private clear(
    { count, differing }: NonNullable<Delta['parts']>,
    listed: readonly Instance[],
  ): readonly Removed[] {
    const keep = new Set(listed.map(instanceKey))
    const cleared = new Set(differing)
    const gone = [...this.byKey].filter(
      ([key, { group, id }]) => !keep.has(key) && cleared.has(partOf(group, id, count)),
    )
    for (const [key] of gone) this.take(key)
    return gone.map(([, instance]) => ({ instance }))
  }

  private take(key: string): Instance | undefined {
    const instance = this.byKey.get(key)
    if (instance === undefined) return undefined
    this.sum.subtractHex(instance.digest)
    this.chars -= charsOf(instance)
    this.byKey.delete(key)
    return instance
  }

  /** Takes over a full list, reporting only what is different. */
  replace(view: Pick<View, 'sign' | 'instances' | 'removes'>): MirrorChange {
    const before = this.byKey
    this.byKey = new Map()
    this.sum = new SignSum()
    this.chars = 0
    const upserts: Instance[] = []
    for (const instance of view.instances) {
      const known = before.get(instanceKey(instance))?.digest === instance.digest
      if (this.set(instance) && !known) upserts.push(instance)
    }
    const reasons = new Map((view.removes ?? []).map((remove) => [instanceKey(remove), remove]))
    const removes: Removed[] = []
    for (const [key, instance] of before) {
      if (this.byKey.has(key)) continue
      const remove = reasons.get(key)
      // A reason counts for the incarnation it names and those before it.
      const known = remove !== undefined && remove.incarnation >= instance.incarnation
      removes.push(known ? { instance, reason: remove.reason } : { instance })
    }
    this.cached = undefined
    return { upserts, removes, verified: this.sign === view.sign }
  }

  /** Returns whether there was room. */
  private set(instance: Instance): boolean {
    const key = instanceKey(instance)
    const old = this.byKey.get(key)
    const chars = this.chars + charsOf(instance) - (old === undefined ? 0 : charsOf(old))
    if (chars > this.charsMax) return false
    this.chars = chars
    if (old !== undefined) this.sum.subtractHex(old.digest)
    this.sum.addHex(instance.digest)
    this.byKey.set(key, instance)
    return true
  }
}

function charsOf({ id, host, reason, metadata }: Instance): number {
  let chars = INSTANCE_CHARS + id.length + host.length + (reason?.length ?? 0)
  for (const name in metadata) chars += name.length + metadata[name]!.length
  return chars
}
