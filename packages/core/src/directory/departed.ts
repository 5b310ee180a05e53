/** Items that left, in the order in which they did: adding, removing and reading the latest cost nothing by their number. */

/** The places beside an item. */
export interface Departing<T> {
  older: T | undefined
  newer: T | undefined
}

export class Departed<T extends Departing<T>> {
  private oldest: T | undefined
  private newest: T | undefined
  private count = 0

  get size(): number {
    return this.count
  }

  /** Adds an item as the latest; it must not be in here, nor among others that left. */
  add(item: T): void {
    item.older = this.newest
    if (this.newest === undefined) this.oldest = item
    else this.newest.newer = item
    this.newest = item
    this.count++
  }

  /** Removes an item; it must be in here. */
  delete(item: T): void {
    const { older, newer } = item
    if (older === undefined) this.oldest = newer
    else older.newer = newer
    if (newer === undefined) this.newest = older
    else newer.older = older
    item.older = undefined
    item.newer = undefined
    this.count--
  }

  /** Oldest first. Those that are read may be removed meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let item = this.oldest; item !== undefined;) {
      const { newer } = item
      yield item
      item = newer
    }
  }

  /** The latest first. Nothing may be added or removed meanwhile. */
  *latest(): IterableIterator<T> {
    for (let item = this.newest; item !== undefined; item = item.older) yield item
  }
}
