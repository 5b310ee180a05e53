/** Instances and views as consumers see them, and resuming from a sign. */
import { EMPTY_SIGN, type Remove, signOf, type View } from '@rollcall/wire'
import { describe, expect, it, vi } from 'vitest'
import { keyOf, QUIET, Simulation } from '../simulated-node.fixture.js'
import { deltaSince, fullView, signOfView, type ViewCapture } from './view.js'

const ORDERS = { namespace: 'default', service: 'orders' }

function viewOf(sim: Simulation, group?: string): View {
  return fullView(sim.node.directory, group === undefined ? ORDERS : { ...ORDERS, group }, sim.now, QUIET)
}

function brief(removes: readonly Remove[] | undefined): string[] {
  return (removes ?? []).map(
    ({ group, id, incarnation, reason }) => `${group}/${id} ${incarnation} ${reason}`,
  )
}

describe('an instance in a view', () => {
  it('has every member of the contract and no other', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 7, protocol: 'http', zone: 'z1', weight: 5, metadata: { version: '1' } })
    sim.run(1_000)
    expect(viewOf(sim).instances).toEqual([
      {
        ...keyOf('a'),
        host: '10.0.0.1',
        port: 3000,
        protocol: 'http',
        weight: 5,
        zone: 'z1',
        metadata: { version: '1' },
        state: 'up',
        stateAgeMs: 1_000,
        incarnation: 7,
        digest: viewOf(sim).sign,
      },
    ])
  })

  it('counts its age from the moment it entered its state, and anew for a new process', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 7 })
    sim.run(2_000)
    sim.register({ incarnation: 7, rev: 2, metadata: { version: '2' } })
    expect(viewOf(sim).instances[0]?.stateAgeMs).toBe(2_000)
    sim.register({ incarnation: 8 })
    sim.run(500)
    expect(viewOf(sim).instances[0]?.stateAgeMs).toBe(500)
  })
})

describe('a full view', () => {
  it('of a service nobody registered is empty', () => {
    expect(viewOf(new Simulation())).toEqual({
      ...ORDERS,
      sign: EMPTY_SIGN,
      instances: [],
      guard: { tripped: false, kept: 0 },
      stale: false,
    })
  })

  it('tells why those who left did so', () => {
    const sim = new Simulation()
    for (const id of ['left', 'silent', 'moved', 'stays'])
      sim.register({ id, incarnation: 1, liveness: id === 'silent' ? 'lease' : 'static' })
    sim.deregister('left', 1)
    sim.network = () => 'silence'
    sim.run(90_000)
    sim.register({ id: 'moved', incarnation: 2, port: 3001, liveness: 'static' })
    const view = viewOf(sim)
    expect(brief(view.removes).sort()).toEqual([
      'default/left 1 deregistered',
      'default/moved 1 replaced',
      'default/silent 1 expired',
    ])
    expect(view.instances.map(({ id }) => id)).toEqual(['moved', 'stays'])
    expect(signOf(view.instances)).toBe(view.sign)
  })

  it('does not call an update of the same incarnation, or a restart at the same address, replaced', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 1 })
    sim.register({ incarnation: 1, rev: 2, port: 3001 })
    sim.register({ incarnation: 2, port: 3001 })
    expect(viewOf(sim).removes).toBeUndefined()
  })

  it('of a group has only what belongs to it', () => {
    const sim = new Simulation()
    for (const group of ['blue', 'green']) {
      for (const id of ['a', 'b']) sim.register({ group, id, incarnation: 1 })
      sim.execute({ kind: 'deregister', refs: [{ ...keyOf('b'), group, incarnation: 1 }] })
    }
    const view = viewOf(sim, 'blue')
    expect(view.instances.map(({ group, id }) => `${group}/${id}`)).toEqual(['blue/a'])
    expect(brief(view.removes)).toEqual(['blue/b 1 deregistered'])
    expect(view.sign).toBe(signOf(view.instances))
  })

  it('carries the latest removes, and no replaced one in the place of a deregistration', () => {
    const sim = new Simulation()
    sim.register({ id: 'stays', incarnation: 1 })
    for (let n = 0; n < 300; n++) sim.register({ id: `gone-${n}`, incarnation: 1 })
    for (let n = 0; n < 300; n++) sim.deregister(`gone-${n}`, 1)
    for (let n = 2; n < 300; n++) sim.register({ id: 'stays', incarnation: n, port: 3000 + n })
    const removes = brief(viewOf(sim).removes)
    expect(removes).toHaveLength(256)
    expect(removes.filter((line) => line.endsWith('deregistered'))).toHaveLength(256)
    expect(removes).toContain('default/gone-299 1 deregistered')
    expect(removes).not.toContain('default/gone-43 1 deregistered')
  })

  it('looks at a bounded number of changes for what was replaced', () => {
    const sim = new Simulation()
    for (let n = 0; n < 3_000; n++) sim.register({ id: `i${n}`, incarnation: 1 })
    sim.register({ id: 'i0', incarnation: 2, port: 4_000 })
    expect(brief(viewOf(sim).removes)).toEqual(['default/i0 1 replaced'])
    for (let n = 1; n < 2_100; n++)
      for (const rev of [2, 3]) sim.register({ id: `i${n}`, incarnation: 1, rev, weight: rev })
    expect(viewOf(sim).removes).toBeUndefined()
  })

  it('orders removes by when they left, not by when they were registered', () => {
    const sim = new Simulation()
    for (const id of ['a', 'b', 'c']) sim.register({ id, incarnation: 1 })
    for (const id of ['c', 'a', 'b']) sim.deregister(id, 1)
    expect(brief(viewOf(sim).removes).map((line) => line.slice(8, 9))).toEqual(['c', 'a', 'b'])
  })
})

