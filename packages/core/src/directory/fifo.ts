/** A queue whose items keep their order and can be read by place; adding and taking cost O(1) on average. */

/** Taken places are given back once there are this many and they are the larger half. */
const TAKEN_MIN = 64

export class Fifo<T> {
  private items: T[] = []
  private start = 0

  get length(): number {
    return this.items.length - this.start
  }

  push(item: T): void {
    this.items.push(item)
  }

  /** The item at a place, counted from the oldest. */
  at(place: number): T | undefined {
    return this.items[this.start + place]
  }

  /** Takes the oldest. */
  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.items[this.start++]
    if (this.start > TAKEN_MIN && this.start * 2 > this.items.length) {
      this.items = this.items.slice(this.start)
      this.start = 0
    }
    return item
  }
}
