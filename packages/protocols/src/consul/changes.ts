/**
 * What changed, and what it is numbered: the indices of blocking queries, and the requests that wait for another one.
 *
 * An index never goes back while a node runs, and begins above all earlier boots. It is no number of all nodes, but tells what
 * was listed (`indices.ts`): a client whose requests go to several nodes waits at each of them for what it does not have. Where
 * nodes do not list the same at present, it is answered a few times a second, and not as fast as it can ask.
 */
import type { ChangeWait, Clock, FeedAnswer, Queries, Registry } from '@rollcall/core'
import { CALLER } from './caller.js'
import { heightAt, indexOf, relationOf } from './indices.js'
import { NAMESPACE } from './mapping.js'
import { RecentNames } from './recent-names.js'

/** What the feed of a namespace tells. */
export type NamespaceChange = Extract<FeedAnswer, { kind: 'changes' }>['changes'][number]

/** Changes that are looked at in one turn, some milliseconds. */
const CHANGES_PER_TURN = 2_000

/** Waits for all services are woken at most this often: each of them asks for a list of all. */
const ALL_WINDOW_MS = 100

/** A client that has the present list by the word of another node is shown it after this long: one in 4,096 prints is another list's. */
const ALIKE_MS = 10_000

/** A client that has another list may have it from a node that is ahead of this one, or behind: what is on its way comes by then. */
const OTHER_MS = 250

/** A change is news for this long: its clients have not missed it by asking elsewhere. */
const RECENT_MS = 1_000

/** The name of all services together, which none can have. */
const ALL = ''

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
  /** The index when it began to wait. */
  readonly at: number
  readonly wake: (changed: boolean) => void
}

export class Changes {
  private readonly clock: Clock
  private readonly read: Queries
  private readonly registry: ChangesDeps['registry']
  private readonly recent: RecentNames
  /** The height of this boot, and the index of the feed that it stands for. */
  private readonly base: number
  private readonly baseIndex: number
  private listener: ChangesListener | undefined
  private at = 0
  private unfollow: (() => void) | undefined
  private cancelLook: (() => void) | undefined
  private cancelAll: (() => void) | undefined
  private readonly waiting = new Map<string, Set<Waiter>>()

  constructor({ registry, clock }: ChangesDeps) {
    this.registry = registry
    this.clock = clock
    this.read = registry.read(CALLER)
    this.recent = new RecentNames(clock, RECENT_MS)
    this.base = heightAt(clock.wallNow())
    this.baseIndex = this.read.index({ namespace: NAMESPACE })
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
    let sum = 0
    for (const waiters of this.waiting.values()) sum += waiters.size
    return sum
  }

  /**
   * The index of a service of ours, or of all. For a client that has what is listed by a larger one of another node, that one:
   * going back would make it ask for all again.
   */
  index(service?: string, seen = 0): number {
    const { read } = this
    const current =
      service === undefined
        ? indexOf(this.height(read.index({ namespace: NAMESPACE })), read.signOfAll(NAMESPACE))
        : indexOf(
            this.height(read.index({ namespace: NAMESPACE, service })),
            read.sign({ namespace: NAMESPACE, service }),
          )
    return seen > current && relationOf(seen, current) === 'alike' ? seen : current
  }

  private height(index: number): number {
    return this.base + Math.max(0, index - this.baseIndex)
  }

  /**
   * For how long a client that shows an index may be kept waiting for a change, of `timeoutMs` that it would wait: less where that
   * is no index of this boot, and not at all where there is news for it.
   */
  patience(service: string | undefined, seen: number, timeoutMs: number): number {
    const relation = relationOf(seen, this.index(service))
    if (relation === 'current') return timeoutMs
    if (relation === 'alike') return Math.min(timeoutMs, ALIKE_MS)
    const isNews = relation === 'none' || this.recent.has(service ?? ALL)
    return isNews ? 0 : Math.min(timeoutMs, OTHER_MS)
  }

  /** Waits until a service, or all, change. */
  wait(service: string | undefined, timeoutMs: number): ChangeWait {
    const name = service ?? ALL
    const at = this.index(service)
    let cancel = (): void => {}
    const changed = new Promise<boolean>((resolve) => {
      const waiter: Waiter = {
        at,
        wake: (result) => {
          this.forget(name, waiter)
          cancelTimer()
          resolve(result)
        },
      }
      const cancelTimer = this.clock.setTimer(timeoutMs, () => waiter.wake(false))
      cancel = () => waiter.wake(false)
      this.remember(name, waiter)
    })
    return { changed, cancel: () => cancel() }
  }

  private remember(name: string, waiter: Waiter): void {
    const waiters = this.waiting.get(name) ?? new Set()
    waiters.add(waiter)
    this.waiting.set(name, waiters)
  }

  private forget(name: string, waiter: Waiter): void {
    const waiters = this.waiting.get(name)
    if (waiters?.delete(waiter) === true && waiters.size === 0) this.waiting.delete(name)
  }

  /** Takes what the feed has, a part of it in one turn. */
  private look(): void {
    this.cancelLook?.()
    this.cancelLook = undefined
    const answer = this.read.changes(NAMESPACE, this.at, CHANGES_PER_TURN)
    this.at = answer.next
    if (answer.kind === 'lost') {
      this.listener?.lost()
      for (const name of [...this.waiting.keys()]) if (name !== ALL) this.wake(name)
      return this.wakeAll()
    }
    const services = new Set<string>()
    for (const change of answer.changes) {
      if (change.kind !== 'namespace') services.add(change.service)
      this.listener?.changed(change)
    }
    for (const service of services) {
      this.recent.add(service)
      this.wake(service)
    }
    if (answer.changes.length > 0) {
      this.recent.add(ALL)
      this.wakeAll()
    }
    if (answer.more) this.cancelLook = this.clock.setTimer(0, () => this.look())
  }

  private wake(name: string): void {
    const waiters = this.waiting.get(name)
    if (waiters === undefined) return
    const index = this.index(name === ALL ? undefined : name)
    for (const waiter of [...waiters]) if (waiter.at !== index) waiter.wake(true)
  }

  private wakeAll(): void {
    if (!this.waiting.has(ALL)) return
    this.cancelAll ??= this.clock.setTimer(ALL_WINDOW_MS, () => {
      this.cancelAll = undefined
      this.wake(ALL)
    })
  }
}
