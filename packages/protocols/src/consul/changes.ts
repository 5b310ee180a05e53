/**
 * What changed, and what it is numbered: the indices of blocking queries, and the requests that wait for another one.
 *
 * An index is that of the feed, which never goes back while a node runs and begins above all earlier boots, and what this
 * adapter itself counts on top: a check may turn without a change of the record. A client that shows any other index than
 * the present one is answered at once, so that one of another node or boot, be it larger, stalls no client.
 */
import type { ChangeWait, Clock, FeedAnswer, Queries, Registry } from '@rollcall/core'
import { NAMESPACE } from './mapping.js'
import { CALLER } from './caller.js'

/** What the feed of a namespace tells. */
export type NamespaceChange = Extract<FeedAnswer, { kind: 'changes' }>['changes'][number]

/** Changes that are looked at in one turn, some milliseconds. */
const CHANGES_PER_TURN = 2_000

/** Waits for all services are woken at most this often: each of them asks for a list of all. */
const ALL_WINDOW_MS = 100

export interface ChangesDeps {
  readonly registry: Pick<Registry, 'read' | 'follow'>
  readonly clock: Clock
}

export interface ChangesListener {
  /** Everything is to be listed anew. */
  lost(): void
  changed(change: NamespaceChange): void
}

interface Waiter {
  readonly seen: number
  readonly wake: (changed: boolean) => void
}

export class Changes {
  private readonly clock: Clock
  private readonly read: Queries
  private readonly registry: ChangesDeps['registry']
  private listener: ChangesListener | undefined
  private at = 0
  private unfollow: (() => void) | undefined
  private cancelLook: (() => void) | undefined
  private cancelAll: (() => void) | undefined
  /** Turns of checks so far, and where each service was at its last one; of services that left, the latest. */
  private turns = 0
  private readonly turned = new Map<string, number>()
  private left = 0
  private readonly waiting = new Map<string, Set<Waiter>>()
  private readonly waitingAll = new Set<Waiter>()

  constructor({ registry, clock }: ChangesDeps) {
    this.registry = registry
    this.clock = clock
    this.read = registry.read(CALLER)
  }

  start(listener: ChangesListener): void {
    this.listener = listener
    this.unfollow = this.registry.follow(() => this.look(), CALLER)
    this.look()
  }

  close(): void {
    this.unfollow?.()
    this.cancelLook?.()
    this.cancelAll?.()
  }

  /** Number of requests that wait. */
  get waits(): number {
    let sum = this.waitingAll.size
    for (const waiters of this.waiting.values()) sum += waiters.size
    return sum
  }

  /** The index of a service of ours, or of all; at least 1. */
  index(service?: string): number {
    if (service === undefined) return this.read.index({ namespace: NAMESPACE }) + this.turns
    return (
      this.read.index({ namespace: NAMESPACE, service }) + Math.max(this.turned.get(service) ?? this.left, 0)
    )
  }

  /** A check of the service turned without a change of its record. */
  turn(service: string): void {
    this.turned.set(service, ++this.turns)
    this.wake(service)
    this.wakeAll()
  }

  /** Nothing of the service turns any more. */
  leave(service: string): void {
    const turned = this.turned.get(service)
    if (turned === undefined) return
    this.turned.delete(service)
    this.left = Math.max(this.left, turned)
  }

  /** Waits until the index of a service, or of all, is no longer `seen`. */
  wait(service: string | undefined, seen: number, timeoutMs: number): ChangeWait {
    if (this.index(service) !== seen) return { changed: Promise.resolve(true), cancel() {} }
    let cancel = (): void => {}
    const changed = new Promise<boolean>((resolve) => {
      const waiter: Waiter = {
        seen,
        wake: (result) => {
          this.forget(service, waiter)
          cancelTimer()
          resolve(result)
        },
      }
      const cancelTimer = this.clock.setTimer(timeoutMs, () => waiter.wake(false))
      cancel = () => waiter.wake(false)
      this.remember(service, waiter)
    })
    return { changed, cancel: () => cancel() }
  }

  private remember(service: string | undefined, waiter: Waiter): void {
    if (service === undefined) {
      this.waitingAll.add(waiter)
      return
    }
    const waiters = this.waiting.get(service) ?? new Set()
    waiters.add(waiter)
    this.waiting.set(service, waiters)
  }

  private forget(service: string | undefined, waiter: Waiter): void {
    if (service === undefined) {
      this.waitingAll.delete(waiter)
      return
    }
    const waiters = this.waiting.get(service)
    if (waiters?.delete(waiter) === true && waiters.size === 0) this.waiting.delete(service)
  }

  /** Takes what the feed has, a part of it in one turn. */
  private look(): void {
    this.cancelLook?.()
    this.cancelLook = undefined
    const answer = this.read.changes(NAMESPACE, this.at, CHANGES_PER_TURN)
    this.at = answer.next
    if (answer.kind === 'lost') {
      this.listener?.lost()
      for (const service of [...this.waiting.keys()]) this.wake(service)
      return this.wakeAll()
    }
    const services = new Set<string>()
    for (const change of answer.changes) {
      if (change.kind !== 'namespace') services.add(change.service)
      this.listener?.changed(change)
    }
    for (const service of services) this.wake(service)
    if (answer.changes.length > 0) this.wakeAll()
    if (answer.more) this.cancelLook = this.clock.setTimer(0, () => this.look())
  }

  private wake(service: string): void {
    const waiters = this.waiting.get(service)
    if (waiters === undefined) return
    const index = this.index(service)
    for (const waiter of [...waiters]) if (waiter.seen !== index) waiter.wake(true)
  }

  private wakeAll(): void {
    if (this.waitingAll.size === 0) return
    this.cancelAll ??= this.clock.setTimer(ALL_WINDOW_MS, () => {
      this.cancelAll = undefined
      const index = this.index()
      for (const waiter of [...this.waitingAll]) if (waiter.seen !== index) waiter.wake(true)
    })
  }
}
