/**
 * Requests that wait for another list of services. The feed names what changed: only the lists that could hold one of
 * those services are looked at, and in one turn of the loop no more than a bounded part of them.
 */
import {
  type Clock,
  type Feed,
  limitError,
  type Meter,
  type Services,
  type ServicesPage,
  type ServicesQuery,
} from '@rollcall/core'
import { ChangedServices } from './changed-services.js'

/** Changes of the list of services are collected for this long before a request is woken. */
const WINDOW_MS = 100

/** Changes that are looked at by name; beyond that every list is looked at. */
const CHANGES_MAX = 10_000

/** Rows of lists that are looked at in one turn, some milliseconds; a list counts at least one. */
const ROWS_PER_TURN = 5_000

export interface ServicesWaitersDeps {
  readonly clock: Clock
  readonly meter: Meter
  readonly feed: Pick<Feed, 'index' | 'open' | 'since'>
  readonly services: Pick<Services, 'page'>
}

interface Waiter {
  readonly sign: string
  readonly wake: () => void
}

/** All that ask the same. */
interface Audience {
  readonly query: ServicesQuery
  readonly waiters: Set<Waiter>
  page: ServicesPage
  /** Holds a request that waits with another sign than that of the page. */
  mixed: boolean
}

export class ServicesWaiters {
  private readonly deps: ServicesWaitersDeps
  private readonly waitersMax: number
  private readonly audiences = new Map<string, Audience>()
  private waiting = 0
  /** Changes up to this index were looked at, or are about to be. */
  private seen = 0
  private pass: { readonly changes: ChangedServices; readonly left: Audience[] } | undefined
  private cancelTimer: (() => void) | undefined

  constructor(deps: ServicesWaitersDeps, { waitersMax }: { readonly waitersMax: number }) {
    this.deps = deps
    this.waitersMax = waitersMax
  }

  /**
   * Calls `wake` when the answer to the query is no longer `page`, the present one; the returned function forgets the
   * request. Throws `limit_exceeded` when there are too many.
   */
  add(query: ServicesQuery, page: ServicesPage, wake: () => void): () => void {
    const { waitersMax } = this
    if (this.waiting >= waitersMax) {
      const message = 'the node holds as many waiting requests as it may'
      throw limitError(this.deps.meter, { quota: 'waitersMax', max: waitersMax, over: 'node', message })
    }
    if (this.waiting === 0 && this.pass === undefined) {
      this.deps.feed.open()
      this.seen = this.deps.feed.index
    }
    const key = JSON.stringify([query.namespace, query.prefix, query.after, query.limit])
    const audience = this.audiences.get(key) ?? { query, waiters: new Set(), page, mixed: false }
    this.audiences.set(key, audience)
    audience.mixed ||= audience.page.sign !== page.sign
    audience.page = page
    const waiter = { sign: page.sign, wake }
    audience.waiters.add(waiter)
    this.waiting++
    return () => {
      if (!audience.waiters.delete(waiter)) return
      this.waiting--
      if (audience.waiters.size === 0) this.audiences.delete(key)
    }
  }

  /** Something may have changed: looks soon, if a request waits. */
  changed(): void {
    if (this.pass === undefined && (this.waiting === 0 || this.deps.feed.index === this.seen)) return
    this.cancelTimer ??= this.deps.clock.setTimer(this.pass === undefined ? WINDOW_MS : 0, () => {
      this.cancelTimer = undefined
      this.look()
      this.changed()
    })
  }

  /** Looks no more. Requests that still wait are not woken. */
  close(): void {
    this.cancelTimer?.()
    this.cancelTimer = undefined
  }

  private look(): void {
    const { feed } = this.deps
    if (this.pass === undefined) {
      const changes = new ChangedServices(feed.since(undefined, this.seen, CHANGES_MAX))
      this.pass = { changes, left: [...this.audiences.values()] }
      this.seen = feed.index
    }
    const { changes, left } = this.pass
    for (let rows = 0; rows < ROWS_PER_TURN; rows++) {
      const audience = left.pop()
      if (audience === undefined) {
        this.pass = undefined
        return
      }
      rows += changes.costOf(audience.query) + this.lookAt(audience, changes)
    }
  }

  /** Wakes the requests whose list is another by now; gives the rows that were looked at. */
  private lookAt(audience: Audience, changes: ChangedServices): number {
    const { services } = this.deps
    if (audience.waiters.size === 0) return 0
    if (!audience.mixed && !changes.touch(audience.query, audience.page, services)) return 0
    const page = services.page(audience.query)
    audience.page = page
    audience.mixed = false
    for (const { sign, wake } of [...audience.waiters]) if (sign !== page.sign) wake()
    return page.nodes.length
  }
}
