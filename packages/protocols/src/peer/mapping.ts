/**
 * Instances as numbers: what is heard of the same instance again and again travels as the number that its first mention
 * gave it. One table for each direction of a link; when it is full, numbering begins anew.
 */
import { type HeardRef, HeardRefMap } from '@rollcall/core'
import { ID_PATTERN, NAME_PATTERN } from '@rollcall/wire'

/** A key when it is mentioned first: namespace, service, group, id, incarnation. */
export type MentionedKey = readonly [
  namespace: string,
  service: string,
  group: string,
  id: string,
  incarnation: number,
]

/** Refs as they travel. */
export interface NumberedRefs {
  /** All numbers are forgotten first. */
  readonly reset?: true
  /** Keys that get the next numbers. */
  readonly keys?: readonly MentionedKey[]
  readonly refs: readonly number[]
}

/** The side that gives numbers. */
export class HandleGiver {
  private readonly numbers = new HeardRefMap<number>()
  private readonly max: number
  private isNew = true

  constructor(max: number) {
    this.max = max
  }

  /** Numbers for `refs` from `start` to before `end`. The other side must read every answer, in this order. */
  number(refs: readonly HeardRef[], start: number, end: number): NumberedRefs {
    const { numbers } = this
    // Whatever the other side holds, it is not of this link.
    const reset = this.isNew || numbers.size + (end - start) > this.max
    if (reset) numbers.clear()
    this.isNew = false
    const keys: MentionedKey[] = []
    const handles: number[] = []
    for (let index = start; index < end; index++) {
      const ref = refs[index] as HeardRef
      let handle = numbers.get(ref)
      if (handle === undefined) {
        handle = numbers.size
        numbers.add(ref, handle)
        const { namespace, service, group, id, incarnation } = ref
        keys.push([namespace, service, group, id, incarnation])
      }
      handles.push(handle)
    }
    return {
      ...(reset ? { reset } : {}),
      ...(keys.length === 0 ? {} : { keys }),
      refs: handles,
    }
  }
}

/** The side that was given them. */
export class HandleTaker {
  private refs: HeardRef[] = []
  /** One copy of each name, because most keys share theirs. */
  private readonly names = new Map<string, string>()
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  /** The instances that are meant; undefined where a number was never given or a key is none. */
  read({ reset, keys = [], refs }: NumberedRefs): readonly HeardRef[] | undefined {
    if (reset === true) {
      this.refs = []
      this.names.clear()
    }
    if (this.refs.length + keys.length > this.max) return undefined
    for (const key of keys) {
      const ref = this.refOf(key)
      if (ref === undefined) return undefined
      this.refs.push(ref)
    }
    const meant: HeardRef[] = []
    for (const handle of refs) {
      const ref = this.refs[handle]
      if (ref === undefined) return undefined
      meant.push(ref)
    }
    return meant
  }

  private refOf([namespace, service, group, id, incarnation]: MentionedKey): HeardRef | undefined {
    if (typeof id !== 'string' || !ID_PATTERN.test(id)) return undefined
    if (!Number.isSafeInteger(incarnation) || incarnation < 0) return undefined
    const names = [this.nameOf(namespace), this.nameOf(service), this.nameOf(group)]
    const [n, s, g] = names
    if (n === undefined || s === undefined || g === undefined) return undefined
    return { namespace: n, service: s, group: g, id, incarnation }
  }

  private nameOf(name: unknown): string | undefined {
    if (typeof name !== 'string') return undefined
    const known = this.names.get(name)
    if (known !== undefined) return known
    if (!NAME_PATTERN.test(name)) return undefined
    this.names.set(name, name)
    return name
  }
}
