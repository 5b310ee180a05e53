/** When changes are told, and as what: windows, slow subscribers, resyncs. */
import { EMPTY_SIGN, type ViewName } from '@rollcall/wire'
import { describe, expect, it, vi } from 'vitest'
import { inside, kinds, ORDERS, setUp } from './publisher.fixture.js'
import type { Simulation } from '../simulated-node.fixture.js'
import { signOfView } from '../directory/view.js'
import type { Publisher } from './publisher.js'

describe('when changes are told', () => {
  it('at once while the view is quiet', () => {
    const { sim, publisher, join, publish } = setUp()
    const { updates } = join()
    sim.register()
    expect(publisher.pending).toBe(true)
    expect(publish()).toEqual([0])
    expect(kinds(updates)).toEqual(['view 0', 'delta +1 -0'])
    expect([publisher.pending, publisher.due()]).toEqual([false, Infinity])
  })

  it.each([
    ['a few subscribers', 100, 4],
    ['more', 1_000, 40],
    ['very many, at the ceiling', 10_000, 250],
  ])('together within a window that grows with the subscribers: %s', (_, subscribers, windowMs) => {
    const { sim, publisher, join, publish } = setUp()
    for (let n = 0; n < subscribers; n++) publisher.subscribe({ deliver() {} }, () => sim.now).watch([ORDERS])
    const { updates, subscription } = join()
    subscription.ack(1)
    sim.register({ id: 'a' })
    publish()
    sim.register({ id: 'b' })
    sim.register({ id: 'c' })
    expect(publish(1_000)[0]).toBeCloseTo(windowMs, 0)
    expect(kinds(updates)).toEqual(['view 0', 'delta +1 -0', 'delta +2 -0'])
  })

  it('within 100 ms where an instance left, died or drains', () => {
    const { sim, publisher, publish } = setUp()
    for (let n = 0; n < 5_000; n++) publisher.subscribe({ deliver() {} }, () => sim.now).watch([ORDERS])
    sim.register({ id: 'a', incarnation: 1 })
    publish()
    for (const leave of [
      () => sim.register({ id: 'a', incarnation: 1, rev: 2, intent: 'draining' }),
      () => sim.deregister('a', 1),
    ]) {
      sim.register({ id: 'b', weight: 2 })
      leave()
      expect(new Set(publish(1_000))).toEqual(new Set([100]))
      sim.register({ id: 'b', weight: 1 })
      expect(new Set(publish(0))).toEqual(new Set([0]))
    }
  })

  it('as one object for everybody who stands at the same sign', () => {
    const { sim, join, publish } = setUp()
    sim.register({ id: 'b' })
    const all = [join(), join(), join()]
    sim.register()
    publish()
    expect(new Set(all.map(({ updates }) => updates.at(-1))).size).toBe(1)
    expect(new Set(all.map(({ updates }) => updates[0])).size).toBe(1)
  })

  it('not at all where there and back came within one window', () => {
    const { sim, join, publish } = setUp()
    const { updates } = join()
    sim.register({ incarnation: 1 })
    sim.deregister('a', 1)
    publish(1_000)
    expect(kinds(updates)).toEqual(['view 0'])
  })

  it('of one group not to those who watch another', () => {
    const { sim, join, publish } = setUp()
    const blue = join({ ...ORDERS, group: 'blue' })
    const green = join({ ...ORDERS, group: 'green' })
    const whole = join()
    sim.register({ group: 'blue' })
    publish()
    expect([blue, green, whole].map(({ updates }) => updates.length)).toEqual([2, 1, 2])
  })
})

