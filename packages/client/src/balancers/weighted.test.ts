/** The balancers `weighted` and `round-robin`. */
import type { Instance } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BalancerName } from './balancing.js'
import { createBalancing } from './balancing.js'
import { counts, seeded } from './picks.fixture.js'
import { instance } from '../clusters/stage.fixture.js'

const make = (balancer: BalancerName, random: () => number) =>
  createBalancing({ balancer }, { random, now: () => 0 }).balancer

describe('balancers', () => {
  it.each(['weighted', 'round-robin', 'least-loaded', 'hash'] as const)(
    '%s: nothing to pick from nothing',
    (name) => {
      const balancer = make(name, seeded(1))
      expect(balancer.pick()).toBeUndefined()
      balancer.update([])
      expect(balancer.pick()).toBeUndefined()
    },
  )

  it('round robin picks everybody once a round, whatever the weights', () => {
    const balancer = make('round-robin', seeded(2))
    const list = ['a', 'b', 'c'].map((id, index) => instance(id, { weight: index }))
    balancer.update(list)
    for (let round = 0; round < 5; round += 1) {
      expect([...counts(() => balancer.pick(), 3).values()]).toEqual([1, 1, 1])
    }
  })

  it('round robin goes on where it was when the list changes', () => {
    const balancer = make('round-robin', () => 0)
    const [a, b, c] = ['a', 'b', 'c'].map((id) => instance(id)) as [Instance, Instance, Instance]
    balancer.update([a, b])
    expect(balancer.pick()?.id).toBe('a')
    balancer.update([a, b, c])
    expect(balancer.pick()?.id).toBe('b')
    balancer.update([a])
    expect(balancer.pick()?.id).toBe('a')
  })

  it('weighted honours weights exactly over every cycle, from any point on', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(weights, fc.nat(), fc.nat({ max: 100 }), (list, seed, skip) => {
        const balancer = make('weighted', seeded(seed))
        balancer.update(list.map((weight, index) => instance(String(index), { weight })))
        const cycle = list.reduce((sum, weight) => sum + weight, 0)
        const expected = cycle === 0 ? list.map(() => 1) : list
        counts(() => balancer.pick(), skip)
        for (let round = 0; round < 3; round += 1) {
          const found = counts(() => balancer.pick(), cycle === 0 ? list.length : cycle)
          expect(list.map((_, index) => found.get(String(index)) ?? 0)).toEqual(expected)
        }
      }),
    )
  })

  it('weighted spreads the picks of an instance evenly', () => {
    const balancer = make('weighted', seeded(3))
    balancer.update([instance('big', { weight: 3 }), instance('small', { weight: 1 })])
    const picks = Array.from({ length: 40 }, () => balancer.pick()?.id)
    const gaps = picks
      .flatMap((id, index) => (id === 'small' ? [index] : []))
      .map((at, index, all) => at - (all[index - 1] ?? at - 4))
    expect(new Set(gaps)).toEqual(new Set([4]))
  })

  it('weighted favours none when the list changes all the time', () => {
    const balancer = make('weighted', seeded(4))
    const list = [instance('a', { weight: 3 }), instance('b', { weight: 1 })]
    const found = counts(() => {
      balancer.update([...list])
      return balancer.pick()
    }, 4_000)
    // First of a cycle: the smaller of u/3 and v/1 is a's with probability 5/6; alternation would give 1.
    expect(found.get('b') ?? 0).toBeGreaterThan(400)
  })
})
