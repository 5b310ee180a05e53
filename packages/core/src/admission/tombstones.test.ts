/** What stays of registrations has a budget of its own: who is refused when it is full, in what name, and until when. */
import { describe, expect, it } from 'vitest'
import { command, ref, Simulation } from '../simulated-node.fixture.js'

const NO_SHARES = { share: 1, sharedNetworks: [] }
const HOUR = 3_600_000
const FAT = { a: 'x'.repeat(4_000) }

function register(sim: Simulation, id: string, peer: string): { ok: boolean; error?: unknown } {
  const [answer] = sim.done({ kind: 'register', items: [command({ id, incarnation: 1 })] }, peer)
  if (answer === undefined) throw new Error('a registration is not answered')
  return answer
}

/** Registers fresh ids and ends each at once, until one is refused. Returns how many there were, and the refusal. */
function churn(sim: Simulation, prefix: string, peer = '10.0.0.1'): { ids: number; refusal: unknown } {
  for (let ids = 0; ids < 10_000; ids++) {
    const id = `${prefix}-${ids}`
    const answer = register(sim, id, peer)
    if (!answer.ok) return { ids, refusal: answer.error }
    expect(sim.done({ kind: 'deregister', refs: [ref(id, 1)] }, peer).removed).toHaveLength(1)
  }
  throw new Error('nothing was refused')
}

describe('churn of fresh ids at the edge of the budget', () => {
  it('is refused by its own quota, and nothing that was acknowledged is forgotten early', () => {
    const sim = new Simulation({ tombstoneBytesMax: 100_000, peers: NO_SHARES })
    const { ids, refusal } = churn(sim, 'job')
    expect(ids).toBeGreaterThan(50)
    expect(refusal).toMatchObject({
      code: 'limit_exceeded',
      details: { quota: 'tombstoneBytesMax', max: 100_000, over: 'node' },
    })
    expect(sim.node.directory.accounts.balance('deregistered').records).toBe(ids)
    expect(sim.node.budgets.recordBytes.used).toBe(0)
  })

  it('takes nothing from those who are known: they change, leave, and come back', () => {
    const sim = new Simulation({ tombstoneBytesMax: 100_000, recordBytesMax: 20_000, peers: NO_SHARES })
    for (const id of ['a', 'b']) sim.register({ id, incarnation: 1 })
    churn(sim, 'job')
    expect(sim.register({ id: 'a', incarnation: 1, rev: 2, metadata: FAT }).ok).toBe(true)
    expect(sim.deregister('b', 1).removed).toHaveLength(1)
    expect(sim.register({ id: 'b', incarnation: 2, metadata: FAT }).ok).toBe(true)
    expect(sim.deregister('a', 1).removed).toHaveLength(1)
    expect(sim.deregister('b', 2).removed).toHaveLength(1)
  })

  it('gets its room back when the retention of the first is over', () => {
    const sim = new Simulation({ tombstoneBytesMax: 100_000, peers: NO_SHARES })
    const { ids } = churn(sim, 'job')
    sim.run(HOUR - 1_000)
    expect(sim.register({ id: 'new', incarnation: 1 })).toMatchObject({ ok: false })
    sim.run(2_000)
    expect(churn(sim, 'next').ids).toBe(ids)
  })

  it('of one peer leaves the last quarter to the others', () => {
    const sim = new Simulation({ tombstoneBytesMax: 100_000 })
    expect(churn(sim, 'job', '10.9.9.9').refusal).toMatchObject({ details: { over: 'peer' } })
    expect(sim.node.budgets.tombstoneBytes.used).toBeLessThanOrEqual(75_000)
    for (let n = 0; n < 20; n++) expect(register(sim, `other-${n}`, '10.1.1.1').ok).toBe(true)
  })
})

