/**
 * Publishing: who watches which view, and when a change is told. Quiet views are told at once; under load
 * further changes merge within a window that grows with the cost of telling. Each publication is built once
 * and handed to every subscriber as the same object.
 */
import { defined, type PartsWanted, type ViewName } from '@rollcall/wire'
import { limitError } from '../budgets/limit.js'
import {
  type AudienceCount,
  type Consumer,
  countAudience,
  createSubscribedView,
  noteFarewell,
  viewKey,
  type Waiter,
  type SubscribedView,
} from './audience.js'
import { Deliveries } from './deliveries.js'
import { type PublisherOptions, WINDOW_MS_PER_SUBSCRIBER } from './options.js'
import { Pollers } from './pollers.js'
import type { Subscriber, Subscription, WatchCommand } from './subscription.js'
import { type Round, Tellings } from './tellings.js'
import { Updates, type UpdatesDeps } from './updates.js'
import { WatchBooks, type WatchBudgets } from './watch-books.js'
import { type Change, type Follower, isFarewell } from '../directory/change.js'
import type { StoredRecord } from '../records/record.js'
import { signOfView } from '../directory/view.js'

/** What a delivery counts for, in instances: it is a write to a socket. */
const DELIVERY_WORK = 10

/** Watches that are ended in one turn. */
const WATCHES_PER_TURN = 10_000

export interface PublisherDeps extends UpdatesDeps {
  readonly budgets: WatchBudgets
}

export class Publisher implements Follower {
  private readonly pollers = new Pollers()
  private readonly deps: PublisherDeps
  private readonly updates: Updates
  private readonly options: PublisherOptions
  private readonly views = new Map<string, SubscribedView>()
  private readonly dirty = new Set<SubscribedView>()
  /** Views whose subscribers are to be given them anew. */
  private readonly restating = new Set<SubscribedView>()
  /** Consumers that closed and still have watches. */
  private readonly leaving = new Set<Consumer>()
  /** What is being told at present. */
  private round: Round | undefined
  private readonly deliveries: Deliveries
  private readonly tellings: Tellings
  private readonly books: WatchBooks
  private waiting = 0

  constructor(deps: PublisherDeps, options: PublisherOptions) {
    this.deps = deps
    this.updates = new Updates(deps)
    this.deliveries = new Deliveries(deps.meter)
    this.tellings = new Tellings(deps.directory, this.updates, this.deliveries)
    this.options = options
    this.books = new WatchBooks(deps.budgets, options.watchesPerSubscriberMax, deps.meter)
  }

  /** Notes a change if subscribers see it, or have to hear of it. */
  changed(change: Change, now: number): void {
    if (isFarewell(change)) this.farewell(change.entry.record, now)
    if (!change.visible) return
    const { namespace, service, group } = change.entry.record
    const urgent =
      change.after === null ||
      change.after === 'down' ||
      change.after === 'suspect' ||
      change.after === 'draining'
    this.mark(this.views.get(`${namespace}/${service}`), urgent, now)
    this.mark(this.views.get(`${namespace}/${service}/${group}`), urgent, now)
  }

  /** An expired instance was deregistered: clients that keep it as a last resort must drop it. */
  private farewell({ namespace, service, group, id, incarnation }: StoredRecord, now: number): void {
    for (const key of [viewKey({ namespace, service }), viewKey({ namespace, service, group })]) {
      const watched = this.views.get(key)
      if (watched === undefined) continue
      noteFarewell(watched, { group, id, incarnation, reason: 'deregistered' })
      this.mark(watched, true, now)
    }
  }

  /** What views say beside their lists changed: each subscriber is given what it watches anew, as `flush` gets to it. */
  restate(): void {
    for (const watched of this.views.values()) {
      watched.full = undefined
      if (watched.subscribers.size > 0) this.restating.add(watched)
    }
  }

  /** Whether anything waits to be told or tidied. */
  get pending(): boolean {
    return this.round !== undefined || this.dirty.size + this.restating.size + this.leaving.size > 0
  }

  /** When the next publication is due: a time in the past = now, Infinity = nothing to tell. */
  due(): number {
    if (this.round !== undefined || this.restating.size + this.leaving.size > 0) return -Infinity
    let due = Infinity
    for (const watched of this.dirty) due = Math.min(due, this.dueAt(watched))
    return due
  }

  /** Tells what is due, as much as fits into one turn of the event loop: the rest is due at once. */
  flush(now: number): void {
    this.sweep()
    const end = this.work + this.options.workPerTurn
    this.proceed(end)
    for (const round of this.rounds(now)) {
      this.round = round
      this.proceed(end)
      if (this.work >= end) return
    }
  }

