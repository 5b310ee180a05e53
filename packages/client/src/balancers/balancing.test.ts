/** Balancers made of options. */
import { describe, expect, it, vi } from 'vitest'
import { instance } from '../clusters/stage.fixture.js'
import type { Balancer } from './balancer.js'
import type { BalancingOptions } from './balancing.js'
import { createBalancing } from './balancing.js'
import { counts, seeded } from './picks.fixture.js'

const tools = { random: seeded(1), now: () => 0 }

describe('options of balancing', () => {
  it.each<[BalancingOptions, string]>([
    [{ balancer: 'fastest' as 'hash' }, 'balancer'],
    [{ balancer: { type: 'fastest' } as unknown as { type: 'hash' } }, 'balancer'],
    [{ balancer: { type: 'hash', loadFactor: 0.5 } }, 'balancer.loadFactor'],
    [{ balancer: { type: 'least-loaded', decayMs: Number.NaN } }, 'balancer.decayMs'],
    [{ subset: 0 }, 'subset'],
    [{ subset: { size: 1.5 } }, 'subset'],
    [{ slowStartMs: -1 }, 'slowStartMs'],
    [{ panicThreshold: 2 }, 'panicThreshold'],
  ])('%j are refused', (options, field) => {
    expect(() => createBalancing(options, tools)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', field }),
    )
  })

  it('combine', () => {
    const { balancer } = createBalancing(
      { balancer: { type: 'least-loaded', decayMs: 100 }, zone: 'a', subset: 2, slowStartMs: 1_000 },
      tools,
    )
    balancer.update(Array.from({ length: 20 }, (_, n) => instance(`${n}`, { zone: n % 2 === 0 ? 'a' : 'b' })))
    const found = counts(() => balancer.pick(), 200)
    expect([...found.keys()].map((id) => Number(id) % 2)).toEqual([0, 0])
  })

  it('keep the client whole when your own balancer throws', () => {
    const later: (() => void)[] = []
    vi.stubGlobal('queueMicrotask', (run: () => void) => later.push(run))
    const fails = (what: string) => (): never => {
      throw new Error(what)
    }
    const { balancer } = createBalancing(
      { balancer: () => ({ update: fails('update'), pick: fails('pick'), began: fails('began') }) },
      tools,
    )
    balancer.update([])
    balancer.began?.(instance('a'))
    vi.unstubAllGlobals()
    expect(() => balancer.pick()).toThrow('pick')
    expect(later).toHaveLength(2)
    expect(later[0]).toThrow('update')
  })

  it('take a balancer of your own', () => {
    const last = (): Balancer => {
      let list: readonly { id: string }[] = []
      return { update: (candidates) => (list = candidates), pick: () => list.at(-1) as never }
    }
    const { balancer } = createBalancing({ balancer: last }, tools)
    balancer.update([instance('a'), instance('b')])
    expect(balancer.pick()?.id).toBe('b')
  })
})
