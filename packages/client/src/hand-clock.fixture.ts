import type { Clock } from './machine/ports.js'

/** A clock that moves by hand. */
export class HandClock implements Clock {
  time = 0
  private timers: { readonly at: number; readonly run: () => void }[] = []

  now(): number {
    return this.time
  }

  wallNow(): number {
    return 1_800_000_000_000 + this.time
  }

  setTimer(delayMs: number, run: () => void): () => void {
    const timer = { at: this.time + delayMs, run }
    this.timers.push(timer)
    return () => {
      this.timers = this.timers.filter((other) => other !== timer)
    }
  }

  soon(run: () => void): void {
    queueMicrotask(run)
  }

  get pending(): number {
    return this.timers.length
  }

  async pass(ms: number): Promise<void> {
    const end = this.time + ms
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.time = Math.max(this.time, next.at)
      this.timers = this.timers.filter((timer) => timer !== next)
      next.run()
      await settle()
    }
    this.time = end
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}
