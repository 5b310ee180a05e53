/** When publications are told: in the next turn of the loop, and again when the publisher's windows end. */
import type { Clock, RegistryNode } from '@rollcall/core'

export class Publications {
  private readonly clock: Clock
  private readonly publisher: RegistryNode['publisher']
  private cancelSoon: (() => void) | undefined
  private cancelLater: (() => void) | undefined

  constructor(clock: Clock, publisher: RegistryNode['publisher']) {
    this.clock = clock
    this.publisher = publisher
  }

  /** In the next turn of the loop, so that everything that arrived in this one is told together. */
  soon(): void {
    if (!this.publisher.pending) return
    this.cancelSoon ??= this.clock.setTimer(0, () => {
      this.cancelSoon = undefined
      this.tell()
    })
  }

  close(): void {
    this.cancelSoon?.()
    this.cancelLater?.()
  }

  private tell(): void {
    const now = this.clock.now()
    this.publisher.flush(now)
    this.cancelLater?.()
    this.cancelLater = undefined
    const due = this.publisher.due()
    if (due === Infinity) return
    this.cancelLater = this.clock.setTimer(Math.max(1, due - now), () => this.tell())
  }
}
