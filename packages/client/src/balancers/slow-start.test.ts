/** Shares of newcomers. */
import { describe, expect, it } from 'vitest'
import { instance } from '../clusters/stage.fixture.js'
import { counts, seeded } from './picks.fixture.js'
import { createRoundRobin } from './round-robin.js'
import { createSlowStart } from './slow-start.js'

function stage() {
  let now = 0
  const random = seeded(5)
  const balancer = createSlowStart(createRoundRobin(random), { random, now: () => now }, 10_000)
  return {
    balancer,
    pass: (ms: number) => void (now += ms),
    share: (id: string) => (counts(() => balancer.pick(), 2_000).get(id) ?? 0) / 2_000,
  }
}

const [a, b, c] = [instance('a'), instance('b'), instance('c')]

describe('slow start', () => {
  it('takes the first list as it is', () => {
    const { balancer, share } = stage()
    balancer.update([a, b])
    expect(share('a')).toBeCloseTo(0.5, 2)
  })

  it('brings a newcomer to its share bit by bit', () => {
    const { balancer, share, pass } = stage()
    balancer.update([a, b])
    balancer.update([a, b, c])
    const shares = [0, 2_500, 2_500, 2_500, 2_500].map((ms) => {
      pass(ms)
      return share('c')
    })
    expect(shares[0]).toBeGreaterThan(0.01)
    expect(shares[0]).toBeLessThan(0.08)
    expect(shares).toEqual(shares.toSorted((one, other) => one - other))
    expect(shares.at(-1)).toBeCloseTo(1 / 3, 1)
  })

  it('takes a restarted process for new, and not one that was away for a moment or changed its weight', () => {
    const { balancer, share, pass } = stage()
    balancer.update([a, b])
    pass(60_000)
    balancer.update([a])
    pass(5_000)
    balancer.update([a, { ...b, weight: 7 }])
    expect(share('b')).toBeCloseTo(0.5, 2)
    balancer.update([a, { ...b, incarnation: 99 }])
    expect(share('b')).toBeLessThan(0.2)
  })

  it('forgets who has been away for long', () => {
    const { balancer, share, pass } = stage()
    balancer.update([a, b])
    balancer.update([a])
    pass(10_001)
    balancer.update([a])
    balancer.update([a, b])
    expect(share('b')).toBeLessThan(0.2)
  })

  it('calls newcomers where there are no others', () => {
    const { balancer } = stage()
    balancer.update([a])
    balancer.update([b, c])
    expect(counts(() => balancer.pick(), 100).size).toBe(2)
  })
})
