/**
 * How much of the heap is alive, and whether it has room for more. Garbage does not count: a heap that is full of it is
 * emptied by the next collection, and a node that refused by it would refuse whenever it is busy. What is alive is known
 * only after a major collection. From then on what was accepted since is added, by the books of the budgets, and what was
 * given back is taken off. So between two collections the estimate is as good as the books, and each collection corrects
 * it, also for whatever no book has.
 */
import type { ErrorBody } from '@rollcall/wire'
import { type Meter, NO_METER } from '../metrics.js'
import { limitRefusal } from './limit.js'

/** The name under which the heap refuses: no setting bounds it alone. */
export const HEAP_QUOTA = 'heap'

export class HeapRoom {
  readonly quota: string = HEAP_QUOTA
  readonly bytes: boolean = true
  /** Bytes alive beyond which nothing is accepted that would add to them. */
  readonly max: number
  private readonly meter: Meter
  /** After the last major collection. */
  private live = 0
  /** By the books, since then. */
  private accepted = 0

  constructor(max: number, meter: Meter = NO_METER) {
    this.max = max
    this.meter = meter
  }

  /** Bytes that are alive, as far as is known. */
  get used(): number {
    return this.live + this.accepted
  }

  /** A major collection left this much alive. */
  collected(live: number): void {
    this.live = live
    this.accepted = 0
  }

  /** Something was taken, or given back where it is negative. */
  add(bytes: number): void {
    this.accepted += bytes
  }

  /** Why there is no room for so many bytes more, or undefined. A refusal is counted. */
  refusal(bytes: number): ErrorBody | undefined {
    if (bytes <= 0 || this.used + bytes <= this.max) return undefined
    const message = 'the node has no memory for more: its heap is as full as it may be'
    return limitRefusal(this.meter, { quota: HEAP_QUOTA, max: this.max, over: 'node', message })
  }
}
