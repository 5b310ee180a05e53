/** The balancer `least-loaded`. */
import type { Instance } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instance } from '../clusters/stage.fixture.js'
import type { Balancer } from './balancer.js'
import { createLeastLoaded } from './least-loaded.js'
import { counts, seeded } from './picks.fixture.js'

function stage(list: readonly Instance[], seed = 1) {
  let now = 0
  const balancer = createLeastLoaded({ random: seeded(seed), now: () => now })
  balancer.update(list)
  return {
    balancer,
    pass: (ms: number) => void (now += ms),
    /** One call that takes as long as its instance does. */
    call: (latencyOf: (called: Instance) => number): Instance => {
      const called = balancer.pick()!
      balancer.began?.(called)
      balancer.ended?.(called, { outcome: 'success', latencyMs: latencyOf(called), wasBegun: true })
      return called
    },
  }
}

const list = (...ids: string[]): Instance[] => ids.map((id) => instance(id))

function begin(balancer: Balancer): Instance {
  const called = balancer.pick()!
  balancer.began?.(called)
  return called
}

describe('least loaded', () => {
  it('honours weights while loads are equal', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(weights, fc.nat(), (given, seed) => {
        const { balancer } = stage(
          given.map((weight, index) => instance(String(index), { weight })),
          seed,
        )
        const sum = given.reduce((total, weight) => total + weight, 0)
        const found = counts(() => balancer.pick(), 4_000)
        given.forEach((weight, index) => {
          const share = sum === 0 ? 1 / given.length : weight / sum
          expect((found.get(String(index)) ?? 0) / 4_000).toBeGreaterThan(share * 0.8 - 0.02)
          expect((found.get(String(index)) ?? 0) / 4_000).toBeLessThan(share * 1.2 + 0.02)
        })
      }),
      { numRuns: 30 },
    )
  })

  it('spreads calls in flight by weight', () => {
    const { balancer } = stage([instance('big', { weight: 300 }), instance('small', { weight: 100 })])
    const found = counts(() => begin(balancer), 400)
    expect(found.get('big')).toBeGreaterThan(280)
    expect(found.get('small')).toBeGreaterThan(85)
  })

  it('gives the slow less, and calls that hang nothing more', () => {
    const { call, balancer } = stage(list('fast', 'slow'))
    const found = counts(() => call(({ id }) => (id === 'slow' ? 50 : 5)), 1_000)
    expect(found.get('slow') ?? 0).toBeLessThan(300)
    const other = stage(list('a', 'hangs', 'c'))
    for (let round = 0; round < 300; round += 1) {
      const called = begin(other.balancer)
      const report = { outcome: 'success', latencyMs: 5, wasBegun: true } as const
      if (called.id !== 'hangs') other.balancer.ended?.(called, report)
    }
    expect(counts(() => other.balancer.pick(), 100).get('hangs') ?? 0).toBeLessThan(15)
    expect(balancer.pick()).toBeDefined()
  })

  it('starves none: one that was slow once is asked again when that has faded', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 10 }),
        fc.integer({ min: 10, max: 60_000 }),
        fc.nat(),
        (n, slowMs, seed) => {
          const { call, pass } = stage(list(...Array.from({ length: n }, (_, index) => String(index))), seed)
          let asked = 0
          for (let round = 0; round < 3_000; round += 1) {
            const called = call(({ id }) => (id === '0' && round < 100 ? slowMs : 5))
            if (called.id === '0' && round >= 1_000) asked += 1
            pass(50)
          }
          // 2,000 calls in 100 s: at least once in the last 95 of them.
          expect(asked).toBeGreaterThan(0)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('is not drawn to who fails fast', () => {
    const { balancer } = stage(list('well', 'fails'))
    const found = new Map<string, number>()
    for (let round = 0; round < 500; round += 1) {
      const called = begin(balancer)
      found.set(called.id, (found.get(called.id) ?? 0) + 1)
      const failed = called.id === 'fails'
      balancer.ended?.(called, {
        outcome: failed ? 'failure' : 'success',
        latencyMs: failed ? 1 : 20,
        wasBegun: true,
      })
    }
    expect(found.get('fails') ?? 0).toBeLessThan(250)
  })

  it('knows who it knew after a change, but not a new process under an old id', () => {
    const { balancer, call } = stage(list('fast', 'slow'))
    for (let round = 0; round < 50; round += 1) call(({ id }) => (id === 'slow' ? 500 : 5))
    balancer.update([instance('fast', { weight: 7 }), instance('slow', { weight: 7 })])
    // Chosen only where both draws are it.
    expect(counts(() => balancer.pick(), 1_000).get('slow') ?? 0).toBeLessThan(320)
    balancer.update([instance('fast'), instance('slow', { incarnation: 9 })])
    balancer.ended?.(instance('slow', { incarnation: 9 }), {
      outcome: 'success',
      latencyMs: 1,
      wasBegun: false,
    })
    expect(counts(() => balancer.pick(), 1_000).get('slow') ?? 0).toBeGreaterThan(400)
  })

  it('refuses a decay that is no time', () => {
    expect(() => createLeastLoaded({ random: () => 0, now: () => 0 }, { decayMs: 0 })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', field: 'balancer.decayMs' }),
    )
  })
})
