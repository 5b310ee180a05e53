/** What the publisher does in one turn of the event loop: a bounded part of what there is, however much that is. */
import { describe, expect, it, vi } from 'vitest'
import type { ViewName } from '@rollcall/wire'
import { inside, kinds, ORDERS, setUp } from './publisher.fixture.js'
import { Mirror } from '../directory/mirror.fixture.js'

function names(count: number): ViewName[] {
  return Array.from({ length: count }, (_, index) => ({ namespace: 'default', service: `s${index}` }))
}

/** More watches than one subscriber may have by default. */
const MANY = { publisher: { watchesPerSubscriberMax: 100_000 } }

describe('in one turn', () => {
  it('ends a bounded number of the watches of a subscriber that left, who counts no more at once', () => {
    const { sim, publisher, join } = setUp(MANY)
    const { subscription, updates } = join(...names(25_000), ORDERS)
    updates.length = 0
    subscription.close()
    const turns = [inside(publisher).watches]
    while (publisher.pending) {
      expect(publisher.due()).toBeLessThanOrEqual(sim.now)
      publisher.flush(sim.now)
      turns.push(inside(publisher).watches)
    }
    expect(turns).toEqual([15_001, 5_001, 0])
    expect(inside(publisher)).toEqual({ views: 0, watches: 0, waiting: 0 })

    const again = join(ORDERS, ...names(25_000))
    again.updates.length = 0
    again.subscription.close()
    sim.register()
    expect(publisher.audience([ORDERS]).subscribers).toBe(0)
    publisher.flush(sim.now)
    expect(again.updates).toEqual([])
  })

  it('tells a bounded part of what is due, the oldest first, and the rest in the next ones', () => {
    const { sim, publisher, join } = setUp(MANY)
    const all = names(3_000)
    const { updates } = join(...all)
    updates.length = 0
    for (const { service } of all) sim.register({ service, id: 'a', incarnation: 1 })
    const turns: number[] = []
    while (publisher.pending) {
      publisher.flush(sim.now)
      turns.push(updates.length)
    }
    // A delivery counts for ten instances.
    expect(turns).toEqual([1_819, 3_000])
    expect(updates.map((update) => (update.kind === 'delta' ? update.delta.service : ''))).toEqual(
      all.map(({ service }) => service),
    )
  })

  it('gives a bounded number of views anew, each once', () => {
    const { sim, publisher, join } = setUp(MANY)
    const { updates } = join(...names(5_000))
    updates.length = 0
    sim.node.fare({ stale: true, island: false }, sim.now)
    const turns: number[] = []
    while (publisher.pending) {
      publisher.flush(sim.now)
      turns.push(updates.length)
    }
    expect(turns).toEqual([2_000, 4_000, 5_000])
    expect(updates.every((update) => update.kind === 'view' && update.view.stale)).toBe(true)
  })

  it('tells a bounded number of the subscribers of one view, each in its order, whatever comes in between', () => {
    const { sim, publisher, join } = setUp()
    const mirrors = Array.from({ length: 5_000 }, () => new Mirror(ORDERS))
    const subscriptions = mirrors.map((mirror) => {
      const subscription = publisher.subscribe({ deliver: (update) => mirror.apply(update) }, () => sim.now)
      subscription.watch([ORDERS])
      return subscription
    })
    const reached = (id: string): number => mirrors.filter(({ list }) => list.has(`default/${id}`)).length
    sim.register({ id: 'a' })
    publisher.flush(sim.now)
    expect(reached('a')).toBe(2_000)
    expect(publisher.audience([ORDERS])).toMatchObject({ subscribers: 5_000, acknowledged: 0 })

    // In the middle: a change, a newcomer, one that takes the list anew, one that stalls and one that leaves.
    sim.register({ id: 'b' })
    const newcomer = join(ORDERS)
    subscriptions[4_000]?.resync([ORDERS])
    subscriptions[4_001]?.stalled()
    subscriptions[4_002]?.close()
    expect(kinds(mirrors[4_000]?.received ?? [])).toEqual(['view 0', 'view 2'])
    const turns: number[] = []
    while (publisher.pending) {
      sim.now = Math.max(sim.now, publisher.due())
      publisher.flush(sim.now)
      turns.push(reached('b'))
    }
    subscriptions[4_001]?.drained()
    expect(turns.length).toBeGreaterThan(3)
    // Of those that were not reached before the second change, none was told it twice.
    expect(kinds(mirrors[0]?.received ?? [])).toEqual(['view 0', 'delta +1 -0', 'delta +1 -0'])
    expect(kinds(mirrors[4_000]?.received ?? [])).toEqual(['view 0', 'view 2'])
    expect(kinds(newcomer.updates)).toEqual(['view 2'])
    expect(reached('b')).toBe(4_999)
    for (const [place, subscription] of subscriptions.entries())
      subscription.ack(mirrors[place]?.received.at(-1)?.seq ?? 0)
    newcomer.subscription.ack(newcomer.updates.at(-1)?.seq ?? 0)
    expect(publisher.audience([ORDERS])).toMatchObject({ subscribers: 5_000, acknowledged: 5_000 })
  })
})

describe('a long list', () => {
  /** A service of 2,500 instances, and what was captured of it since. */
  function long() {
    const stage = setUp()
    for (let n = 0; n < 2_500; n++) stage.sim.register({ id: `i${n}`, incarnation: 1 })
    const captures = vi.spyOn(stage.sim.node.views, 'capture')
    return { ...stage, captured: () => captures.mock.calls.length }
  }

  it('is built once a second for all who come, however busy it is: each gets what changed since after it', () => {
    const { sim, join, publish, captured } = long()
    const mirrors: Mirror[] = []
    for (let n = 0; n < 20; n++) {
      sim.register({ id: 'busy', incarnation: 1, rev: n + 1, weight: n })
      if (n % 3 === 0) publish()
      const mirror = new Mirror(ORDERS)
      mirrors.push(mirror)
      for (const update of join(ORDERS).updates) mirror.apply(update)
      expect(mirror.sign).toBe(sim.read.sign(ORDERS))
    }
    expect(captured()).toBe(1)
    expect(kinds(mirrors[19]?.received ?? [])).toEqual(['view 2501', 'delta +1 -0'])
    sim.now += 1_000
    join(ORDERS)
    expect(captured()).toBe(2)
  })

  it('is not sent again to a slow reader while history leads from what it has to the present', () => {
    const { sim, join, publish } = long()
    const { updates, subscription } = join(ORDERS)
    for (let n = 0; n < 5; n++) {
      subscription.stalled()
      for (const times of [1, 2]) {
        sim.register({ id: 'busy', incarnation: 1, rev: 2 * n + times, weight: 2 * n + times })
        publish(1_000)
      }
      subscription.drained()
    }
    expect(kinds(updates)).toEqual(['view 2500', ...Array.from({ length: 5 }, () => 'delta +1 -0')])
    const mirror = new Mirror(ORDERS)
    for (const update of updates) mirror.apply(update)
    expect(mirror.sign).toBe(sim.read.sign(ORDERS))

    // Asked for, it is sent whole, and so it is where history was lost.
    subscription.stalled()
    subscription.resync([ORDERS])
    subscription.drained()
    expect(kinds(updates.slice(6))).toEqual(['view 2501'])
  })
})