  /** What is to be told, oldest first. */
  private *rounds(now: number): Generator<Round> {
    if (this.round !== undefined) return
    for (const watched of this.restating) {
      this.restating.delete(watched)
      const tell = (consumer: Consumer): void => this.deliverFull(consumer, watched, now)
      yield { left: watched.subscribers.values(), tell, end: () => {} }
    }
    for (const watched of this.dirty) {
      if (this.dueAt(watched) > now) continue
      this.dirty.delete(watched)
      yield this.tellings.begin(watched, now)
    }
  }

  private proceed(end: number): void {
    const { round } = this
    if (round === undefined) return
    while (this.work < end) {
      const next = round.left.next()
      if (next.done === true) {
        this.round = undefined
        return round.end()
      }
      round.tell(next.value)
    }
  }

  private get work(): number {
    return this.updates.work + this.deliveries.count * DELIVERY_WORK
  }

  /** Ends watches of consumers that have closed, as many as fit into one turn. */
  private sweep(): void {
    let left = WATCHES_PER_TURN
    for (const consumer of this.leaving) {
      for (const key of consumer.watched.keys()) {
        if (left-- === 0) return
        this.unwatch(consumer, key)
      }
      this.leaving.delete(consumer)
    }
  }

  /** Calls `wake` once when the view's sign is no longer `sign`, for a peer; the returned function forgets the waiter. */
  wait(name: ViewName, sign: string, wake: () => void, peer?: string): () => void {
    if (this.waiting >= this.options.waitersMax) {
      throw limitError(this.deps.meter, {
        quota: 'waitersMax',
        max: this.options.waitersMax,
        over: 'node',
        message: 'the node holds as many waiting requests as it may',
      })
    }
    if (!this.views.has(viewKey(name))) this.books.demandView(peer)
    const watched = this.obtain(name, peer)
    const forget = (): void => {
      if (watched.waiters?.delete(waiter) !== true) return
      this.waiting--
      this.release(watched)
    }
    const waiter: Waiter = {
      sign,
      wake() {
        forget()
        wake()
      },
    }
    ;(watched.waiters ??= new Set()).add(waiter)
    this.waiting++
    return forget
  }

  /**
   * Who subscribes to these views, and how many of them have applied what had happened up to the publication `seq`;
   * without it, up to now. The answer names the number to ask with again: what happens later then does not count.
   */
  audience(names: readonly ViewName[], seq?: number): AudienceCount {
    const views = names.map((name) => this.views.get(viewKey(name))).filter((view) => view !== undefined)
    return countAudience(views, seq, this.updates.seq + 1)
  }

  /** A caller asked for the list of a service without subscribing, and said how often it does. */
  polled({ namespace, service }: ViewName, everyMs: number | undefined, now: number): void {
    this.pollers.noted(viewKey({ namespace, service }), everyMs, now)
  }

  /** How much longer than `ageMs` after a change it takes until every poller of the service has asked again. */
  pollersMs({ namespace, service }: ViewName, ageMs: number, now: number): number {
    return Math.round(this.pollers.waitMs(viewKey({ namespace, service }), ageMs, now))
  }

  /** Adds a consumer of publications at a peer. `clock` is asked whenever the consumer calls. */
  subscribe(subscriber: Subscriber, clock: () => number, peer?: string): Subscription {
    const consumer: Consumer = {
      subscriber,
      peer,
      watched: new Map(),
      stalled: false,
      closed: false,
      missed: new Map(),
      comparing: new Set(),
      delivered: 0,
      acked: 0,
    }
    return {
      watch: (items) => {
        return consumer.closed ? [] : this.watch(consumer, items, clock())
      },
      unwatch: (items) => {
        for (const item of items) this.unwatch(consumer, viewKey(item))
      },
      resync: (items) => {
        for (const item of items) {
          const watched = consumer.watched.get(viewKey(item))
          if (watched !== undefined) this.deliverFull(consumer, watched, clock())
        }
      },
      ack: (seq) => {
        consumer.acked = Math.max(consumer.acked, Math.min(seq, this.updates.seq))
      },
      stalled: () => {
        consumer.stalled = true
        this.deps.meter.count('rollcall_slow_subscribers_total')
      },
      drained: () => this.drained(consumer, clock()),
      close: () => {
        consumer.closed = true
        consumer.missed.clear()
        this.leaving.add(consumer)
        this.sweep()
      },
    }
  }

