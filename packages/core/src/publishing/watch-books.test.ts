/** What watches may cost: one subscriber, one peer, the node; and that all of it comes back. */
import { describe, expect, it } from 'vitest'
import { keyOf, Simulation, type SimulationOptions } from '../simulated-node.fixture.js'
import type { Subscription, WatchCommand } from './subscription.js'

const NO_SHARES = { share: 1, sharedNetworks: [] }

function viewsOf(count: number, from = 0): WatchCommand[] {
  return Array.from({ length: count }, (_, n) => ({ namespace: 'default', service: `s-${from + n}` }))
}

function setUp(options: SimulationOptions = {}) {
  const sim = new Simulation(options)
  const join = (peer?: string): Subscription =>
    sim.node.publisher.subscribe({ deliver() {} }, () => sim.now, peer)
  return { sim, join, budgets: sim.node.budgets }
}

function refusal(step: () => void): unknown {
  try {
    step()
  } catch (error) {
    return (error as { details?: unknown }).details
  }
  return undefined
}

describe('watches', () => {
  it('are bounded for one subscriber, which may go on with what it has', () => {
    const { sim, join, budgets } = setUp({ publisher: { watchesPerSubscriberMax: 3 } })
    const one = join()
    one.watch(viewsOf(3))
    expect(refusal(() => one.watch(viewsOf(4)))).toEqual({
      quota: 'watchesPerSubscriberMax',
      max: 3,
      over: 'subscriber',
    })
    expect(sim.counted.get('rollcall_limit_refusals_total watchesPerSubscriberMax')).toBe(1)
    one.watch(viewsOf(3))
    join().watch(viewsOf(3, 10))
    expect(budgets.watches.used).toBe(6)
  })

  it('are bounded for one peer under pressure, over all of its subscribers', () => {
    const { join } = setUp({ watchesMax: 8 })
    for (let n = 0; n < 6; n++) join('10.0.0.1').watch(viewsOf(1, n))
    expect(refusal(() => join('10.0.0.1').watch(viewsOf(1)))).toEqual({
      quota: 'watchesMax',
      max: 4,
      over: 'peer',
    })
    join('10.0.0.2').watch(viewsOf(2))
    expect(refusal(() => join('10.0.0.3').watch(viewsOf(1)))).toMatchObject({ over: 'node' })
  })

  it('are bounded in memory: a view of its own costs more than one that others watch too', () => {
    const { join, budgets } = setUp({ watchBytesMax: 10_000, peers: NO_SHARES })
    expect(refusal(() => join().watch(viewsOf(20)))).toMatchObject({ quota: 'watchBytesMax', over: 'node' })
    expect(budgets.watchBytes.used).toBe(0)
    for (let n = 0; n < 20; n++) join().watch(viewsOf(1))
    expect(budgets.watchBytes.used).toBeLessThan(10_000)
  })

  it('of long polls are charged to the peer that waits, and refused where there is no room', () => {
    const { sim, budgets } = setUp({ watchBytesMax: 10_000 })
    const wait = (n: number, peer: string): (() => void) =>
      sim.node.publisher.wait({ ...keyOf('a'), group: `g-${n}` }, '0000000000000001', () => {}, peer)
    const ends: (() => void)[] = []
    expect(
      refusal(() => {
        for (let n = 0; n < 20; n++) ends.push(wait(n, '10.0.0.1'))
      }),
    ).toMatchObject({ quota: 'watchBytesMax', over: 'peer' })
    expect(budgets.watchBytes.usedBy('10.0.0.1')).toBe(budgets.watchBytes.used)
    ends.push(wait(0, '10.0.0.2'), wait(100, '10.0.0.2'))
    for (const end of ends) end()
    expect([budgets.watchBytes.used, budgets.watchBytes.peers]).toEqual([0, 0])
  })

  it('cost nothing any more when they ended, whichever peer paid for the view', () => {
    const { sim, join, budgets } = setUp()
    const [first, second] = [join('10.0.0.1'), join('10.0.0.2')]
    first.watch(viewsOf(10))
    second.watch(viewsOf(10))
    const forget = sim.node.publisher.wait({ ...keyOf('a'), group: 'g' }, '0000000000000001', () => {})
    first.close()
    expect(budgets.watches.used).toBe(10)
    second.unwatch(viewsOf(5))
    second.close()
    forget()
    expect([budgets.watches.used, budgets.watchBytes.used]).toEqual([0, 0])
    expect([budgets.watches.peers, budgets.watchBytes.peers]).toEqual([0, 0])
  })
})
