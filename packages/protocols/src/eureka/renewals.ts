/** Renewals of the last whole minute, as Eureka's server counts them for its threshold. */
import type { Clock } from '@rollcall/core'

const MINUTE_MS = 60_000

export class Renewals {
  private readonly clock: Pick<Clock, 'now'>
  private minute: number
  private current = 0
  private last = 0

  constructor(clock: Pick<Clock, 'now'>) {
    this.clock = clock
    this.minute = this.now()
  }

  count(): void {
    this.turn()
    this.current++
  }

  /** Renewals in the minute before this one. */
  get perMinute(): number {
    this.turn()
    return this.last
  }

  private turn(): void {
    const minute = this.now()
    if (minute === this.minute) return
    this.last = minute === this.minute + 1 ? this.current : 0
    this.current = 0
    this.minute = minute
  }

  private now(): number {
    return Math.floor(this.clock.now() / MINUTE_MS)
  }
}
