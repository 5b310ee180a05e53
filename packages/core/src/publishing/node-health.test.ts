/** How a node fares beside its peers, as views and subscribers are told. */
import { signOf, type View } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { Simulation } from '../simulated-node.fixture.js'
import type { Update } from './subscription.js'

const ORDERS = { namespace: 'default', service: 'orders' }

/** A node with a subscriber of a view, and what that was told since it had the list. */
function watched(): { sim: Simulation; told: Update[]; shown: () => View | undefined } {
  const sim = new Simulation()
  sim.register({ incarnation: 1 })
  const told: Update[] = []
  const subscription = sim.node.publisher.subscribe({ deliver: (update) => told.push(update) }, () => sim.now)
  subscription.watch([ORDERS])
  told.length = 0
  return { sim, told, shown: () => sim.node.views.full(ORDERS, sim.now) }
}

describe('the health of a node', () => {
  it('is well until it is told otherwise', () => {
    const { sim, shown } = watched()
    expect(sim.read.health()).toEqual({ stale: false, island: false })
    expect(shown()?.stale).toBe(false)
  })

  it('marks views as stale, also those that subscribers hold already, and takes the mark away again', () => {
    const { sim, told, shown } = watched()
    for (const stale of [true, false]) {
      sim.node.fare({ stale, island: false }, sim.now)
      sim.node.publisher.flush(sim.now)
      expect(shown()?.stale).toBe(stale)
      expect(told.splice(0)).toMatchObject([{ kind: 'view', view: { stale, instances: [{ id: 'a' }] } }])
    }
  })

  it('that is said again, or is an island only, tells subscribers nothing', () => {
    const { sim, told } = watched()
    sim.node.fare({ stale: false, island: true }, sim.now)
    sim.node.fare({ stale: false, island: true }, sim.now)
    sim.node.publisher.flush(sim.now)
    expect(told).toEqual([])
    expect(sim.read.health()).toEqual({ stale: false, island: true })
  })

  it('that changes in the middle of a window leaves every subscriber with the right list', () => {
    const { sim, told } = watched()
    sim.register({ id: 'b', incarnation: 1 })
    sim.node.fare({ stale: true, island: true }, sim.now)
    sim.node.publisher.flush(sim.now + 1_000)
    sim.register({ id: 'c', incarnation: 1 })
    sim.node.publisher.flush(sim.now + 2_000)
    const [restated, ...later] = told
    expect(restated).toMatchObject({ kind: 'view', view: { stale: true } })
    const { sign } = (restated as { readonly view: View }).view
    expect(later).toMatchObject([{ kind: 'delta', delta: { from: sign, upserts: [{ id: 'c' }] } }])
    const view = sim.node.views.full(ORDERS, sim.now)
    expect((later[0] as { readonly delta: { readonly to: string } }).delta.to).toBe(signOf(view.instances))
  })
})

describe('a node that began with nothing', () => {
  const begun = (): Simulation => {
    const sim = new Simulation()
    sim.node.load([], sim.now)
    return sim
  }
  const stale = (sim: Simulation): boolean => sim.node.views.full(ORDERS, sim.now).stale

  it('lists as stale until a lease has passed, whatever has registered meanwhile', () => {
    const sim = begun()
    sim.register({ incarnation: 1 })
    expect([stale(sim), sim.read.isStale()]).toEqual([true, true])
    sim.run(14_900)
    expect(stale(sim)).toBe(true)
    sim.run(200)
    expect([stale(sim), sim.read.isStale()]).toEqual([false, false])
  })

  it('tells its subscribers when that is over', () => {
    const sim = begun()
    const told: Update[] = []
    sim.node.publisher.subscribe({ deliver: (update) => told.push(update) }, () => sim.now).watch([ORDERS])
    sim.run(16_000)
    sim.node.publisher.flush(sim.now)
    expect(told.map((update) => update.kind === 'view' && update.view.stale)).toEqual([true, false])
  })

  it('is as well as any beside its peers, so that readiness and pings say nothing of it', () => {
    expect(begun().read.health()).toEqual({ stale: false, island: false })
  })

  it('stays stale for as long as it is behind its peers', () => {
    const sim = begun()
    sim.node.fare({ stale: true, island: true }, sim.now)
    sim.run(16_000)
    expect(stale(sim)).toBe(true)
    sim.node.fare({ stale: false, island: false }, sim.now)
    expect(stale(sim)).toBe(false)
  })

  it('is none that knows of anything, be it deregistered', () => {
    const former = new Simulation()
    former.register({ incarnation: 1 })
    former.deregister('a', 1)
    const sim = new Simulation({ nodeId: 'node-2' })
    sim.node.load(former.entries, sim.now)
    expect(stale(sim)).toBe(false)
  })
})
