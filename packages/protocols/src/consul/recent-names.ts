/** Names that were noted a moment ago: all of the last `spanMs`, none that is older than twice that. */
import type { Clock } from '@rollcall/core'

export class RecentNames {
  private readonly clock: Pick<Clock, 'now'>
  private readonly spanMs: number
  private names = new Set<string>()
  private before = new Set<string>()
  private beganAt = -Infinity

  constructor(clock: Pick<Clock, 'now'>, spanMs: number) {
    this.clock = clock
    this.spanMs = spanMs
  }

  add(name: string): void {
    this.turn()
    this.names.add(name)
  }

  has(name: string): boolean {
    this.turn()
    return this.names.has(name) || this.before.has(name)
  }

  private turn(): void {
    const now = this.clock.now()
    const ageMs = now - this.beganAt
    if (ageMs < this.spanMs) return
    this.before = ageMs < 2 * this.spanMs ? this.names : new Set()
    this.names = new Set()
    this.beganAt = now
  }
}
