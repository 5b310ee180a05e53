/** Deregistrations of what was never registered: remembered for a moment, in a budget of their own, which takes no room from the living. */
import { describe, expect, it } from 'vitest'
import { NODE_DEFAULTS } from '../node-options.js'
import { keyOf, QUIET, ref, Simulation, type SimulationOptions } from '../simulated-node.fixture.js'
import { fullView } from '../directory/view.js'

const ATTACKER = '10.9.9.9'
const NO_SHARES = { share: 1, sharedNetworks: [] }

function refsOf(count: number, from = 0): ReturnType<typeof ref>[] {
  return Array.from({ length: count }, (_, n) => ref(`ghost-${from + n}`, 1))
}

/** A node on which strays have filled their budget. */
function flooded(options: SimulationOptions = {}): Simulation {
  const sim = new Simulation({ strayBytesMax: 100_000, peers: NO_SHARES, ...options })
  sim.done({ kind: 'deregister', refs: refsOf(200) }, ATTACKER)
  return sim
}

describe('deregistrations of what was never registered', () => {
  it('are refused one by one where there is no room, and nothing is forgotten for them', () => {
    const sim = flooded()
    const { records, bytes } = sim.node.directory.accounts.balance('stray')
    expect(records).toBeGreaterThan(50)
    expect(bytes).toBeLessThanOrEqual(100_000)
    const answer = sim.done({ kind: 'deregister', refs: refsOf(2, 500) }, ATTACKER)
    expect(answer).toMatchObject({
      removed: [],
      unknown: [],
      errors: [
        { code: 'limit_exceeded', field: 'instances[0]', details: { quota: 'strayBytesMax', over: 'node' } },
        { code: 'limit_exceeded', field: 'instances[1]' },
      ],
    })
    expect(sim.record('ghost-0')).toBeDefined()
    expect(sim.record('ghost-500')).toBeUndefined()
    expect(sim.node.directory.accounts.balance('stray').records).toBe(records)
  })

  it('are bounded for one peer under pressure, and go on for others', () => {
    const sim = flooded({ peers: NODE_DEFAULTS.peers })
    expect(sim.node.directory.accounts.balance('stray').bytes).toBeLessThanOrEqual(75_000)
    const [error] = sim.done({ kind: 'deregister', refs: refsOf(1, 500) }, ATTACKER).errors ?? []
    expect(error?.details).toMatchObject({ quota: 'strayBytesMax', over: 'peer' })
    expect(sim.done({ kind: 'deregister', refs: refsOf(1, 500) }, '10.1.1.1').unknown).toHaveLength(1)
  })

  it('take no room from the living, whose deregistration always gets through', () => {
    const sim = flooded({ instancesMax: 2 })
    for (const id of ['a', 'b']) expect(sim.register({ id, incarnation: 5 }).ok).toBe(true)
    expect(sim.deregister('a', 5).removed).toHaveLength(1)
    expect(sim.deregister('b', 9).unknown).toHaveLength(1)
    expect([sim.shown('a'), sim.shown('b')]).toEqual([undefined, undefined])
    expect(sim.register({ id: 'c', incarnation: 5 }).ok).toBe(true)
  })

  it('are final for two default leases, and then forgotten; those of the known stay for the retention', () => {
    const sim = new Simulation()
    sim.register({ id: 'known', incarnation: 5 })
    sim.deregister('known', 5)
    sim.deregister('ghost', 5)
    sim.run(29_900)
    expect(sim.register({ id: 'ghost', incarnation: 5 })).toMatchObject({ error: { code: 'deregistered' } })
    sim.run(200)
    expect(sim.record('ghost')).toBeUndefined()
    sim.run(3_500_000)
    expect(sim.register({ id: 'known', incarnation: 5 })).toMatchObject({ error: { code: 'deregistered' } })
    sim.run(100_000)
    expect(sim.record('known')).toBeUndefined()
  })

  it('live no longer after a restart', () => {
    const sim = flooded()
    const held = [...sim.node.snapshot()]
    const after = new Simulation({ strayBytesMax: 100_000 })
    after.node.load(held, after.now)
    expect(after.node.directory.accounts.balance('stray').records).toBeGreaterThan(50)
    expect(after.register({ id: 'ghost-0', incarnation: 1 })).toMatchObject({
      error: { code: 'deregistered' },
    })
    after.run(30_100)
    expect(after.node.directory.records).toBe(0)
  })

  it('become the known when they are registered after all', () => {
    const sim = new Simulation()
    sim.deregister('a', 5)
    sim.register({ incarnation: 6 })
    expect(sim.node.directory.accounts.balance('stray')).toEqual({ records: 0, bytes: 0 })
    sim.deregister('a', 6)
    sim.run(31_000)
    expect(sim.node.directory.accounts.balance('deregistered').records).toBe(1)
  })

  it('with an override are held by it, in the same budget', () => {
    const sim = flooded()
    const disable = (count: number) =>
      sim.done({ kind: 'override', refs: refsOf(count), disable: true, why: 'x'.repeat(200) })
    expect(disable(5)).toContainEqual(
      expect.objectContaining({
        ok: false,
        error: expect.objectContaining({ field: 'instances[4]', code: 'limit_exceeded' }) as unknown,
      }),
    )
    sim.run(31_000)
    sim.deregister('ghost-0', 1)
    expect(disable(1)).toMatchObject([{ ok: true }])
    sim.run(3_700_000)
    expect(sim.record('ghost-0')).toBeDefined()
  })

  it('are told in a view, but push out nothing that was known', () => {
    const sim = new Simulation()
    for (let n = 0; n < 200; n++) {
      sim.register({ id: `i-${n}`, incarnation: 1 })
      sim.deregister(`i-${n}`, 1)
    }
    sim.done({ kind: 'deregister', refs: refsOf(1_000) }, ATTACKER)
    const { removes = [] } = fullView(sim.node.directory, keyOf('a'), sim.now, QUIET)
    expect(removes).toHaveLength(256)
    expect(removes.filter(({ id }) => id.startsWith('i-'))).toHaveLength(200)
    expect(removes.at(-1)?.id).toBe('i-199')
  })
})

