/**
 * A map by instances as they are heard. Ids hardly ever repeat between services, so they alone are looked up, and no text is
 * made of a key: with thousands of refs a second that is four times as fast as one text for each.
 */
import type { HeardRef } from '../ports.js'

interface Held<V> {
  readonly ref: HeardRef
  readonly value: V
  /** Another one with the same id. */
  readonly before: Held<V> | undefined
  /** How many there are from here on. */
  readonly length: number
}

/** Most that are compared one by one; where ids do repeat, the rest is found by a text. */
const COMPARED_MAX = 8

/** Values by instance and incarnation. */
export class HeardRefMap<V> {
  private readonly byId = new Map<string, Held<V>>()
  private readonly rest = new Map<string, V>()
  private count = 0

  get size(): number {
    return this.count
  }

  get(ref: HeardRef): V | undefined {
    const first = this.byId.get(ref.id)
    if (first === undefined) return undefined
    for (let held: Held<V> | undefined = first; held !== undefined; held = held.before)
      if (isSame(held.ref, ref)) return held.value
    return first.length < COMPARED_MAX ? undefined : this.rest.get(textOf(ref))
  }

  /** Only where there is no value yet. */
  add(ref: HeardRef, value: V): void {
    const before = this.byId.get(ref.id)
    const length = (before?.length ?? 0) + 1
    if (length <= COMPARED_MAX) this.byId.set(ref.id, { ref, value, before, length })
    else this.rest.set(textOf(ref), value)
    this.count++
  }

  clear(): void {
    this.byId.clear()
    this.rest.clear()
    this.count = 0
  }
}

function isSame(a: HeardRef, b: HeardRef): boolean {
  return (
    a.incarnation === b.incarnation &&
    a.service === b.service &&
    a.group === b.group &&
    a.namespace === b.namespace
  )
}

function textOf({ namespace, service, group, id, incarnation }: HeardRef): string {
  return `${incarnation}/${namespace}/${service}/${group}/${id}`
}