describe('joining', () => {
  it('builds one view for however many come at once, strangers with a lost sign included', () => {
    const { sim, publisher } = setUp()
    for (let n = 0; n < 10; n++) sim.register({ id: `i${n}` })
    const built = countBuilds(sim)
    let delivered = 0
    for (let n = 0; n < 100; n++) {
      const items = [n % 2 === 0 ? ORDERS : { ...ORDERS, sign: 'ffffffffffffffff' }]
      publisher.subscribe({ deliver: () => delivered++ }, () => sim.now).watch(items)
    }
    expect(delivered).toBe(100)
    expect(built()).toBe(1)
  })

  it('gives one delta to all who come back with the same sign, until there is something newer', () => {
    const { sim, join } = setUp()
    const left = signOfView(sim.node.directory, ORDERS)
    sim.register({ id: 'a' })
    const [first, second] = [join({ ...ORDERS, sign: left }), join({ ...ORDERS, sign: left })]
    expect(first.updates).toHaveLength(1)
    expect(second.updates[0]).toBe(first.updates[0])
    sim.register({ id: 'b' })
    const third = join({ ...ORDERS, sign: left })
    expect(kinds(third.updates)).toEqual(['delta +2 -0'])
    sim.now += 1_000
    expect(join({ ...ORDERS, sign: left }).updates[0]).not.toBe(third.updates[0])
  })

  it('counts a sign that no history explains, and no other', () => {
    const { sim, join } = setUp()
    sim.register()
    join()
    join({ ...ORDERS, sign: signOfView(sim.node.directory, ORDERS) })
    join({ ...ORDERS, sign: EMPTY_SIGN })
    expect(sim.counted.get('rollcall_sign_faults_total')).toBeUndefined()
    join({ ...ORDERS, sign: 'ffffffffffffffff' })
    expect(sim.counted.get('rollcall_sign_faults_total')).toBe(1)
  })

  it('delivers nothing to who is current', () => {
    const { sim, join } = setUp()
    sim.register()
    expect(join({ ...ORDERS, sign: signOfView(sim.node.directory, ORDERS) }).updates).toEqual([])
    expect(join({ ...ORDERS, service: 'nobody', sign: EMPTY_SIGN }).updates).toEqual([])
  })

  it('beyond the limit adds nothing', () => {
    const { join, sim, publish } = setUp({ watchesMax: 3 })
    const { updates, subscription } = join()
    const more = [1, 2, 3].map((n) => ({ ...ORDERS, service: `s${n}` }))
    expect(() => subscription.watch(more)).toThrow('as many watches')
    subscription.watch(more.slice(0, 2))
    sim.register({ service: 's3' })
    publish()
    expect(updates).toHaveLength(3)
    subscription.unwatch(more)
    subscription.watch(more.slice(1))
    expect(updates).toHaveLength(5)
  })

  it('twice is one watch', () => {
    const { join, sim, publish } = setUp({ watchesMax: 2 })
    const { updates, subscription } = join()
    subscription.watch([ORDERS])
    subscription.unwatch([ORDERS])
    sim.register()
    publish()
    expect(updates).toHaveLength(2)
    expect(() => subscription.watch([ORDERS, { ...ORDERS, group: 'g' }])).not.toThrow()
  })
})

describe('leaving', () => {
  it('leaves nothing behind', () => {
    const { sim, publisher, join, publish } = setUp()
    const consumers = [join(), join({ ...ORDERS, group: 'g' }), join({ ...ORDERS, service: 'nobody' })]
    sim.register()
    for (const { subscription } of consumers) {
      subscription.stalled()
      subscription.close()
      subscription.close()
    }
    expect(publisher.pending).toBe(false)
    expect(inside(publisher)).toEqual({ views: 0, watches: 0, waiting: 0 })
    publish()
    expect(consumers.map(({ updates }) => updates.length)).toEqual([1, 1, 1])
  })

  it('is for good: a closed subscription watches nothing any more', () => {
    const { sim, publisher, join, publish } = setUp()
    const { updates, subscription } = join()
    subscription.close()
    subscription.watch([ORDERS])
    subscription.drained()
    subscription.resync([ORDERS])
    sim.register()
    publish()
    expect(updates).toHaveLength(1)
    expect(inside(publisher)).toEqual({ views: 0, watches: 0, waiting: 0 })
  })

  it.each([
    ['stand where all do', false],
    ['came in the middle of a window', true],
  ])('in the middle of a publication spares who left, where both %s', (_, ahead) => {
    const { sim, publisher, join, publish } = setUp()
    join()
    if (ahead) sim.register({ id: 'before' })
    const reached: string[] = []
    const subscriptions = ['first', 'second'].map((name) =>
      publisher.subscribe(
        {
          deliver(update) {
            if (update.kind === 'view') return
            reached.push(name)
            for (const each of subscriptions) each.close()
          },
        },
        () => sim.now,
      ),
    )
    for (const each of subscriptions) each.watch([ORDERS])
    sim.register()
    publish()
    expect(reached).toEqual(['first'])
  })
})

describe('a slow subscriber', () => {
  it('gets nothing while stalled, then what it lacks of what changed, in one', () => {
    const { sim, join, publish } = setUp()
    const other: ViewName = { ...ORDERS, service: 'other' }
    const { updates, subscription } = join(ORDERS, other)
    subscription.stalled()
    for (let n = 0; n < 50; n++) {
      sim.register({ id: `i${n}` })
      publish(1_000)
    }
    expect(updates).toHaveLength(2)
    subscription.drained()
    expect(kinds(updates.slice(2))).toEqual(['delta +50 -0'])
    sim.register({ id: 'last' })
    publish()
    expect(kinds(updates.slice(3))).toEqual(['delta +1 -0'])
    expect(sim.counted.get('rollcall_slow_subscribers_total')).toBe(1)
  })

  it('that stalls again while it is given its views gets the rest later', () => {
    const { sim, publisher, publish } = setUp()
    const reached: string[] = []
    const subscription = publisher.subscribe(
      {
        deliver: (update) => {
          const { service } = update.kind === 'view' ? update.view : update.delta
          reached.push(service)
          subscription.stalled()
        },
      },
      () => sim.now,
    )
    const services = ['a', 'b', 'c']
    subscription.watch(services.map((service) => ({ ...ORDERS, service })))
    for (let n = 0; n < 2; n++) subscription.drained()
    expect(reached).toEqual(services)
    for (const service of services) sim.register({ service })
    publish()
    expect(reached).toHaveLength(3)
    for (let n = 0; n < 3; n++) subscription.drained()
    expect(reached).toEqual([...services, ...services])
  })

  it('keeps nothing of a view it no longer watches', () => {
    const { sim, join, publish } = setUp()
    const { updates, subscription } = join()
    subscription.stalled()
    sim.register()
    publish()
    subscription.unwatch([ORDERS])
    subscription.drained()
    expect(updates).toHaveLength(1)
  })
})

