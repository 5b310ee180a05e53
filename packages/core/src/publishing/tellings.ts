/**
 * Telling the subscribers of a view that it changed: one after the other, as many in a turn of the event loop as fit. Who
 * is not reached yet when the next change comes is told both in one; what others say and get meanwhile stays in order,
 * because each is told from the sign at which it stands.
 */
import type { Remove } from '@rollcall/wire'
import { type Consumer, noteTelling, type SubscribedView } from './audience.js'
import type { Deliveries } from './deliveries.js'
import type { Update } from './subscription.js'
import type { Updates } from './updates.js'
import type { Directory } from '../directory/directory.js'
import { signOfView } from '../directory/view.js'

/** Subscribers of a view that are handed something, one after the other. Who comes meanwhile has its turn as well. */
export interface Round {
  readonly left: Iterator<Consumer>
  tell(consumer: Consumer): void
  end(): void
}

export class Tellings {
  private readonly directory: Directory
  private readonly updates: Updates
  private readonly deliveries: Deliveries

  constructor(directory: Directory, updates: Updates, deliveries: Deliveries) {
    this.directory = directory
    this.updates = updates
    this.deliveries = deliveries
  }

  /** Wakes who waits for a change, and begins to tell who subscribes. */
  begin(watched: SubscribedView, now: number): Round {
    const to = signOfView(this.directory, watched.name)
    this.part(watched, to)
    watched.dirtyAt = undefined
    watched.urgent = false
    watched.telling = true
    watched.toldAt = now
    this.updates.changed(watched)
    for (const waiter of [...(watched.waiters ?? [])]) if (waiter.sign !== to) waiter.wake()
    const farewells = this.hidden(watched, watched.farewells?.values() ?? [])
    watched.farewells = undefined
    const updates = new Map<string, Update>()
    return {
      left: watched.subscribers.values(),
      tell: (consumer) => {
        this.tellChange(consumer, watched, updates, now)
        if (farewells.length > 0) this.tellFarewells(consumer, watched, farewells, updates, now)
      },
      end: () => {
        watched.telling = false
        noteTelling(watched)
      },
    }
  }

  /** From now on all who keep up are to be at `to`: each subscriber that is not is apart, until it is told. */
  private part(watched: SubscribedView, to: string): void {
    const from = watched.told
    const apart = new Map<Consumer, string>()
    for (const consumer of watched.subscribers) {
      const sign = watched.apart?.get(consumer) ?? from
      if (sign !== to) apart.set(consumer, sign)
    }
    watched.told = to
    watched.apart = apart.size === 0 ? undefined : apart
  }

  /** Hands over what leads on from where a subscriber stands, built once for all who stand there. */
  private tellChange(
    consumer: Consumer,
    watched: SubscribedView,
    updates: Map<string, Update>,
    now: number,
  ): void {
    const from = watched.apart?.get(consumer)
    if (from === undefined) return
    const update = updates.get(from) ?? this.toPresent(watched, from, updates, now)
    if (update !== undefined) this.handOver(consumer, watched, update)
  }

  /** What leads from a sign to the present, where it is not that of who came in the middle and is ahead. */
  private toPresent(
    watched: SubscribedView,
    from: string,
    updates: Map<string, Update>,
    now: number,
  ): Update | undefined {
    const current = signOfView(this.directory, watched.name)
    if (from === current) return undefined
    const update = this.updates.between(watched, from, current, now)
    updates.set(from, update)
    return update
  }

  private handOver(consumer: Consumer, watched: SubscribedView, update: Update): void {
    const to = update.kind === 'view' ? update.view.sign : update.delta.to
    this.deliveries.noteSign(consumer, watched, to)
    this.deliveries.deliver(consumer, watched, update)
  }

  /**
   * Told after the change, at the sign that it led to. To who is elsewhere at the present: of no other moment is it known
   * what was listed.
   */
  private tellFarewells(
    consumer: Consumer,
    watched: SubscribedView,
    farewells: readonly Remove[],
    updates: Map<string, Update>,
    now: number,
  ): void {
    const elsewhere = watched.apart?.get(consumer)
    if (elsewhere !== undefined) {
      const update = this.toPresent(watched, elsewhere, updates, now)
      if (update !== undefined) this.handOver(consumer, watched, update)
    }
    const sign = watched.apart?.get(consumer) ?? watched.told
    const key = `farewells at ${sign}`
    let update = updates.get(key)
    if (update === undefined) {
      const removes = elsewhere === undefined ? farewells : this.hidden(watched, farewells)
      if (removes.length === 0) return
      update = this.updates.removal(watched, sign, removes)
      updates.set(key, update)
    }
    this.deliveries.deliver(consumer, watched, update)
  }

  /** An id that is listed again meanwhile is nothing to be dropped. */
  private hidden({ name }: SubscribedView, removes: Iterable<Remove>): Remove[] {
    const service = this.directory.find(name.namespace, name.service)
    return [...removes].filter(
      ({ group, id }) => (service?.groups.get(group)?.entries.get(id)?.state ?? null) === null,
    )
  }
}
