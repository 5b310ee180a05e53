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
      sim.node.fare({ stale, island: false })
      sim.node.publisher.flush(sim.now)
      expect(shown()?.stale).toBe(stale)
      expect(told.splice(0)).toMatchObject([{ kind: 'view', view: { stale, instances: [{ id: 'a' }] } }])
    }
  })

  it('that is said again, or is an island only, tells subscribers nothing', () => {
    const { sim, told } = watched()
    sim.node.fare({ stale: false, island: true })
    sim.node.fare({ stale: false, island: true })
    sim.node.publisher.flush(sim.now)
    expect(told).toEqual([])
    expect(sim.read.health()).toEqual({ stale: false, island: true })
  })

  it('that changes in the middle of a window leaves every subscriber with the right list', () => {
    const { sim, told } = watched()
    sim.register({ id: 'b', incarnation: 1 })
    sim.node.fare({ stale: true, island: true })
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