describe('a captured view', () => {
  const idsOf = (capture: ViewCapture): string[] =>
    Array.from({ length: capture.size }, (_, place) => capture.instance(place).id)

  it('stays as it was', () => {
    const sim = new Simulation()
    for (const id of ['a', 'b']) sim.register({ id, incarnation: 1 })
    const capture = sim.read.capture(ORDERS)
    const before = viewOf(sim)
    sim.deregister('a', 1)
    sim.register({ id: 'b', incarnation: 1, rev: 2, intent: 'draining' })
    sim.run(1_000)
    const instances = Array.from({ length: capture.size }, (_, place) => capture.instance(place))
    expect({ ...capture.name, instances, ...capture.facts }).toEqual(before)
  })

  it('of a group is taken without a look at the other groups', () => {
    const sim = new Simulation()
    for (let n = 0; n < 100; n++) sim.register({ id: `i${n}`, incarnation: 1 })
    sim.register({ id: 'a', group: 'blue', incarnation: 1 })
    sim.register({ id: 'gone', group: 'blue', incarnation: 1 })
    sim.execute({ kind: 'deregister', refs: [{ ...keyOf('gone'), group: 'blue', incarnation: 1 }] })
    const service = sim.node.directory.find('default', 'orders')
    const looked = vi.spyOn(service?.entries ?? new Set(), Symbol.iterator)
    const values = vi.spyOn(service?.entries ?? new Set(), 'values')
    expect(idsOf(sim.read.capture({ ...ORDERS, group: 'blue' }))).toEqual(['a'])
    expect(looked.mock.calls.length + values.mock.calls.length).toBe(0)
  })

  it('holds what is chosen, under the sign of the whole', () => {
    const sim = new Simulation()
    sim.register({ id: 'a', incarnation: 1, zone: 'z1' })
    sim.register({ id: 'b', incarnation: 1, zone: 'z2' })
    sim.register({ id: 'c', incarnation: 1, zone: 'z1', intent: 'draining' })
    sim.register({ id: 'd', incarnation: 1, zone: 'z1' })
    sim.deregister('d', 1)
    expect(idsOf(sim.read.capture(ORDERS, { zone: 'z1' }))).toEqual(['a', 'c'])
    expect(idsOf(sim.read.capture(ORDERS, { states: ['up'] }))).toEqual(['a', 'b'])
    expect(idsOf(sim.read.capture(ORDERS, { states: ['draining', 'up'], zone: 'z1' }))).toEqual(['a', 'c'])
    expect(sim.read.capture(ORDERS, { zone: 'nowhere' }).name.sign).toBe(viewOf(sim).sign)
  })
})

describe('resuming', () => {
  it('gives an empty delta to who is current, one to who is behind, none to a stranger', () => {
    const sim = new Simulation()
    sim.register({ id: 'a', incarnation: 1 })
    const before = signOfView(sim.node.directory, ORDERS)
    sim.register({ id: 'b', incarnation: 1 })
    const now = signOfView(sim.node.directory, ORDERS)
    expect(sim.read.delta(ORDERS, now)).toEqual({ ...ORDERS, from: now, to: now, upserts: [], removes: [] })
    expect(sim.read.delta(ORDERS, before)).toMatchObject({
      from: before,
      to: now,
      upserts: [{ id: 'b' }],
      removes: [],
    })
    expect(sim.read.delta(ORDERS, 'ffffffffffffffff')).toBeUndefined()
  })

  it('compacts: each instance once, as it is now, upserts and removes disjoint', () => {
    const sim = new Simulation()
    sim.register({ id: 'stays', incarnation: 1 })
    const before = signOfView(sim.node.directory, ORDERS)
    sim.register({ id: 'stays', incarnation: 1, rev: 2, weight: 3 })
    for (const id of ['a', 'b']) {
      sim.register({ id, incarnation: 1 })
      sim.register({ id, incarnation: 1, rev: 2, weight: 7 })
      sim.deregister(id, 1)
    }
    sim.register({ id: 'a', incarnation: 2, port: 3001 })
    const to = signOfView(sim.node.directory, ORDERS)
    const delta = deltaSince(sim.node.directory, ORDERS, before, to, sim.now)
    expect(delta?.upserts.map(({ id, incarnation }) => `${id} ${incarnation}`)).toEqual(['a 2', 'stays 1'])
    expect(brief(delta?.removes)).toEqual(['default/b 1 deregistered'])
  })

  it('says of an expired instance that it expired', () => {
    const sim = new Simulation()
    sim.register({ id: 'a', incarnation: 1 })
    const before = signOfView(sim.node.directory, ORDERS)
    sim.network = () => 'silence'
    sim.run(120_000)
    const delta = deltaSince(sim.node.directory, ORDERS, before, EMPTY_SIGN, sim.now)
    expect(brief(delta?.removes)).toEqual(['default/a 1 expired'])
  })

  it('starts from the empty view for who knew nothing of a new service', () => {
    const sim = new Simulation()
    sim.register({ id: 'a', incarnation: 1 })
    expect(sim.read.delta(ORDERS, EMPTY_SIGN)?.upserts).toHaveLength(1)
  })
})
