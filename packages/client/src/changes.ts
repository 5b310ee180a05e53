/** The changes of a list as async iterators. */
import type { ListChange } from './machine/events.js'
import { abortedError } from './machine/errors.js'
import { onAbort } from './calls/signals.js'

/** Most changes kept for a consumer that is behind; beyond it they become one change with the latest list. */
const QUEUE_MAX = 256

/** The changes of one list, for any number of consumers at their own pace. */
export class ChangeFeed {
  private readonly iterators = new Set<ChangeIterator>()
  private latest: ListChange | undefined
  private ended = false

  publish(change: ListChange): void {
    this.latest = change
    for (const iterator of this.iterators) iterator.push(change)
  }

  /** Ends all iterators after what they still hold. */
  end(): void {
    this.ended = true
    for (const iterator of this.iterators) iterator.finish()
    this.iterators.clear()
  }

  /** Starts with the current list, if there is one. `ended` is called when its reader leaves. */
  open(signal: AbortSignal | undefined, ended?: () => void): AsyncIterableIterator<ListChange> {
    const iterator = new ChangeIterator(signal, () => {
      this.iterators.delete(iterator)
      ended?.()
    })
    if (this.latest !== undefined) iterator.push(asView(this.latest))
    if (this.ended) iterator.finish()
    else this.iterators.add(iterator)
    return iterator
  }
}

class ChangeIterator implements AsyncIterableIterator<ListChange> {
  private readonly signal: AbortSignal | undefined
  private readonly leave: () => void
  private readonly letGo: () => void
  private queue: ListChange[] = []
  private waiting: { resolve(result: IteratorResult<ListChange>): void; reject(error: unknown): void }[] = []
  private done = false

  constructor(signal: AbortSignal | undefined, leave: () => void) {
    this.signal = signal
    this.leave = leave
    this.letGo = onAbort(signal, this.abort)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ListChange> {
    return this
  }

  push(change: ListChange): void {
    const waiter = this.waiting.shift()
    if (waiter !== undefined) waiter.resolve({ done: false, value: change })
    else if (this.queue.length < QUEUE_MAX) this.queue.push(change)
    else this.queue = [asView(change)]
  }

  /** No more will come. */
  finish(): void {
    this.done = true
    this.letGo()
    for (const waiter of this.waiting.splice(0)) waiter.resolve({ done: true, value: undefined })
  }

  next(): Promise<IteratorResult<ListChange>> {
    if (this.signal?.aborted === true) return Promise.reject(abortedError(this.signal))
    const value = this.queue.shift()
    if (value !== undefined) return Promise.resolve({ done: false, value })
    if (this.done) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }))
  }

  return(): Promise<IteratorResult<ListChange>> {
    this.leave()
    this.queue = []
    this.finish()
    return Promise.resolve({ done: true, value: undefined })
  }

  private readonly abort = (): void => {
    const { signal } = this
    this.leave()
    this.queue = []
    for (const waiter of this.waiting.splice(0)) if (signal !== undefined) waiter.reject(abortedError(signal))
  }
}

function asView(change: ListChange): ListChange {
  return { ...change, type: 'view', upserts: change.instances, removes: [] }
}
