/** A key that a store in memory holds for as long as it hears the node, over a line. */
import {
  EngineError,
  type Clock,
  type EngineSubscription,
  type NodeLease,
  type NodeLeaseListener,
} from '@rollcall/core'
import type { StoreLine } from './line.js'
import type { MemoryStore } from './store.js'

/** How often a lease is kept alive per time to live. */
const BEATS = 4

export interface HoldDeps {
  readonly clock: Clock
  readonly store: MemoryStore
  readonly line: StoreLine
  /** Throws EngineError where no member answers. */
  readonly reach: () => void
}

export class MemoryHold implements EngineSubscription {
  private readonly deps: HoldDeps
  private readonly lease: NodeLease
  private readonly listener: NodeLeaseListener
  private id: number | undefined
  private state: 'new' | 'held' | 'lost' = 'new'
  private over = false
  private cancelBeat: () => void = () => {}
  private cancelEnd: () => void = () => {}

  constructor(deps: HoldDeps, lease: NodeLease, listener: NodeLeaseListener) {
    this.deps = deps
    this.lease = lease
    this.listener = listener
    void this.beat()
  }

  close(): void {
    if (this.over) return
    this.stop()
    void this.release()
  }

  /** From now on nothing is told and nothing kept alive. */
  stop(): void {
    this.over = true
    this.cancelBeat()
    this.cancelEnd()
  }

  /** Resolves once the key is gone, or is left to end by itself. */
  async release(): Promise<void> {
    const { line, store } = this.deps
    await line
      .call(() => {
        if (this.id !== undefined) store.revoke(this.id)
      })
      .catch(() => {
        // It cannot be reached.
      })
  }

  private async beat(): Promise<void> {
    const { clock, line } = this.deps
    const sentAt = clock.now()
    const beatMs = this.lease.ttlMs / BEATS
    try {
      const isNew = await line.call(() => this.keep())
      if (this.over) return
      if (isNew && this.state === 'held')
        this.lose(new EngineError('unavailable', 'the lease of this node has ended'))
      this.state = 'held'
      this.cancelEnd()
      this.cancelEnd = clock.setTimer(Math.max(0, sentAt + this.lease.ttlMs - clock.now()), () =>
        this.lose(new EngineError('unavailable', `not heard for ${this.lease.ttlMs} ms`)),
      )
      this.listener.kept()
    } catch (error) {
      if (this.over) return
      // What is held is lost when its time is over, not when one beat fails.
      if (this.state === 'new') this.lose(error as EngineError)
    }
    if (!this.over)
      this.cancelBeat = clock.setTimer(Math.max(0, sentAt + beatMs - clock.now()), () => void this.beat())
  }

  /** At the other end: true when the key had to be made anew. */
  private keep(): boolean {
    const { store, reach } = this.deps
    if (this.over) throw new EngineError('unavailable', 'the node has let go')
    reach()
    if (this.id !== undefined && store.keepAlive(this.id)) return false
    this.id = store.hold(this.lease.key, this.lease.value, this.lease.ttlMs)
    return true
  }

  private lose(error: EngineError): void {
    this.state = 'lost'
    this.cancelEnd()
    this.listener.lost(error)
  }
}
