/** What will happen, in order of time; what is planned for the same moment happens in the order of planning. */

interface Planned {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** The world's time and everything planned in it. Milliseconds since the world began. */
export class EventQueue {
  now = 0
  /** Events that have happened. */
  count = 0
  private order = 0
  private heap: Planned[] = []

  /** Plans something for a moment; a moment in the past is now. */
  at(moment: number, run: () => void): void {
    const event = { at: Math.max(moment, this.now), order: this.order++, run }
    const { heap } = this
    let index = heap.length
    heap.push(event)
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above] as Planned
      if (!before(event, parent)) break
      heap[index] = parent
      index = above
    }
    heap[index] = event
  }

  /** Plans something for later. */
  after(delayMs: number, run: () => void): void {
    this.at(this.now + delayMs, run)
  }

  /** When the next event is due; Infinity when nothing is planned. */
  get nextAt(): number {
    return this.heap[0]?.at ?? Infinity
  }

  /** Lets the next event happen if it is due by `end`; false when there is none, and then it is `end`. */
  step(end: number): boolean {
    const next = this.heap[0]
    if (next === undefined || next.at > end) {
      this.now = Math.max(this.now, end)
      return false
    }
    this.removeFirst()
    this.now = Math.max(this.now, next.at)
    this.count++
    next.run()
    return true
  }

  private removeFirst(): void {
    const { heap } = this
    const last = heap.pop() as Planned
    const { length } = heap
    if (length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= length) break
      if (child + 1 < length && before(heap[child + 1] as Planned, heap[child] as Planned)) child++
      if (!before(heap[child] as Planned, last)) break
      heap[index] = heap[child] as Planned
      index = child
    }
    heap[index] = last
  }
}

function before(a: Planned, b: Planned): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
