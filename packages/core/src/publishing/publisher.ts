/**
 * Publishing: who watches which view, and when a change is told. Quiet views are told at once; under load
 * further changes merge within a window that grows with the cost of telling. Each publication is built once
 * and handed to every subscriber as the same object.
 */
import { RegistryError, type ViewName } from '@rollcall/wire'
import {
  type AudienceCount,
  type Consumer,
  countAudience,
  createSubscribedView,
  noteFarewell,
  noteTelling,
  viewKey,
  type Waiter,
  type SubscribedView,
} from './audience.js'
import { type PublisherOptions, WINDOW_MS_PER_SUBSCRIBER } from './options.js'
import { Pollers } from './pollers.js'
import type { Subscriber, Subscription, Update, WatchCommand } from './subscription.js'
import type { Views } from './views.js'
import { type Change, type Follower, isFarewell } from '../directory/change.js'
import type { Directory } from '../directory/directory.js'
import type { Meter } from '../metrics.js'
import type { StoredRecord } from '../records/record.js'
import { deltaSince, signOfView } from '../directory/view.js'

/** A full view is built again after this long even if nothing changed, because it carries ages. */
const VIEW_AGE_MS_MAX = 1_000

/** Signs for which a delta is kept at hand; beyond that they are built anew. */
const RESUMED_MAX = 16

export interface PublisherDeps {
  readonly directory: Directory
  readonly views: Views
  readonly meter: Meter
}

export class Publisher implements Follower {
  private readonly pollers = new Pollers()
  private readonly deps: PublisherDeps
  private readonly options: PublisherOptions
  private readonly views = new Map<string, SubscribedView>()
  private readonly dirty = new Set<SubscribedView>()
  private seq = 0
  private watches = 0
  private waiting = 0

