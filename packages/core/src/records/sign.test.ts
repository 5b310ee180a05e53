/** Digests and signs of records. */
import { EMPTY_SIGN, type ViewName } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { command, keyOf, QUIET, Simulation } from '../simulated-node.fixture.js'
import { fullView, signOfView } from '../directory/view.js'

const ORDERS: ViewName = { namespace: 'default', service: 'orders' }

function signOf(sim: Simulation, group?: string): string {
  return signOfView(sim.node.directory, group === undefined ? ORDERS : { ...ORDERS, group })
}

function signWith(...instances: Parameters<Simulation['register']>[0][]): string {
  const sim = new Simulation()
  for (const instance of instances) sim.register({ incarnation: 1, ...instance })
  return signOf(sim)
}

describe('the sign', () => {
  it('tells two weights swapped between two instances apart (F9)', () => {
    for (const [one, other] of [
      [100, 101],
      [1, 2],
      [0, 65_535],
    ] as const) {
      expect(signWith({ id: 'a', weight: one }, { id: 'b', weight: other })).not.toBe(
        signWith({ id: 'a', weight: other }, { id: 'b', weight: one }),
      )
    }
  })

  it('never collides over swapped weights, states, ports or groups of otherwise equal instances', () => {
    const shape = fc.record({
      weight: fc.constantFrom(1, 2, 100),
      port: fc.constantFrom(1, 2),
      group: fc.constantFrom('g1', 'g2'),
      intent: fc.constantFrom('up' as const, 'starting' as const, 'draining' as const),
      incarnation: fc.constantFrom(1, 2),
    })
    const pair = fc.tuple(shape, shape)
    fc.assert(
      fc.property(pair, pair, ([a1, b1], [a2, b2]) => {
        const one = signWith({ id: 'a', ...a1 }, { id: 'b', ...b1 })
        const other = signWith({ id: 'a', ...a2 }, { id: 'b', ...b2 })
        expect(one === other).toBe(JSON.stringify([a1, b1]) === JSON.stringify([a2, b2]))
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['namespace', { namespace: 'other' }],
    ['service', { service: 'other' }],
    ['group', { group: 'other' }],
    ['id', { id: 'other' }],
    ['incarnation', { incarnation: 2 }],
    ['host', { host: '10.0.0.2' }],
    ['port', { port: 3001 }],
    ['protocol', { protocol: 'http' }],
    ['zone', { zone: 'z1' }],
    ['metadata', { metadata: { a: '1' } }],
    ['weight', { weight: 1 }],
    ['intent', { intent: 'starting' as const }],
  ])('of one instance depends on its %s', (_, difference) => {
    const digestOf = (changes: object): string | undefined => {
      const sim = new Simulation()
      const full = command({ incarnation: 1, ...changes })
      sim.register(full)
      return fullView(sim.node.directory, full, sim.now, QUIET).instances[0]?.digest
    }
    expect(digestOf(difference)).not.toBe(digestOf({}))
    expect(digestOf({})).toMatch(/^[0-9a-f]{16}$/)
  })

  it('does not depend on rev, lease, liveness, probe, peer, or the order of metadata and registrations', () => {
    const plain = signWith({ id: 'a', metadata: { x: '1', y: '2' } }, { id: 'b' })
    expect(
      signWith(
        { id: 'b', rev: 9, leaseMs: 20_000, liveness: 'static', probe: { type: 'none' } },
        { id: 'a', metadata: { y: '2', x: '1' } },
      ),
    ).toBe(plain)
  })

  it('returns to what it was with the list, and is empty for the empty view', () => {
    const sim = new Simulation()
    expect(signOf(sim)).toBe(EMPTY_SIGN)
    sim.register({ id: 'a', incarnation: 1 })
    const one = signOf(sim)
    sim.register({ id: 'b', incarnation: 1, group: 'g2' })
    expect(signOf(sim, 'default')).toBe(one)
    sim.execute({ kind: 'deregister', refs: [{ ...keyOf('b'), group: 'g2', incarnation: 1 }] })
    expect(signOf(sim)).toBe(one)
    expect(signOf(sim, 'g2')).toBe(EMPTY_SIGN)
    sim.deregister('a', 1)
    expect(signOf(sim)).toBe(EMPTY_SIGN)
  })

  it('is the same after a restart, on another node, whatever had happened', () => {
    const sim = new Simulation()
    for (const id of ['up', 'gone', 'down', 'expired', 'draining']) {
      sim.register({
        id,
        incarnation: 1,
        group: id === 'up' ? 'g2' : 'default',
        liveness: id === 'down' || id === 'expired' ? 'lease' : 'static',
      })
    }
    sim.register({ id: 'draining', incarnation: 1, rev: 2, intent: 'draining', liveness: 'static' })
    sim.deregister('gone', 1)
    sim.network = () => 'silence'
    sim.every(1_000, () => sim.now < 1_060_000 && sim.beat('down', 1))
    sim.run(90_000)
    expect([sim.shown('down'), sim.shown('expired')]).toEqual(['down silence', undefined])

    const restarted = new Simulation({ nodeId: 'another' })
    restarted.node.load(JSON.parse(JSON.stringify([...sim.node.snapshot()])), restarted.now)
    expect(signOf(restarted)).toBe(signOf(sim))
    for (const group of ['default', 'g2']) expect(signOf(restarted, group)).toBe(signOf(sim, group))
    expect(restarted.entries).toEqual([])
    expect(JSON.stringify([...restarted.node.snapshot()])).toBe(JSON.stringify([...sim.node.snapshot()]))
    expect(fullView(restarted.node.directory, ORDERS, 0, QUIET).removes?.length).toBe(2)

    const replayed = new Simulation({ nodeId: 'a third' })
    replayed.node.load(sim.entries, replayed.now)
    expect(signOf(replayed)).toBe(signOf(sim))
  })
})
