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
  /** Of the readings that are under way: which item each takes next. */
  private readonly cursors = new Set<{ next: T | undefined }>()

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
    for (const cursor of this.cursors) if (cursor.next === item) cursor.next = newer
    if (older === undefined) this.oldest = newer
    else older.newer = newer
    if (newer === undefined) this.newest = older
    else newer.older = older
    item.older = undefined
    item.newer = undefined
    this.count--
  }

  /**
   * Oldest first. Items may come and go meanwhile, as they do while the journal reads over many turns: each that stays is
   * read once, and none that came after the last was read.
   */
  *[Symbol.iterator](): IterableIterator<T> {
    const cursor = { next: this.oldest }
    this.cursors.add(cursor)
    try {
      while (cursor.next !== undefined) {
        const item = cursor.next
        cursor.next = item.newer
        yield item
      }
    } finally {
      this.cursors.delete(cursor)
    }
  }

  /** The latest first. Nothing may be added or removed meanwhile. */
  *latest(): IterableIterator<T> {
    for (let item = this.newest; item !== undefined; item = item.older) yield item
  }
}