  constructor(deps: PublisherDeps, options: PublisherOptions) {
    this.deps = deps
    this.options = options
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

  /** What views say beside their lists changed: each subscriber is given what it watches anew. */
  restate(now: number): void {
    for (const watched of this.views.values()) {
      watched.full = undefined
      for (const consumer of watched.subscribers) this.deliverFull(consumer, watched, now)
    }
  }

  /** Whether anything waits to be told. */
  get pending(): boolean {
    return this.dirty.size > 0
  }

  /** When the next publication is due: a time in the past = now, Infinity = nothing to tell. */
  due(): number {
    let due = Infinity
    for (const watched of this.dirty) due = Math.min(due, this.dueAt(watched))
    return due
  }

  /** Tells everything that is due. */
  flush(now: number): void {
    for (const watched of this.dirty) {
      if (this.dueAt(watched) > now) continue
      this.dirty.delete(watched)
      this.tell(watched, now)
    }
  }

  /** Calls `wake` once when the view's sign is no longer `sign`; the returned function forgets the waiter. */
  wait(name: ViewName, sign: string, wake: () => void): () => void {
    if (this.waiting >= this.options.waitersMax) {
      throw new RegistryError('limit_exceeded', 'the node holds as many waiting requests as it may', {
        details: { waitersMax: this.options.waitersMax },
      })
    }
    const watched = this.obtain(name)
    const forget = (): void => {
      if (!watched.waiters.delete(waiter)) return
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
    watched.waiters.add(waiter)
    this.waiting++
    return forget
  }

  /**
   * Who subscribes to these views, and how many of them have applied what had happened up to the publication `seq`;
   * without it, up to now. The answer names the number to ask with again: what happens later then does not count.
   */
  audience(names: readonly ViewName[], seq?: number): AudienceCount {
    const views = names.map((name) => this.views.get(viewKey(name))).filter((view) => view !== undefined)
    return countAudience(views, seq, this.seq + 1)
  }

  /** A caller asked for the list of a service without subscribing, and said how often it does. */
  polled({ namespace, service }: ViewName, everyMs: number | undefined, now: number): void {
    this.pollers.noted(viewKey({ namespace, service }), everyMs, now)
  }

  /** How much longer than `ageMs` after a change it takes until every poller of the service has asked again. */
  pollersMs({ namespace, service }: ViewName, ageMs: number, now: number): number {
    return Math.round(this.pollers.waitMs(viewKey({ namespace, service }), ageMs, now))
  }

  /** Adds a consumer of publications. `clock` is asked whenever the consumer calls. */
  subscribe(subscriber: Subscriber, clock: () => number): Subscription {
    const consumer: Consumer = {
      subscriber,
      watched: new Map(),
      stalled: false,
      closed: false,
      missed: new Set(),
      delivered: 0,
      acked: 0,
    }
    return {
      watch: (items) => {
        if (!consumer.closed) this.watch(consumer, items, clock())
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
        consumer.acked = Math.max(consumer.acked, Math.min(seq, this.seq))
      },
      stalled: () => {
        consumer.stalled = true
        this.deps.meter.count('rollcall_slow_subscribers_total')
      },
      drained: () => this.drained(consumer, clock()),
      close: () => {
        consumer.closed = true
        for (const key of [...consumer.watched.keys()]) this.unwatch(consumer, key)
        consumer.missed.clear()
      },
    }
  }

  private watch(consumer: Consumer, items: readonly WatchCommand[], now: number): void {
    const { watchesMax } = this.options
    if (this.watches + items.length > watchesMax) {
      throw new RegistryError('limit_exceeded', 'the node holds as many watches as it may', {
        details: { watchesMax },
      })
    }
    for (const item of items) {
      const watched = this.obtain(item)
      if (!consumer.watched.has(watched.key)) {
        watched.subscribers.add(consumer)
        consumer.watched.set(watched.key, watched)
        this.watches++
      }
      this.bringUpToDate(consumer, watched, item.sign, now)
    }
    this.deps.meter.set('rollcall_watches', this.watches)
  }

  private unwatch(consumer: Consumer, key: string): void {
    const watched = consumer.watched.get(key)
    if (watched === undefined) return
    consumer.watched.delete(key)
    consumer.missed.delete(watched)
    watched.subscribers.delete(consumer)
    watched.ahead.delete(consumer)
    this.watches--
    this.deps.meter.set('rollcall_watches', this.watches)
    this.release(watched)
  }

  /** Gives a subscriber that shows a sign what it lacks. */
  private bringUpToDate(
    consumer: Consumer,
    watched: SubscribedView,
    sign: string | undefined,
    now: number,
  ): void {
    if (sign === undefined) return this.deliverFull(consumer, watched, now)
    const { directory, meter } = this.deps
    const current = signOfView(directory, watched.name)
    if (sign === current) return this.noteSign(consumer, watched, current)
    const update = this.resume(watched, sign, current, now)
    if (update === undefined) {
      meter.count('rollcall_sign_faults_total')
      return this.deliverFull(consumer, watched, now)
    }
    this.noteSign(consumer, watched, current)
    this.deliver(consumer, watched, update)
  }

  /** The delta from a sign to the present. Many come back with one sign: it is built and encoded once for them. */
  private resume(watched: SubscribedView, sign: string, current: string, now: number): Update | undefined {
    const { resumed } = watched
    const old = resumed.to !== current || now - resumed.at >= VIEW_AGE_MS_MAX
    if (old || resumed.updates.size >= RESUMED_MAX) {
      resumed.updates.clear()
      resumed.to = current
      resumed.at = now
    }
    let update = resumed.updates.get(sign)
    if (update === undefined) {
      const delta = deltaSince(this.deps.directory, watched.name, sign, current, now)
      if (delta === undefined) return undefined
      update = { kind: 'delta', seq: ++this.seq, delta }
      resumed.updates.set(sign, update)
    }
    return update
  }

  /** Remembers who is ahead of what the others were told: the next publication does not fit them. */
  private noteSign(consumer: Consumer, watched: SubscribedView, sign: string): void {
    if (sign === watched.told) watched.ahead.delete(consumer)
    else watched.ahead.set(consumer, sign)
  }

  private drained(consumer: Consumer, now: number): void {
    consumer.stalled = false
    for (const watched of consumer.missed) {
      if (consumer.stalled) return
      consumer.missed.delete(watched)
      this.deliverFull(consumer, watched, now)
    }
  }

  private deliverFull(consumer: Consumer, watched: SubscribedView, now: number): void {
    const { directory } = this.deps
    const sign = signOfView(directory, watched.name)
    const { full } = watched
    const fits = full !== undefined && full.sign === sign && now - full.at < VIEW_AGE_MS_MAX
    // A number that was acknowledged already would count as applied before it arrives.
    let update = fits && full.update.seq > consumer.acked ? full.update : undefined
    if (update === undefined) {
      update = { kind: 'view', seq: ++this.seq, view: this.deps.views.full(watched.name, now) }
      watched.full = { sign, at: now, update }
      this.deps.meter.count('rollcall_publications_total', 1, 'view')
    }
    this.noteSign(consumer, watched, sign)
    this.deliver(consumer, watched, update)
  }

  private deliver(consumer: Consumer, watched: SubscribedView, update: Update): void {
    if (consumer.closed) return
    if (consumer.stalled) {
      consumer.missed.add(watched)
      return
    }
    consumer.delivered = Math.max(consumer.delivered, update.seq)
    watched.seq = Math.max(watched.seq, update.seq)
    consumer.subscriber.deliver(update)
    this.deps.meter.count('rollcall_deliveries_total')
  }

  private tell(watched: SubscribedView, now: number): void {
    const from = watched.told
    const to = signOfView(this.deps.directory, watched.name)
    const ahead = [...watched.ahead]
    watched.ahead.clear()
    watched.dirtyAt = undefined
    watched.urgent = false
    watched.told = to
    watched.toldAt = now
    watched.full = undefined
    watched.resumed.updates.clear()
    for (const waiter of [...watched.waiters]) if (waiter.sign !== to) waiter.wake()
    const updates = new Map<string, Update>()
    for (const [consumer, sign] of ahead) this.tellOne(consumer, watched, sign, to, updates, now)
    // Where they are the same it went there and back again within one window.
    if (from !== to) {
      const skip = new Set(ahead.map(([consumer]) => consumer))
      for (const consumer of watched.subscribers) {
        if (!skip.has(consumer)) this.tellOne(consumer, watched, from, to, updates, now)
      }
    }
    this.tellFarewells(watched, to)
    noteTelling(watched)
  }

  /** Told last, when all subscribers stand at `to`. An id that is listed again meanwhile is nothing to be dropped. */
  private tellFarewells(watched: SubscribedView, to: string): void {
    if (watched.farewells.size === 0) return
    const service = this.deps.directory.find(watched.name.namespace, watched.name.service)
    const removes = [...watched.farewells.values()].filter(
      ({ group, id }) => (service?.groups.get(group)?.entries.get(id)?.state ?? null) === null,
    )
    watched.farewells.clear()
    if (removes.length === 0) return
    const delta = { ...watched.name, from: to, to, upserts: [], removes }
    const update: Update = { kind: 'delta', seq: ++this.seq, delta }
    this.deps.meter.count('rollcall_publications_total', 1, 'delta')
    for (const consumer of watched.subscribers) this.deliver(consumer, watched, update)
  }

  /** Hands over the publication that leads from `from` to `to`, built once for all who stand at `from`. */
  private tellOne(
    consumer: Consumer,
    watched: SubscribedView,
    from: string,
    to: string,
    updates: Map<string, Update>,
    now: number,
  ): void {
    if (from === to) return
    let update = updates.get(from)
    if (update === undefined) {
      const { directory, meter } = this.deps
      const delta = deltaSince(directory, watched.name, from, to, now)
      update =
        delta === undefined
          ? { kind: 'view', seq: ++this.seq, view: this.deps.views.full(watched.name, now) }
          : { kind: 'delta', seq: ++this.seq, delta }
      updates.set(from, update)
      meter.count('rollcall_publications_total', 1, update.kind)
    }
    this.deliver(consumer, watched, update)
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

  private obtain(name: ViewName): SubscribedView {
    const key = viewKey(name)
    let watched = this.views.get(key)
    if (watched === undefined) {
      watched = createSubscribedView(key, name, signOfView(this.deps.directory, name))
      this.views.set(key, watched)
    }
    return watched
  }

  private release(watched: SubscribedView): void {
    if (watched.subscribers.size > 0 || watched.waiters.size > 0) return
    this.views.delete(watched.key)
    this.dirty.delete(watched)
  }
}
