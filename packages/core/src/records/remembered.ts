/**
 * What was removed and is remembered for a while, oldest first: each for the retention, and no more of them than a
 * bound. Beyond it the oldest is forgotten early.
 */
export class Remembered<K> {
  /** Since when, in that order. */
  private readonly since = new Map<K, number>()
  private readonly retentionMs: number
  private readonly max: number

  constructor(retentionMs: number, max: number) {
    this.retentionMs = retentionMs
    this.max = max
  }

  /** Its retention begins. */
  note(key: K, now: number): void {
    this.since.delete(key)
    this.since.set(key, now)
  }

  /** It is no longer removed, or gone altogether. */
  drop(key: K): void {
    this.since.delete(key)
  }

  /** Hands out what is to be forgotten by now; that is then no longer remembered. O(1) while nothing is. */
  *over(now: number): IterableIterator<K> {
    for (const [key, since] of this.since) {
      if (this.since.size <= this.max && now - since < this.retentionMs) return
      this.since.delete(key)
      yield key
    }
  }
}
