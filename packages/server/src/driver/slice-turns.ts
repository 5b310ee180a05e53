/** Turns of the event loop for work that is done in slices: one slice in each, in the order of those that wait. */
import type { Clock } from '@rollcall/core'

export class SliceTurns {
  private readonly clock: Pick<Clock, 'setTimer'>
  private readonly waiting: (() => void)[] = []

  constructor(clock: Pick<Clock, 'setTimer'>) {
    this.clock = clock
  }

  /** Resolves in a turn of the loop that is the caller's. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve)
      if (this.waiting.length === 1) this.schedule()
    })
  }

  private schedule(): void {
    this.clock.setTimer(0, () => {
      this.waiting.shift()?.()
      if (this.waiting.length > 0) this.schedule()
    })
  }
}
