/** How much later than the fastest a frame arrived: the clocks of two machines differ, but by an amount that hardly moves. */

/** For so long the fastest frame counts, and up to as long again: clocks drift by milliseconds in this time. */
const WINDOW_MS = 60_000

/** The frames of one direction of a link. */
export class Transit {
  private since = -Infinity
  private least = Infinity
  private leastBefore = Infinity

  /** `at`: the sender's clock when it sent; `now`: ours when it arrived. */
  lateMs(at: number, now: number): number {
    if (now - this.since >= WINDOW_MS) {
      this.leastBefore = this.least
      this.least = Infinity
      this.since = now
    }
    const offset = now - at
    this.least = Math.min(this.least, offset)
    return offset - Math.min(this.least, this.leastBefore)
  }
}