describe('the books', () => {
  it('agree with what is held, whatever happened', () => {
    const sim = new Simulation()
    sim.register({ id: 'a', incarnation: 1, metadata: { a: 'x'.repeat(100) } })
    sim.register({ id: 'b', incarnation: 1 })
    sim.register({ id: 'a', incarnation: 2, metadata: { a: 'x' } })
    sim.deregister('b', 1)
    sim.deregister('c', 1)
    const { accounts } = sim.node.directory
    expect(accounts.balance('listed').records).toBe(1)
    expect(accounts.balance('deregistered').records).toBe(1)
    expect(accounts.balance('stray').records).toBe(1)
    sim.network = () => 'silence'
    sim.run(90_000)
    expect(accounts.balance('expired').records).toBe(1)
    sim.run(3_700_000)
    for (const account of ['listed', 'expired', 'deregistered', 'stray'] as const)
      expect(accounts.balance(account)).toEqual({ records: 0, bytes: 0 })
  })

  it('refuse metadata that grows beyond the memory for records, and let everything else through', () => {
    const sim = new Simulation({ recordBytesMax: 9_000, peers: NO_SHARES })
    const fat = { a: 'x'.repeat(4_000) }
    sim.register({ id: 'a', incarnation: 1, metadata: fat })
    sim.register({ id: 'b', incarnation: 1 })
    expect(
      sim.register({ id: 'b', incarnation: 1, rev: 2, metadata: { a: 'x'.repeat(8_000) } }),
    ).toMatchObject({
      error: { code: 'limit_exceeded', details: { quota: 'recordBytesMax', max: 9_000, over: 'node' } },
    })
    expect(sim.register({ id: 'c', incarnation: 1, metadata: fat })).toMatchObject({ ok: false })
    expect(sim.register({ id: 'a', incarnation: 1, rev: 2, metadata: fat, port: 4_000 }).ok).toBe(true)
    expect(sim.beat('b', 1)).toEqual({ unknown: [], deregistered: [], superseded: [] })
    expect(sim.deregister('a', 1).removed).toHaveLength(1)
  })

  it('get room back from what is deregistered while there is little, though it cannot be undone then', () => {
    const sim = new Simulation({ recordBytesMax: 14_000, peers: NO_SHARES })
    const fat = { a: 'x'.repeat(6_000) }
    for (const id of ['a', 'b']) sim.register({ id, incarnation: 1, metadata: fat })
    expect(sim.register({ id: 'c', incarnation: 1, metadata: fat })).toMatchObject({ ok: false })
    sim.deregister('a', 1)
    expect(sim.record('a')?.content).toEqual({ intent: 'gone', rev: 1, by: 'provider' })
    expect(sim.register({ id: 'c', incarnation: 1, metadata: fat }).ok).toBe(true)
  })
})
