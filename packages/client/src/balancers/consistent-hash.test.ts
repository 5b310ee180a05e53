/** The balancer `hash`. */
import type { Instance } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instance } from '../clusters/stage.fixture.js'
import type { Balancer } from './balancer.js'
import { counts, seeded } from './picks.fixture.js'
import { createConsistentHash } from './consistent-hash.js'

const make = (seed = 1): Balancer => createConsistentHash({ random: seeded(seed), now: () => 0 })
const numbered = (n: number): Instance[] =>
  Array.from({ length: n }, (_, index) => instance(`10.0.0.${index}:80`))
const KEYS = Array.from({ length: 2_000 }, (_, index) => `user-${index}`)

function places(balancer: Balancer): Map<string, string> {
  return new Map(KEYS.map((key) => [key, balancer.pick(key)!.id]))
}

describe('hash', () => {
  it('keeps a key with its instance, in every client', () => {
    const [one, other] = [make(1), make(2)]
    one.update(numbered(10))
    other.update(numbered(10).reverse())
    expect(places(one)).toEqual(places(other))
    expect(places(one)).toEqual(places(one))
  })

  it('moves only the keys of an instance that leaves, and only to one that joins', () => {
    const scenario = fc.tuple(fc.integer({ min: 2, max: 30 }), fc.nat(), fc.boolean())
    fc.assert(
      fc.property(scenario, ([n, at, warm]) => {
        const balancer = make()
        const list = numbered(n)
        const changed = list[at % n]!
        const rest = list.filter((item) => item !== changed)
        balancer.update(rest)
        // Places that were asked for are kept, others are found later: both must agree.
        const before = warm ? places(balancer) : undefined
        balancer.update(list)
        const joined = places(balancer)
        balancer.update(rest)
        const after = places(balancer)
        for (const key of KEYS) {
          if (before !== undefined) expect(after.get(key)).toBe(before.get(key))
          if (joined.get(key) !== changed.id) expect(after.get(key)).toBe(joined.get(key))
          else expect(after.get(key)).not.toBe(changed.id)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('honours weights, and moves keys to who gained some', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 2, maxLength: 6 })
    fc.assert(
      fc.property(weights, (given) => {
        const balancer = make()
        const list = given.map((weight, index) => instance(`i${index}`, { weight }))
        const sum = given.reduce((total, weight) => total + weight, 0)
        balancer.update(list)
        const before = places(balancer)
        given.forEach((weight, index) => {
          const found = [...before.values()].filter((id) => id === `i${index}`).length
          expect(found / KEYS.length).toBeGreaterThan((0.7 * weight) / sum - 0.02)
          expect(found / KEYS.length).toBeLessThan((1.3 * weight) / sum + 0.02)
        })
        balancer.update([instance('i0', { weight: given[0]! + 5 }), ...list.slice(1)])
        for (const [key, id] of places(balancer)) if (id !== 'i0') expect(id).toBe(before.get(key))
      }),
      { numRuns: 20 },
    )
  })

  it('bounds the load of each, however few keys there are', () => {
    const calls = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.boolean()), { minLength: 1, maxLength: 400 })
    const weights = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(weights, calls, (given, script) => {
        const balancer = make()
        balancer.update(given.map((weight, index) => instance(`i${index}`, { weight })))
        const sum = given.reduce((total, weight) => total + weight, 0)
        const inFlight: Instance[] = []
        for (const [key, ends] of script) {
          if (ends && inFlight.length > 0)
            balancer.ended?.(inFlight.shift()!, { outcome: 'success', latencyMs: 1, wasBegun: true })
          const called = balancer.pick(`key-${key}`)!
          balancer.began?.(called)
          inFlight.push(called)
          const load = inFlight.filter(({ id }) => id === called.id).length
          const share = called.weight / sum
          expect(load).toBeLessThanOrEqual(Math.max(4, Math.ceil(1.25 * inFlight.length * share)))
        }
      }),
      { numRuns: 50 },
    )
  })

  it('brings a key back when its instance has room again', () => {
    const balancer = make()
    balancer.update(numbered(5))
    const home = balancer.pick('k')!
    for (let call = 0; call < 10; call += 1) balancer.began?.(home)
    expect(balancer.pick('k')).not.toBe(home)
    expect(balancer.pick('k')).toBe(balancer.pick('k'))
    for (let call = 0; call < 10; call += 1)
      balancer.ended?.(home, { outcome: undefined, latencyMs: undefined, wasBegun: true })
    expect(balancer.pick('k')).toBe(home)
  })

  it('spreads what has no key over all', () => {
    const balancer = make()
    balancer.update(numbered(100))
    const found = counts(() => balancer.pick(), 20_000)
    expect(found.size).toBe(100)
    for (const count of found.values()) expect(count).toBeGreaterThan(100)
  })

  it('refuses a bound that cannot hold', () => {
    expect(() => createConsistentHash({ random: () => 0, now: () => 0 }, { loadFactor: 1 })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', field: 'balancer.loadFactor' }),
    )
  })
})
