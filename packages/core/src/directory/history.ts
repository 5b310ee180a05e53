/**
 * The recent changes of a service: a bounded ring from which anyone who shows an older sign gets one
 * compacted delta. All rings of a node share one budget; the oldest change anywhere is dropped first.
 */
import type { RemoveReason, SignSum } from '@rollcall/wire'

/**
 * One visible change, with the signs that the service and the group had just before it. Their lanes are signed integers: a
 * number above 2^31 is an object of its own, and of these there are four for each change.
 */
export interface PastChange {
  readonly key: string
  readonly group: string
  readonly id: string
  readonly hi: number
  readonly lo: number
  readonly groupHi: number
  readonly groupLo: number
  /** Set when the change hid the instance. */
  readonly removed: { readonly incarnation: number; readonly reason: RemoveReason } | undefined
}

/** What one step is charged for beside its texts, in bytes: the object, its numbers and its places. */
const STEP_BYTES = 160

/** Rings are also bounded by the list itself: a delta longer than the list is pointless. */
const STEPS_MIN = 1024

/** Bytes that holding a step costs, also when nothing else holds its id any more. */
export function stepBytes({ key, id }: PastChange): number {
  return STEP_BYTES + key.length + id.length
}

/** The budget that all rings of a node share. */
export class HistoryBudget {
  private readonly bytesMax: number
  private steps = 0
  /** Bytes charged at present. */
  bytes = 0
  private order: History[] = []
  private orderStart = 0
  /** Places in the order whose step is gone already. */
  private voids = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  added(history: History, bytes: number): void {
    this.steps++
    this.bytes += bytes
    this.order.push(history)
    while (this.bytes > this.bytesMax && this.steps > STEPS_MIN) this.dropOldest()
    if (this.orderStart > 4096 && this.orderStart * 2 > this.order.length) {
      this.order = this.order.slice(this.orderStart)
      this.orderStart = 0
    }
  }

  /** A ring dropped steps by itself. */
  voided(count: number, bytes: number): void {
    this.steps -= count
    this.bytes -= bytes
    this.voids += count
    if (this.voids > this.steps + STEPS_MIN) this.compact()
  }

  private dropOldest(): void {
    const oldest = this.order[this.orderStart++]
    if (oldest === undefined) throw new Error('history budget counts more steps than it ordered')
    if (oldest.takeVoid()) {
      this.voids--
      return
    }
    this.bytes -= oldest.yieldOldest()
    this.steps--
  }

  private compact(): void {
    this.order = this.order.slice(this.orderStart).filter((history) => !history.takeVoid())
    this.orderStart = 0
    this.voids = 0
  }
}

/** The ring of one service. */
export class History {
  private steps: PastChange[] = []
  private start = 0
  /** Steps this ring dropped by itself; its oldest places in the budget's order are void. */
  private voids = 0
  private readonly budget: HistoryBudget

  constructor(budget: HistoryBudget) {
    this.budget = budget
  }

  get length(): number {
    return this.steps.length - this.start
  }

  /** Adds the newest change; `listed` is the length of the list, which bounds the ring. */
  push(step: PastChange, listed: number): void {
    this.steps.push(step)
    this.budget.added(this, stepBytes(step))
    const stepsMax = Math.max(STEPS_MIN, 2 * listed)
    while (this.length > stepsMax) {
      const bytes = this.yieldOldest()
      this.voids++
      this.budget.voided(1, bytes)
    }
  }

  /** Drops the oldest step. Returns what it was charged for. */
  yieldOldest(): number {
    const bytes = stepBytes(this.steps[this.start++] as PastChange)
    if (this.start > 512 && this.start * 2 > this.steps.length) {
      this.steps = this.steps.slice(this.start)
      this.start = 0
    }
    return bytes
  }

  /** Uses up one void place in the budget's order, if there is one. */
  takeVoid(): boolean {
    if (this.voids === 0) return false
    this.voids--
    return true
  }

  /** Drops everything. */
  clear(): void {
    const count = this.length
    let bytes = 0
    for (let place = this.start; place < this.steps.length; place++)
      bytes += stepBytes(this.steps[place] as PastChange)
    this.steps = []
    this.start = 0
    this.voids += count
    this.budget.voided(count, bytes)
  }

  /**
   * The last change of each instance since the newest moment at which the view had this sign, or undefined
   * if the ring does not reach back so far. Signs recur (A, B, A): any moment with the sign is as good as
   * another, the newest costs least.
   */
  since(
    sign: Pick<SignSum, 'hi' | 'lo'>,
    group: string | undefined,
  ): ReadonlyMap<string, PastChange> | undefined {
    const from = this.find(sign, group)
    if (from === undefined) return undefined
    const changes = new Map<string, PastChange>()
    for (let index = this.steps.length - 1; index >= from; index--) {
      const step = this.steps[index] as PastChange
      if ((group === undefined || step.group === group) && !changes.has(step.key)) changes.set(step.key, step)
    }
    return changes
  }

  /** Index of the newest step before which the view had this sign. Collects nothing: most who ask in vain are strangers. */
  private find(sign: Pick<SignSum, 'hi' | 'lo'>, group: string | undefined): number | undefined {
    const hi = sign.hi | 0
    const lo = sign.lo | 0
    for (let index = this.steps.length - 1; index >= this.start; index--) {
      const step = this.steps[index] as PastChange
      if (
        group === undefined
          ? step.hi === hi && step.lo === lo
          : step.groupHi === hi && step.groupLo === lo && step.group === group
      ) {
        return index
      }
    }
    return undefined
  }

  /** The moments at which an incarnation at another address took over, among the last `steps`, oldest first. */
  replaced(steps: number): readonly PastChange[] {
    const start = Math.max(this.start, this.steps.length - steps)
    return this.steps.slice(start).filter((step) => step.removed?.reason === 'replaced')
  }
}
