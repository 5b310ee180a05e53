/** A clock that moves when a test says so. */
import { EventQueue } from './event-queue.js'

/** A timer that waits. */
export interface HandTimer {
  readonly at: number
}

/** Fits every port of time: monotonic and wall time, timers, and what is to run soon. */
export class HandClock {
  private readonly queue = new EventQueue()
  private readonly wallMs: number
  private readonly waiting = new Set<HandTimer>()

  /** Starts at `now`; the wall clock is `wallMs` ahead. */
  constructor(now = 0, wallMs = 1_700_000_000_000) {
    this.queue.now = now
    this.wallMs = wallMs
  }

  /** Timers that wait, in the order in which they were set. */
  get timers(): readonly HandTimer[] {
    return [...this.waiting]
  }

  now(): number {
    return this.queue.now
  }

  wallNow(): number {
    return this.wallMs + this.queue.now
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.queue.now + Math.max(0, delayMs) }
    this.waiting.add(timer)
    this.queue.at(timer.at, () => {
      if (this.waiting.delete(timer)) callback()
    })
    return () => void this.waiting.delete(timer)
  }

  soon(callback: () => void): void {
    queueMicrotask(callback)
  }

  /** Moves on and runs what is due, in order; what is set for the present moment runs too. */
  advance(ms = 0): void {
    const end = this.queue.now + ms
    while (this.queue.step(end));
  }

  /** The same, and lets promises settle after each timer. */
  async pass(ms = 0): Promise<void> {
    const end = this.queue.now + ms
    while (this.queue.step(end)) await settle()
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}
