/** What the publisher does in one turn of the event loop: a bounded part of what there is, however much that is. */
import { describe, expect, it } from 'vitest'
import type { ViewName } from '@rollcall/wire'
import { inside, ORDERS, setUp } from './publisher.fixture.js'

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
    const all = names(15_000)
    const { updates } = join(...all)
    updates.length = 0
    for (const { service } of all) sim.register({ service, id: 'a', incarnation: 1 })
    const turns: number[] = []
    while (publisher.pending) {
      publisher.flush(sim.now)
      turns.push(updates.length)
    }
    expect(turns).toEqual([10_000, 15_000])
    expect(updates.map((update) => (update.kind === 'delta' ? update.delta.service : ''))).toEqual(
      all.map(({ service }) => service),
    )
  })

  it('gives a bounded number of views anew, each once', () => {
    const { sim, publisher, join } = setUp(MANY)
    const { updates } = join(...names(25_000))
    updates.length = 0
    sim.node.fare({ stale: true, island: false })
    const turns: number[] = []
    while (publisher.pending) {
      publisher.flush(sim.now)
      turns.push(updates.length)
    }
    expect(turns).toEqual([20_000, 25_000])
    expect(updates.every((update) => update.kind === 'view' && update.view.stale)).toBe(true)
  })
})
