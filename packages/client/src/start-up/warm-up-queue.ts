/** The order in which instances are warmed up. */
import type { Instance } from '@rollcall/wire'

/** One attempt to warm up. */
export interface WarmUpTask {
  readonly batch: WarmUpBatch
  readonly instance: Instance
}

/**
 * The warm-up of one service: which instances to try, and what a failure is worth. A failure says something about an instance
 * only if another one was reached: with none reached it may be this process that has no network, so failures are
 * withheld until the first success, and forgotten when there is none.
 */
export class WarmUpBatch {
  private readonly waiting: Instance[]
  private open: number
  private reached = false
  private withheld: Instance[] = []

  constructor(instances: readonly Instance[]) {
    this.waiting = [...instances].reverse()
    this.open = instances.length
  }

  /** Whether every attempt has ended. */
  get over(): boolean {
    return this.open === 0
  }

  /** Whether attempts are still to begin. */
  get hasWaiting(): boolean {
    return this.waiting.length > 0
  }

  /** The next to try. */
  take(): Instance | undefined {
    return this.waiting.pop()
  }

  /** An attempt succeeded. Returns whose failures count from now on. */
  succeeded(): readonly Instance[] {
    this.open -= 1
    this.reached = true
    return this.withheld.splice(0)
  }

  /** An attempt failed. Returns whose failures count from now on. */
  failed(instance: Instance): readonly Instance[] {
    this.open -= 1
    if (this.reached) return [instance]
    this.withheld.push(instance)
    return []
  }

  /** Nothing more begins and nothing more is expected. */
  cancel(): void {
    this.waiting.length = 0
    this.open = 0
  }
}

/**
 * Whose turn it is: at most `parallelMax` attempts at a time over all services, and services take turns, so that a
 * large one whose instances hang delays no other by more than its share.
 */
export class WarmUpQueue {
  private readonly parallelMax: number
  private readonly batches: WarmUpBatch[] = []
  private running = 0

  constructor(parallelMax: number) {
    this.parallelMax = parallelMax
  }

  add(batch: WarmUpBatch): void {
    if (batch.hasWaiting) this.batches.push(batch)
  }

  /** What may begin now; each one is to be `ended`. */
  begin(): WarmUpTask[] {
    const tasks: WarmUpTask[] = []
    while (this.running < this.parallelMax) {
      const batch = this.batches.shift()
      if (batch === undefined) break
      const instance = batch.take()
      if (instance === undefined) continue
      this.running += 1
      tasks.push({ batch, instance })
      this.add(batch)
    }
    return tasks
  }

  /** An attempt ended, one way or the other: its place is free. */
  ended(): void {
    this.running -= 1
  }
}