describe('a resync', () => {
  it('gives the view again, of watched items only', () => {
    const { sim, join, publish } = setUp()
    const { updates, subscription } = join()
    sim.register()
    publish()
    subscription.resync([ORDERS, { ...ORDERS, group: 'default' }])
    expect(kinds(updates.slice(2))).toEqual(['view 1'])
  })

  it('ages: a view is built again when its ages are more than a second old', () => {
    const { sim, join } = setUp()
    sim.register()
    const built = countBuilds(sim)
    join()
    sim.now += 900
    join()
    expect(built()).toBe(1)
    sim.now += 200
    const { updates } = join()
    expect(updates).toMatchObject([{ view: { instances: [{ stateAgeMs: 1_100 }] } }])
  })
})

/** Counts how often the whole list is gone through. */
function countBuilds(sim: Simulation): () => number {
  const entries = sim.node.directory.find('default', 'orders')?.entries
  if (entries === undefined) throw new Error('no such service')
  const values = vi.spyOn(entries, Symbol.iterator)
  return () => values.mock.calls.length
}

describe('what is settled', () => {
  const settled = (publisher: Publisher, names: readonly ViewName[], seq?: number): boolean => {
    const { subscribers, acknowledged } = publisher.audience(names, seq)
    return acknowledged === subscribers
  }
  const drain = (sim: Simulation): void =>
    void sim.register({ id: 'a', incarnation: 1, rev: 2, intent: 'draining' })

  it('is what every subscriber has acknowledged, once it was told', () => {
    const { sim, publisher, join, publish } = setUp()
    const [first, second] = [join(), join()]
    sim.register({ id: 'a', incarnation: 1 })
    publish(1_000)
    for (const { updates, subscription } of [first, second]) subscription.ack(updates.at(-1)?.seq ?? 0)
    expect(settled(publisher, [ORDERS])).toBe(true)
    drain(sim)
    expect(settled(publisher, [ORDERS])).toBe(false)
    publish(1_000)
    expect(settled(publisher, [ORDERS])).toBe(false)
    first.subscription.ack(first.updates.at(-1)?.seq ?? 0)
    expect(settled(publisher, [ORDERS])).toBe(false)
    second.subscription.ack(second.updates.at(-1)?.seq ?? 0)
    expect(settled(publisher, [ORDERS])).toBe(true)
  })

  it('does not wait for those who had nothing to learn, who left, or who watch something else', () => {
    const { sim, publisher, join, publish } = setUp()
    sim.register({ id: 'a', incarnation: 1 })
    sim.register({ id: 'x', service: 'other' })
    join({ namespace: 'default', service: 'other' })
    const current = join({ ...ORDERS, sign: signOfView(sim.node.directory, ORDERS) })
    expect(current.updates).toEqual([])
    expect(settled(publisher, [ORDERS])).toBe(true)
    const left = join()
    expect(settled(publisher, [ORDERS])).toBe(false)
    left.subscription.close()
    expect(settled(publisher, [ORDERS, { ...ORDERS, group: 'nobody' }])).toBe(true)
    drain(sim)
    publish(1_000)
    expect(settled(publisher, [ORDERS])).toBe(false)
  })

  it('waits for a slow subscriber until it has what it missed', () => {
    const { sim, publisher, join, publish } = setUp()
    const slow = join()
    slow.subscription.ack(slow.updates.at(-1)?.seq ?? 0)
    slow.subscription.stalled()
    sim.register({ id: 'a', incarnation: 1 })
    publish(1_000)
    slow.subscription.ack(1_000)
    expect(settled(publisher, [ORDERS])).toBe(false)
    slow.subscription.drained()
    expect(settled(publisher, [ORDERS])).toBe(false)
    slow.subscription.ack(slow.updates.at(-1)?.seq ?? 0)
    expect(settled(publisher, [ORDERS])).toBe(true)
  })

  it('is asked of several views together', () => {
    const { sim, publisher, join, publish } = setUp()
    join({ ...ORDERS, group: 'blue' })
    sim.register({ group: 'blue' })
    publish(1_000)
    expect(settled(publisher, [ORDERS])).toBe(true)
    expect(settled(publisher, [ORDERS, { ...ORDERS, group: 'blue' }])).toBe(false)
  })
})
