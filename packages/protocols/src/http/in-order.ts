/** What one connection is sent in order, though a part of it is still being encoded. */

/** What is at hand, or will be: long lists are encoded in slices. */
export type Later<T> = T | Promise<T>

/** Goes on with a value, at once where it is at hand. */
export function whenMade<A, B>(value: Later<A>, goOn: (value: A) => Later<B>): Later<B> {
  return value instanceof Promise ? value.then(goOn) : goOn(value)
}

export interface InOrderListener {
  /** As much waits as may. Called from within the `send` that found out. */
  full(): void
  /** Nothing waits any more. Called only after `full`. */
  empty(): void
  /** Something could not be made: what comes after it cannot be sent. */
  failed(): void
}

/** Sendings that wait for one before them. */
const WAITING_MAX = 1_024

export class InOrder {
  /** Whether nothing more should be sent that can wait. */
  full = false
  private readonly waiting: (() => Later<void>)[] = []
  private readonly listener: InOrderListener
  private held = false

  constructor(listener: InOrderListener) {
    this.listener = listener
  }

  /** Runs `sending` after those before it, at once where none of them is under way. */
  send(sending: () => Later<void>): void {
    if (!this.held) return this.begin(sending)
    this.waiting.push(sending)
    if (this.full || this.waiting.length < WAITING_MAX) return
    this.full = true
    this.listener.full()
  }

  /** Forgets what waits. */
  close(): void {
    this.waiting.length = 0
  }

  private begin(sending: () => Later<void>): void {
    const sent = sending()
    if (!(sent instanceof Promise)) return
    this.held = true
    sent.then(() => this.goOn()).catch(() => this.listener.failed())
  }

  private goOn(): void {
    this.held = false
    while (!this.held) {
      const next = this.waiting.shift()
      if (next === undefined) break
      this.begin(next)
    }
    if (!this.full || this.waiting.length > 0) return
    this.full = false
    this.listener.empty()
  }
}
