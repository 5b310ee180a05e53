/** What the subscribers of a service have acknowledged. */
import { describe, expect, it } from 'vitest'
import type { Simulation } from '../simulated-node.fixture.js'
import { type Consumer, ORDERS, setUp } from './publisher.fixture.js'

function ackAll({ updates, subscription }: Consumer): void {
  subscription.ack(updates.at(-1)?.seq ?? 0)
}

/** Something that every subscriber is told of. */
function change(sim: Simulation, rev: number): void {
  sim.register({ id: 'busy', incarnation: 1, rev, weight: rev })
}

describe('the audience of a service', () => {
  it('has acknowledged nothing before it was told', () => {
    const { sim, publisher, join, publish } = setUp()
    const consumers = [join(), join()]
    consumers.forEach(ackAll)
    change(sim, 1)
    const { seq, ...count } = publisher.audience([ORDERS])
    expect(count).toEqual({ subscribers: 2, acknowledged: 0 })
    publish(1_000)
    expect(publisher.audience([ORDERS], seq).acknowledged).toBe(0)
    for (const [index, consumer] of consumers.entries()) {
      ackAll(consumer)
      expect(publisher.audience([ORDERS], seq)).toEqual({ subscribers: 2, acknowledged: index + 1, seq })
    }
  })

  it('has acknowledged a change however much has happened since', () => {
    const { sim, publisher, join, publish } = setUp()
    const slow = join()
    change(sim, 1)
    const { seq } = publisher.audience([ORDERS])
    publish(1_000)
    const first = slow.updates.at(-1)?.seq ?? 0
    for (let rev = 2; rev < 10; rev++) {
      change(sim, rev)
      publish(1_000)
    }
    change(sim, 10)
    expect(publisher.audience([ORDERS], seq).acknowledged).toBe(0)
    slow.subscription.ack(first - 1)
    expect(publisher.audience([ORDERS], seq).acknowledged).toBe(0)
    slow.subscription.ack(first)
    expect(publisher.audience([ORDERS], seq).acknowledged).toBe(1)
    expect(publisher.audience([ORDERS]).acknowledged).toBe(0)
  })

  it('is asked about the oldest telling that is remembered where the one it asks for is not', () => {
    const { sim, publisher, join, publish } = setUp()
    const slow = join()
    change(sim, 1)
    const { seq } = publisher.audience([ORDERS])
    publish(1_000)
    const first = slow.updates.at(-1)?.seq ?? 0
    for (let rev = 2; rev < 40; rev++) {
      change(sim, rev)
      publish(1_000)
    }
    slow.subscription.ack(first)
    expect(publisher.audience([ORDERS], seq).acknowledged).toBe(0)
    ackAll(slow)
    expect(publisher.audience([ORDERS], seq).acknowledged).toBe(1)
  })

  it('counts each subscriber once, and only if it is up to date in all of its views', () => {
    const { sim, publisher, join, publish } = setUp()
    const blue = { ...ORDERS, group: 'blue' }
    const both = join(ORDERS, blue)
    ackAll(both)
    sim.register({ group: 'blue', incarnation: 1 })
    const { seq } = publisher.audience([ORDERS, blue])
    publish(1_000)
    both.subscription.ack(Math.min(...both.updates.slice(-2).map((update) => update.seq)))
    expect(publisher.audience([ORDERS, blue], seq)).toEqual({ subscribers: 1, acknowledged: 0, seq })
    ackAll(both)
    expect(publisher.audience([ORDERS, blue], seq)).toMatchObject({ acknowledged: 1 })
  })

  it('does not take an old number for an acknowledgement of what is still on its way', () => {
    const { sim, publisher, join } = setUp()
    change(sim, 1)
    join()
    const other = join({ namespace: 'default', service: 'other' })
    ackAll(other)
    other.subscription.watch([ORDERS])
    expect(other.updates.at(-1)).toMatchObject({ kind: 'view', view: { service: 'orders' } })
    expect(publisher.audience([ORDERS]).acknowledged).toBe(0)
    ackAll(other)
    expect(publisher.audience([ORDERS]).acknowledged).toBe(1)
  })

  it('waits for a slow subscriber, whatever it acknowledges, until it has what was withheld', () => {
    const { sim, publisher, join, publish } = setUp()
    const slow = join()
    ackAll(slow)
    slow.subscription.stalled()
    change(sim, 1)
    const { seq } = publisher.audience([ORDERS])
    publish(1_000)
    slow.subscription.ack(1_000)
    expect(publisher.audience([ORDERS], seq).acknowledged).toBe(0)
    slow.subscription.drained()
    ackAll(slow)
    expect(publisher.audience([ORDERS], seq).acknowledged).toBe(1)
  })

  it('has no part in what nobody watches', () => {
    const { sim, publisher } = setUp()
    change(sim, 1)
    expect(publisher.audience([ORDERS])).toEqual({ subscribers: 0, acknowledged: 0, seq: 0 })
  })
})
