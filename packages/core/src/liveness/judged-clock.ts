/**
 * The clock by which instances are judged. It stands still while the node itself stalls: Node runs timers
 * before it reads the sockets that hold the beats, so a node that wakes up from a long pause would otherwise
 * take its own sleep for everybody's silence.
 */
export class JudgedClock {
  private readonly tickMs: number
  private lastTick: number
  private readonly longMs: number
  private stalledMs = 0
  private pausing = false
  /** How much too late the last tick was; not above zero if it was in time. */
  lateMs = 0
  /** Judged time at the end of the last stall that was long; -Infinity if there was none. */
  wokeAt: number = -Infinity

  /** A stall of `longMs` is long: others may have given up waiting meanwhile. */
  constructor(now: number, tickMs: number, longMs: number) {
    this.lastTick = now
    this.tickMs = tickMs
    this.longMs = longMs
  }

  /**
   * Judged time. Between two ticks it advances by at most the ticks' distance that counts as normal, so that
   * an event handled during a stall is not dated after it.
   */
  at(now: number): number {
    return Math.min(now, this.lastTick + 2 * this.tickMs) - this.stalledMs
  }

  /**
   * Notes a tick and takes out whatever it came late. False = judgement waits for the next tick, by when the
   * sockets have been read; never twice in a row, so a loop that is always slow still judges, only slower.
   */
  tick(now: number): boolean {
    const lateMs = now - this.lastTick - 2 * this.tickMs
    this.lateMs = lateMs
    this.lastTick = now
    if (lateMs > 0) this.stalledMs += lateMs
    if (lateMs >= this.longMs) this.wokeAt = this.at(now)
    this.pausing = lateMs > 0 && !this.pausing
    return !this.pausing
  }
}
