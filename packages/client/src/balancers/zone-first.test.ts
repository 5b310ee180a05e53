/** The own zone first. */
import type { Instance } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instance } from '../clusters/stage.fixture.js'
import { counts, seeded } from './picks.fixture.js'
import { createRoundRobin } from './round-robin.js'
import { createZoneFirst, sharesOf } from './zone-first.js'

function zone(name: string, n: number, weight = 100): Instance[] {
  return Array.from({ length: n }, (_, index) => instance(`${name}${index}`, { zone: name, weight }))
}

function stage(list: readonly Instance[], own = 'a') {
  let now = 0
  const balancer = createZoneFirst(
    ({ random }) => createRoundRobin(random),
    { random: seeded(7), now: () => now },
    own,
  )
  balancer.update(list)
  return {
    balancer,
    /** Calls each taking what is said of its zone; gives the share of the own zone in the second half. */
    run(
      calls: number,
      latencyMs: (zone: string) => number,
      fails: (zone: string) => boolean = () => false,
    ): number {
      let kept = 0
      for (let call = 0; call < calls; call += 1) {
        const called = balancer.pick()!
        const outcome = fails(called.zone!) ? 'failure' : 'success'
        if (called.zone === own && call >= calls / 2) kept += 1
        balancer.ended?.(called, { outcome, latencyMs: latencyMs(called.zone!), wasBegun: false })
        now += 20
      }
      return kept / (calls / 2)
    },
    kept: (picks = 4_000) =>
      [...counts(() => balancer.pick(), picks)].reduce(
        (sum, [id, n]) => sum + (id.startsWith(own) ? n : 0),
        0,
      ) / picks,
  }
}

describe('shares of zones', () => {
  const capacities = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 6 })

  it('add up, and load every zone by its capacity when all callers do the same', () => {
    fc.assert(
      fc.property(capacities, (given) => {
        fc.pre(given.some((capacity) => capacity > 0))
        const total = given.reduce((sum, capacity) => sum + capacity, 0)
        const load = given.map(() => 0)
        given.forEach((_, caller) => {
          // Each zone's callers see their own zone first.
          const order = [caller, ...given.keys()].filter((zoneIndex, at) => at === 0 || zoneIndex !== caller)
          const shares = sharesOf(order.map((zoneIndex) => given[zoneIndex]!))
          expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9)
          order.forEach((zoneIndex, at) => (load[zoneIndex]! += shares[at]! / given.length))
        })
        given.forEach((capacity, index) => expect(load[index]).toBeCloseTo(capacity / total, 9))
      }),
    )
  })

  it('keep at home what fits', () => {
    expect(sharesOf([100, 100, 100])).toEqual([1, 0, 0])
    expect(sharesOf([300, 100, 100])).toEqual([1, 0, 0])
    expect(sharesOf([50, 100, 150])[0]).toBeCloseTo(0.5)
    expect(sharesOf([0, 0])).toEqual([0.5, 0.5])
  })
})

describe('zone first', () => {
  it('stays in its zone while that carries its callers', () => {
    expect(stage([...zone('a', 3), ...zone('b', 3), ...zone('c', 3)]).kept()).toBe(1)
  })

  it('spills from a small zone in proportion, and counts weights rather than heads', () => {
    const small = stage([...zone('a', 1), ...zone('b', 4), ...zone('c', 7)])
    expect(small.kept()).toBeCloseTo(0.25, 1)
    const found = counts(() => small.balancer.pick(), 11_000)
    // b carries its own callers and has nothing left.
    expect([...found.keys()].filter((id) => id.startsWith('b'))).toEqual([])
    expect(stage([...zone('a', 1, 300), ...zone('b', 3)]).kept()).toBe(1)
  })

  it('goes elsewhere where its zone has none, and gives nothing where there is none', () => {
    const { balancer, kept } = stage(zone('b', 2))
    expect(kept(100)).toBe(0)
    expect(counts(() => balancer.pick(), 100).size).toBe(2)
    balancer.update([])
    expect(balancer.pick()).toBeUndefined()
    balancer.update([instance('x')])
    expect(balancer.pick()?.id).toBe('x')
  })

  it('spills what a zone fails to answer, and comes back', () => {
    const both = stage([...zone('a', 3), ...zone('b', 3)])
    expect(both.run(500, () => 5)).toBe(1)
    const kept = both.run(
      1_000,
      () => 5,
      (name) => name === 'a',
    )
    expect(kept).toBeLessThan(0.5)
    expect(kept).toBeGreaterThan(0.05)
    expect(both.run(6_000, () => 5)).toBeGreaterThan(0.95)
  })

  it('spills from a zone that became slow while others are fast, and comes back', () => {
    const both = stage([...zone('a', 3), ...zone('b', 3)])
    both.run(500, () => 5)
    const kept = both.run(4_000, (name) => (name === 'a' ? 100 : 8))
    expect(kept).toBeLessThan(0.5)
    expect(kept).toBeGreaterThan(0.1)
    expect(both.run(6_000, () => 5)).toBeGreaterThan(0.95)
  })

  it('does not mind another zone being farther away', () => {
    const small = stage([...zone('a', 1), ...zone('b', 9)])
    expect(small.run(2_000, (name) => (name === 'a' ? 1 : 50))).toBeCloseTo(0.2, 1)
  })

  it('keeps a key in its zone', () => {
    const { balancer } = stage([...zone('a', 1), ...zone('b', 9)])
    const zones = (): (string | undefined)[] =>
      Array.from({ length: 200 }, (_, index) => balancer.pick(`key-${index}`)?.zone)
    const first = zones()
    expect(zones()).toEqual(first)
    expect(first.filter((name) => name === 'a').length / 200).toBeCloseTo(0.2, 0)
  })

  it('says to the balancer of each zone what concerns it', () => {
    const heard: string[] = []
    const balancer = createZoneFirst(
      () => ({ update() {}, pick: () => undefined, began: ({ id }) => void heard.push(`${id} began`) }),
      { random: () => 0, now: () => 0 },
      'a',
    )
    balancer.update([...zone('a', 1), ...zone('b', 1)])
    for (const item of [...zone('a', 1), ...zone('b', 1), ...zone('c', 1)]) balancer.began?.(item)
    expect(heard).toEqual(['a0 began', 'b0 began'])
  })
})
