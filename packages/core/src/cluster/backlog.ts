/** What the engine does not hold yet, oldest first, and what waits for that to change. */

export class Backlog<T> {
  /** Each since when. */
  private readonly since = new Map<T, number>()
  private readonly underWay = new Set<T>()
  private readonly waiting = new Map<T, Set<() => void>>()
  /** What another node takes there, and until when it is left to that. */
  private readonly left = new Map<T, number>()

  get size(): number {
    return this.since.size
  }

  /** Those that are not under way, by number. */
  get idleSize(): number {
    return Math.max(0, this.since.size - this.underWay.size)
  }

  /** Since when the oldest waits. */
  get oldest(): number | undefined {
    for (const since of this.since.values()) return since
    return undefined
  }

  /** It is not there as it is here. What waits already keeps its age; what changed again is left to no other node. */
  add(item: T, now: number): void {
    this.left.delete(item)
    if (!this.since.has(item)) this.since.set(item, now)
  }

  /** It is there as it is here, or is no more. */
  settled(item: T): void {
    this.since.delete(item)
    this.left.delete(item)
    const waiting = this.waiting.get(item)
    if (waiting === undefined) return
    this.waiting.delete(item)
    for (const done of waiting) done()
  }

  /** Everything in here, oldest first. */
  all(): Iterable<T> {
    return this.since.keys()
  }

  /** Another node takes it there: until then it need not be taken from here. */
  leave(item: T, until: number): void {
    if (this.since.has(item)) this.left.set(item, until)
  }

  /** Those that are neither under way nor left to another node, oldest first. */
  *idle(now: number): IterableIterator<T> {
    for (const item of this.since.keys())
      if (!this.underWay.has(item) && (this.left.get(item) ?? -Infinity) <= now) yield item
  }

  begin(item: T): void {
    this.underWay.add(item)
  }

  end(item: T): void {
    this.underWay.delete(item)
  }

  /** Calls `done` once none of these is in here, at once where none is. The returned function ends the wait. */
  wait(items: Iterable<T>, done: () => void): () => void {
    const awaited = new Set<T>()
    for (const item of items) if (this.since.has(item)) awaited.add(item)
    let left = awaited.size
    const one = (): void => {
      left--
      if (left === 0) done()
    }
    for (const item of awaited) this.waiting.set(item, (this.waiting.get(item) ?? new Set()).add(one))
    if (left === 0) done()
    return () => {
      for (const item of awaited) {
        const waiting = this.waiting.get(item)
        if (waiting?.delete(one) === true && waiting.size === 0) this.waiting.delete(item)
      }
    }
  }
}
