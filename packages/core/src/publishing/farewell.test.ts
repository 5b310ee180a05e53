/** Expired records that are deregistered later: told, although no list changes. */
import { EMPTY_SIGN } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { signOfView } from '../directory/view.js'
import type { Update } from './subscription.js'
import { createSubscribedView, noteFarewell } from './audience.js'
import { ORDERS, setUp, type Stage } from './publisher.fixture.js'

const REMOVED = [{ group: 'default', id: 'a', incarnation: 1, reason: 'deregistered' }]

/** A stage on which `a` fell silent, and has expired; and the sign its list had while it was there. */
function vanished(): Stage & { readonly sign: string } {
  const stage = setUp({ liveness: { removalMs: 1_000 } })
  stage.sim.register({ id: 'a', incarnation: 1 })
  const sign = signOfView(stage.sim.node.directory, ORDERS)
  stage.sim.run(60_000)
  expect(stage.sim.record()?.verdict.value).toBe('expired')
  return { ...stage, sign }
}

function removesOf(update: Update | undefined): unknown {
  return update?.kind === 'delta' ? update.delta.removes : update?.view.removes
}

describe('who left without a word and is deregistered later', () => {
  it('is told of by a delta that leaves the list as it is, once', () => {
    const { sim, join, publish } = vanished()
    const { updates } = join()
    publish(1_000)
    updates.length = 0
    sim.deregister('a', 1)
    publish(1_000)
    const delta = { ...ORDERS, from: EMPTY_SIGN, to: EMPTY_SIGN, upserts: [], removes: REMOVED }
    expect(updates).toEqual([{ kind: 'delta', seq: expect.any(Number), delta }])
    sim.deregister('a', 1)
    publish(1_000)
    expect(updates).toHaveLength(1)
  })

  it('follows what else is told at the same time', () => {
    const { sim, join, publish } = vanished()
    const { updates } = join()
    publish(1_000)
    updates.length = 0
    sim.register({ id: 'b', incarnation: 1 })
    sim.deregister('a', 1)
    publish(1_000)
    const sign = signOfView(sim.node.directory, ORDERS)
    expect(updates).toMatchObject([
      { delta: { from: EMPTY_SIGN, to: sign, upserts: [{ id: 'b' }], removes: [] } },
      { delta: { from: sign, to: sign, upserts: [], removes: REMOVED } },
    ])
  })

  it('is not taken out of the list where it has registered anew meanwhile', () => {
    const { sim, join, publish } = vanished()
    const { updates } = join()
    publish(1_000)
    updates.length = 0
    sim.deregister('a', 1)
    sim.register({ id: 'a', incarnation: 2 })
    publish(1_000)
    expect(updates).toMatchObject([{ delta: { upserts: [{ id: 'a', incarnation: 2 }], removes: [] } }])
  })

  it('is told of once where several incarnations of it left meanwhile', () => {
    const { sim, join, publish } = vanished()
    const { updates } = join()
    publish(1_000)
    updates.length = 0
    sim.deregister('a', 1)
    sim.deregister('a', 2)
    sim.register({ id: 'a', incarnation: 3 })
    sim.deregister('a', 3)
    publish(1_000)
    expect(removesOf(updates.at(-1))).toHaveLength(1)
  })

  it('is called deregistered to those who come back, and to those who were slow', () => {
    const { sim, sign, join, publish } = vanished()
    const slow = join()
    slow.subscription.stalled()
    sim.deregister('a', 1)
    publish(1_000)
    slow.subscription.drained()
    expect(removesOf(slow.updates.at(-1))).toEqual(REMOVED)
    expect(removesOf(join({ ...ORDERS, sign }).updates.at(-1))).toEqual(REMOVED)
  })
})

describe('more than 256 farewells within one window', () => {
  it('are the latest 256, each with the last incarnation of its id', () => {
    const watched = createSubscribedView('default/orders', ORDERS, EMPTY_SIGN, undefined)
    const leaves = (id: string, incarnation: number): void =>
      noteFarewell(watched, { group: 'default', id, incarnation, reason: 'deregistered' })
    for (let n = 0; n < 300; n++) leaves(`i${n}`, 1)
    leaves('i50', 2)
    const told = [...(watched.farewells?.values() ?? [])]
    expect(told).toHaveLength(256)
    expect(told[0]).toMatchObject({ id: 'i44' })
    expect(told.filter(({ id }) => id === 'i50')).toEqual([expect.objectContaining({ incarnation: 2 })])
    expect(told.at(-1)).toMatchObject({ id: 'i50' })
  })
})
