/** A key that a store in memory holds for as long as it hears the node, over a line. */
import {
  EngineError,
  type Clock,
  type EngineFailure,
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
  /** Throws EngineError where the store is not the one that the node has joined. */
  readonly verify: () => void
  /** Throws EngineError where no member answers. */
  readonly reach: () => void
  readonly retryMs: number
}

export class MemoryHold implements EngineSubscription {
  private readonly deps: HoldDeps
  private readonly lease: NodeLease
  private readonly listener: NodeLeaseListener
  private id: number | undefined
  /** What was told last, so that one loss is told once. */
  private told: 'nothing' | 'kept' | EngineFailure = 'nothing'
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
    const { clock, line, retryMs } = this.deps
    const sentAt = clock.now()
    let nextMs = this.lease.ttlMs / BEATS
    try {
      const isNew = await line.call(() => this.keep())
      if (this.over) return
      if (isNew && this.told === 'kept') this.lose(goneError())
      this.keptSince(sentAt)
    } catch (error) {
      if (this.over) return
      // What is held is lost when it is gone or its time is over, not when one beat fails.
      if (this.id === undefined) this.lose(error as EngineError)
      nextMs = Math.min(nextMs, retryMs)
    }
    if (!this.over)
      this.cancelBeat = clock.setTimer(Math.max(0, sentAt + nextMs - clock.now()), () => void this.beat())
  }

  /** At the other end: true when the key had to be made anew. */
  private keep(): boolean {
    const { store, reach, verify } = this.deps
    if (this.over) throw new EngineError('unavailable', 'the node has let go')
    reach()
    if (this.id !== undefined && store.keepAlive(this.id)) return false
    this.id = undefined
    verify()
    this.id = store.hold(this.lease.key, this.lease.value, this.lease.ttlMs)
    return true
  }

  private keptSince(sentAt: number): void {
    const { clock } = this.deps
    const { ttlMs } = this.lease
    this.cancelEnd()
    this.cancelEnd = clock.setTimer(Math.max(0, sentAt + ttlMs - clock.now()), () =>
      this.lose(new EngineError('unavailable', `not heard for ${ttlMs} ms`)),
    )
    this.told = 'kept'
    this.listener.kept()
  }

  private lose(error: EngineError): void {
    const { told } = this
    if (told === error.failure) return
    // A key that was lost is lost still, unless now an operator has to act.
    if (told !== 'kept' && told !== 'nothing' && error.failure === 'unavailable') return
    this.cancelEnd()
    this.told = error.failure
    this.listener.lost(error)
  }
}

function goneError(): EngineError {
  return new EngineError('unavailable', 'the lease of this node has ended')
}
