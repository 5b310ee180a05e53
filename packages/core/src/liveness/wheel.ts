/**
 * A timer wheel for very many items. Renewing an item costs nothing at all: a renewal only writes its
 * new deadline elsewhere, and the item is looked at again when its old slot comes round (lazy re-insertion).
 */

/** Something that can be put on a wheel. */
export interface WheelItem {
  /** When the wheel hands the item out next; owned by the wheel. NaN = not on it. */
  wheelAt: number
}

export class Wheel<T extends WheelItem> {
  private readonly slots: { readonly item: T; readonly at: number }[][]
  private readonly slotMs: number
  /** Number of the next slot to be emptied. */
  private cursor: number

  /** `slotMs` is the precision; items further away than `slotMs * slotCount` are handed out early. */
  constructor(now: number, slotMs: number, slotCount: number) {
    this.slotMs = slotMs
    this.slots = Array.from({ length: slotCount }, () => [])
    this.cursor = Math.floor(now / slotMs)
  }

  /**
   * Hands the item out at `at` or up to one slot later (never earlier, unless `at` is beyond the wheel's
   * reach). An item already due earlier stays where it is: it will be looked at then and put back.
   */
  schedule(item: T, at: number): void {
    if (at === Infinity) return
    const reach = (this.cursor + this.slots.length - 1) * this.slotMs
    const due = Math.min(at, reach)
    if (item.wheelAt <= due) return
    item.wheelAt = due
    const slot = Math.max(this.cursor, Math.ceil(due / this.slotMs))
    ;(this.slots[slot % this.slots.length] as { item: T; at: number }[]).push({ item, at: due })
  }

  /** Takes the item off; its place in a slot becomes void. */
  cancel(item: T): void {
    item.wheelAt = Number.NaN
  }

  /**
   * Hands out everything that is due; `fire` puts items back by `schedule`. When it was `enough`, the rest is handed out
   * with the next slot, before the items of that.
   */
  advance(now: number, fire: (item: T) => void, enough: () => boolean = () => false): void {
    const last = Math.floor(now / this.slotMs)
    while (this.cursor <= last) {
      const index = this.cursor % this.slots.length
      const slot = this.slots[index] as { item: T; at: number }[]
      this.slots[index] = []
      this.cursor++
      for (const [place, { item, at }] of slot.entries()) {
        if (enough()) {
          const next = this.cursor % this.slots.length
          this.slots[next] = [...slot.slice(place), ...(this.slots[next] ?? [])]
          return
        }
        if (item.wheelAt !== at) continue // cancelled, or moved to an earlier slot and handed out there
        item.wheelAt = Number.NaN
        fire(item)
      }
    }
  }
}

/** Events, each a probe or a verdict, that are brought about in one turn of the event loop. */
const EVENTS_PER_TURN = 2_000

/** What forgetting a record counts: it costs less, and a flood of strays is to be gone soon after its time. */
export const FORGETTING: number = 1 / 3

/** Tells when there were enough events for one turn, counted from now on. */
export function enoughOf(events: { readonly count: number }): () => boolean {
  const end = events.count + EVENTS_PER_TURN
  return () => events.count >= end
}