  private watch(consumer: Consumer, items: readonly WatchCommand[], now: number): readonly PartsWanted[] {
    const keys = items.map(viewKey).filter((key) => !consumer.watched.has(key))
    this.books.demand(consumer, keys.length, keys.filter((key) => !this.views.has(key)).length)
    const compare: PartsWanted[] = []
    for (const item of items) {
      const watched = this.obtain(item, consumer.peer)
      if (!consumer.watched.has(watched.key)) {
        watched.subscribers.add(consumer)
        consumer.watched.set(watched.key, watched)
        this.books.began(consumer)
      }
      const parts = this.bringUpToDate(consumer, watched, item, now)
      if (parts !== undefined) compare.push({ ...watched.name, parts })
    }
    return compare
  }

  private unwatch(consumer: Consumer, key: string): void {
    const watched = consumer.watched.get(key)
    if (watched === undefined) return
    consumer.watched.delete(key)
    consumer.missed.delete(watched)
    watched.subscribers.delete(consumer)
    watched.apart?.delete(consumer)
    consumer.comparing.delete(watched)
    this.books.ended(consumer)
    this.release(watched)
  }

  /** Gives a subscriber that shows a sign what it lacks; or returns by how many parts it is to compare its list first. */
  private bringUpToDate(
    consumer: Consumer,
    watched: SubscribedView,
    shown: Pick<WatchCommand, 'sign' | 'sums' | 'byParts'>,
    now: number,
  ): number | undefined {
    const { sign, sums, byParts } = shown
    consumer.comparing.delete(watched)
    if (sign === undefined) {
      this.deliverFull(consumer, watched, now)
      return undefined
    }
    const current = signOfView(this.deps.directory, watched.name)
    const update = sign === current ? undefined : this.updates.resumption(watched, sign, current, now, sums)
    if (sign !== current && update === undefined)
      return this.takeStranger(consumer, watched, byParts === true && sums === undefined, now)
    this.deliveries.noteSign(consumer, watched, current)
    if (update !== undefined) this.deliveries.deliver(consumer, watched, update)
    return undefined
  }

  /** The sign that a subscriber shows is not known: it compares its list, if that can be, or gets all of it. */
  private takeStranger(
    consumer: Consumer,
    watched: SubscribedView,
    mayCompare: boolean,
    now: number,
  ): number | undefined {
    this.deps.meter.count('rollcall_sign_faults_total')
    const parts = mayCompare ? this.updates.comparisons.wanted(watched.name) : undefined
    if (parts === undefined) {
      this.deliverFull(consumer, watched, now)
      return undefined
    }
    // What happens meanwhile is told as to all others: it may be in the answer once more.
    consumer.comparing.add(watched)
    this.deliveries.noteSign(consumer, watched, signOfView(this.deps.directory, watched.name))
    return parts
  }

  private drained(consumer: Consumer, now: number): void {
    consumer.stalled = false
    for (const [watched, sign] of consumer.missed) {
      if (consumer.stalled) return
      consumer.missed.delete(watched)
      this.bringUpToDate(consumer, watched, defined({ sign }), now)
    }
  }

  private deliverFull(consumer: Consumer, watched: SubscribedView, now: number): void {
    const sign = signOfView(this.deps.directory, watched.name)
    const [view, onwards] = this.updates.full(watched, sign, consumer.acked, now)
    this.deliveries.noteSign(consumer, watched, sign)
    this.deliveries.deliver(consumer, watched, view)
    if (onwards !== undefined) this.deliveries.deliver(consumer, watched, onwards)
  }

  private mark(watched: SubscribedView | undefined, urgent: boolean, now: number): void {
    if (watched === undefined) return
    if (watched.dirtyAt === undefined) {
      watched.dirtyAt = now
      this.dirty.add(watched)
    }
    watched.urgent ||= urgent
  }

  private dueAt(watched: SubscribedView): number {
    const ceiling = watched.urgent ? this.options.urgentWindowMsMax : this.options.windowMsMax
    return watched.toldAt + Math.min(ceiling, watched.subscribers.size * WINDOW_MS_PER_SUBSCRIBER)
  }

  private obtain(name: ViewName, payer: string | undefined): SubscribedView {
    const key = viewKey(name)
    let watched = this.views.get(key)
    if (watched === undefined) {
      watched = createSubscribedView(key, name, signOfView(this.deps.directory, name), payer)
      this.views.set(key, watched)
      this.books.opened(watched)
    }
    return watched
  }

  private release(watched: SubscribedView): void {
    if (watched.subscribers.size > 0 || (watched.waiters?.size ?? 0) > 0) return
    if (!this.views.delete(watched.key)) return
    this.books.closed(watched)
    this.dirty.delete(watched)
    this.restating.delete(watched)
  }
}