describe('what expired', () => {
  it('takes no room from the living, and comes back by any sound, room or not', () => {
    const sim = new Simulation({ recordBytesMax: 10_000, tombstoneBytesMax: 20_000, peers: NO_SHARES })
    sim.network = () => 'silence'
    for (const id of ['a', 'b']) sim.register({ id, incarnation: 1, metadata: FAT })
    expect(sim.register({ id: 'c', incarnation: 1, metadata: FAT })).toMatchObject({
      error: { details: { quota: 'recordBytesMax' } },
    })
    sim.run(90_000)
    expect(sim.node.directory.accounts.balance('expired').records).toBe(2)
    expect(sim.node.budgets.recordBytes.used).toBe(0)
    for (const id of ['c', 'd']) expect(sim.register({ id, incarnation: 1, metadata: FAT }).ok).toBe(true)
    sim.beat('a', 1)
    expect(sim.shown('a')).toBe('up')
    expect(sim.node.budgets.recordBytes.used).toBeGreaterThan(10_000)
  })

  it('stops all growth while it is more than the budget for what stays, so that both bounds hold together', () => {
    const sim = new Simulation({ recordBytesMax: 10_000, tombstoneBytesMax: 8_000, peers: NO_SHARES })
    sim.register({ id: 'living', incarnation: 1, liveness: 'static' })
    for (const id of ['a', 'b']) sim.register({ id, incarnation: 1, metadata: FAT })
    sim.network = () => 'silence'
    sim.run(90_000)
    expect(sim.node.budgets.tombstoneBytes.used).toBeGreaterThan(8_000)
    expect(
      sim.register({ id: 'living', incarnation: 1, rev: 2, liveness: 'static', metadata: FAT }),
    ).toMatchObject({ error: { details: { quota: 'tombstoneBytesMax' } } })
    sim.run(HOUR + 60_000)
    expect(sim.register({ id: 'living', incarnation: 1, rev: 2, liveness: 'static', metadata: FAT }).ok).toBe(
      true,
    )
  })
})

describe('services, namespaces and groups', () => {
  it('are charged to what opens them, once, and given back with the last of what is in them', () => {
    const sim = new Simulation()
    const { tombstoneBytes, strayBytes } = sim.node.budgets
    const key = { namespace: 'own', service: 'own', group: 'own', incarnation: 1 }
    sim.register({ ...key, id: 'a' })
    const alone = tombstoneBytes.used
    expect(alone).toBeGreaterThan(3_000)
    sim.register({ ...key, id: 'b' })
    expect(tombstoneBytes.used - alone).toBeLessThan(900)
    sim.register({ ...key, group: 'another', id: 'c' })
    const before = tombstoneBytes.used
    sim.done({ kind: 'deregister', refs: [{ ...key, service: 'ghost', id: 'g' }] })
    expect([tombstoneBytes.used, strayBytes.used > 3_000]).toEqual([before, true])
    sim.register({ ...key, service: 'ghost', id: 'h' })
    expect(tombstoneBytes.used - before).toBeGreaterThan(3_000)
    expect(strayBytes.used).toBeLessThan(900)
    for (const id of ['a', 'b']) sim.done({ kind: 'deregister', refs: [{ ...key, id }] })
    sim.done({ kind: 'deregister', refs: [{ ...key, group: 'another', id: 'c' }] })
    sim.done({ kind: 'deregister', refs: [{ ...key, service: 'ghost', id: 'h' }] })
    sim.run(HOUR + 60_000)
    expect([tombstoneBytes.used, strayBytes.used]).toEqual([0, 0])
  })

  it('of a stranger are bounded, registered or not', () => {
    const sim = new Simulation({ tombstoneBytesMax: 100_000, strayBytesMax: 100_000, peers: NO_SHARES })
    let opened = 0
    for (let n = 0; n < 100; n++) {
      const key = { namespace: `n-${n}`, service: 's', group: 'g', id: 'a', incarnation: 1 }
      if (sim.register(key).ok) opened++
      sim.done({ kind: 'deregister', refs: [{ ...key, namespace: `m-${n}` }] })
    }
    expect(opened).toBeLessThan(35)
    expect(sim.node.directory.accounts.balance('stray').records).toBeLessThan(35)
    expect([...sim.node.directory.namespaceNames()].length).toBeLessThan(70)
  })
})
