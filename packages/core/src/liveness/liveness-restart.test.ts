/** Instances that a node has not heard since it started. */
import { describe, expect, it } from 'vitest'
import { keyOf, ref, Simulation, type SimulationOptions } from '../simulated-node.fixture.js'
import type { RegisterCommand } from '../commands.js'

/** A node that restarts with one instance, of which it has only read in its journal. */
function restarted(
  overrides: Partial<RegisterCommand> = {},
  options: SimulationOptions = {},
  before?: (sim: Simulation) => void,
) {
  const former = new Simulation()
  former.register({ incarnation: 5, ...overrides })
  before?.(former)
  const sim = new Simulation({ nodeId: 'node-2', ...options })
  sim.network = () => 'silence'
  return { sim, load: () => sim.node.load(former.entries, sim.now) }
}

describe('an instance this node never heard, after a restart', () => {
  it('is not written, published or doubted by the restart itself', () => {
    const { sim, load } = restarted()
    load()
    sim.run(14_900)
    expect(sim.entries).toEqual([])
    expect(sim.shown()).toBe('up')
    expect(sim.record()?.verdict).toMatchObject({ node: 'node-1', claim: 1 })
  })

  it('is suspect after one lease and a failed probe, and down only after ten minutes (M1)', () => {
    const { sim, load } = restarted()
    load()
    sim.run(700_000)
    expect(sim.transcript).toEqual([
      '16000 a suspect unheard',
      '601000 a down long_silence',
      '661000 a hidden down_too_long',
    ])
  })

  it('is doubted no later because consumers that cannot reach it say so before', () => {
    const { sim, load } = restarted()
    sim.network = () => 'refused'
    load()
    sim.every(2_000, () => sim.node.unreachable([ref('a', 5)], sim.now))
    sim.run(14_900)
    expect(sim.transcript).toEqual([])
    sim.run(300)
    expect(sim.transcript).toEqual(['15001 a suspect unheard'])
  })

  it('is judged by this node from then on: it takes the claim once', () => {
    const { sim, load } = restarted()
    load()
    sim.run(700_000)
    expect(sim.record()?.verdict).toMatchObject({ node: 'node-2', claim: 2 })
  })

  it('that answers connections is up for ten minutes, and then as any stopped process', () => {
    const { sim, load } = restarted()
    sim.network = () => 'succeeded'
    load()
    sim.run(700_000)
    expect(sim.transcript[0]).toBe('600000 a suspect unheard')
    expect(sim.transcript[1]).toMatch(/^630000 a down/)
    expect(sim.inFlightMax).toBe(1)
  })

  it('is down by a refusal if this node connected to it before', () => {
    const { sim, load } = restarted()
    sim.network = () => 'succeeded'
    load()
    sim.run(5_000)
    sim.network = () => 'refused'
    sim.run(15_000)
    expect(sim.transcript).toEqual(['15052 a down refused'])
  })

  it('is only suspect by refusals to a node that never connected to it', () => {
    const { sim, load } = restarted()
    sim.network = () => 'refused'
    load()
    sim.run(300_000)
    expect(sim.transcript).toEqual(['15001 a suspect unheard'])
  })

  it('without a probe is suspect after one lease', () => {
    const { sim, load } = restarted({ probe: { type: 'none' } })
    load()
    sim.run(60_000)
    expect(sim.transcript).toEqual(['15001 a suspect unheard'])
  })

  it('is heard by its next beat, which writes nothing', () => {
    const { sim, load } = restarted()
    load()
    sim.every(5_000, () => sim.beat('a', 5))
    sim.run(700_000)
    expect(sim.entries).toEqual([])
    expect(sim.beat('a', 4).superseded).toHaveLength(1)
  })

  it('holds its id against a lower number until it is doubted', () => {
    const { sim, load } = restarted()
    load()
    const elsewhere = { incarnation: 4, port: 4000 }
    expect(sim.register(elsewhere)).toMatchObject({ ok: false, error: { code: 'id_taken' } })
    sim.run(20_000)
    expect(sim.register(elsewhere)).toMatchObject({ ok: false, error: { code: 'superseded' } })
  })

  it('gives its id up at once to who is at its address, unless it was heard itself', () => {
    const { sim, load } = restarted()
    load()
    sim.network = () => 'succeeded'
    expect(sim.register({ incarnation: 4 })).toMatchObject({ ok: false, error: { code: 'superseded' } })
    sim.beat('a', 5)
    expect(sim.register({ incarnation: 4 })).toMatchObject({ ok: false, error: { code: 'id_taken' } })
  })

  it('is renewed by its own registration without a write', () => {
    const { sim, load } = restarted()
    load()
    sim.register({ incarnation: 5 }, sim.openSession())
    expect(sim.entries).toEqual([])
  })

  it('is brought back by its session after it was doubted, with a raised claim', () => {
    const { sim, load } = restarted()
    load()
    sim.run(20_000)
    sim.register({ incarnation: 5 }, sim.openSession())
    expect(sim.shown()).toBe('up')
    expect(sim.record()?.verdict).toMatchObject({ node: 'node-2', claim: 2, value: 'up' })
  })

  it('that was expired or gone stays hidden', () => {
    for (const before of [
      (former: Simulation) => void former.deregister('a', 5),
      (former: Simulation) => {
        former.network = () => 'silence'
        former.run(90_000)
      },
    ]) {
      const { sim, load } = restarted({}, {}, before)
      load()
      sim.run(60_000)
      expect(sim.shown()).toBeUndefined()
      expect(sim.record()).toBeDefined()
      expect(sim.entries).toEqual([])
    }
  })

  it('that is static is up for good, and one that is probed is judged by its probes at once', () => {
    const sim = new Simulation({ nodeId: 'node-2' })
    const former = new Simulation()
    former.register({ id: 'static', incarnation: 5, liveness: 'static' })
    former.register({ id: 'probed', incarnation: 5, liveness: 'probe' })
    sim.network = () => 'silence'
    sim.node.load(former.entries, sim.now)
    sim.run(20_000)
    expect([sim.shown('static'), sim.shown('probed')]).toEqual(['up', 'down silence'])
  })

  it('is judged also by a node that was given the name of its former boot', () => {
    const { sim } = restarted({}, { nodeId: 'node-1' })
    const former = new Simulation()
    former.register({ incarnation: 5 })
    const record = former.record()
    if (record === undefined) throw new Error('not registered')
    sim.node.load(
      [{ kind: 'record', record: { ...record, verdict: { ...record.verdict, seq: 1_000_000 } } }],
      sim.now,
    )
    sim.run(20_000)
    expect(sim.transcript).toEqual(['16000 a suspect unheard'])
  })

  it('is nobody of whom the journal says that it was forgotten', () => {
    const sim = new Simulation({ nodeId: 'node-2' })
    const former = new Simulation()
    former.register({ incarnation: 5 })
    former.deregister('a', 5)
    former.register({ id: 'back', incarnation: 5 })
    former.deregister('back', 5)
    former.run(3_700_000)
    former.register({ id: 'back', incarnation: 6 })
    sim.node.load(former.entries, sim.now)
    expect(sim.record('a')).toBeUndefined()
    expect(sim.shown('back')).toBe('up')
  })
})

/** A node that restarts from the snapshot of one that had connected to its instance. */
function connectedBefore(overrides: Partial<RegisterCommand> = {}) {
  const former = new Simulation()
  former.register({ incarnation: 5, ...overrides })
  former.run(1_000)
  const sim = new Simulation({ nodeId: 'node-2' })
  sim.network = () => 'refused'
  const kept = [...former.node.snapshot()]
  return { former, kept, sim, load: () => sim.node.load(kept, sim.now) }
}

describe('an instance that an earlier boot once connected to, after a restart', () => {
  it('is suspect after a lease, and down when its port has refused for three more', () => {
    const { sim, load } = connectedBefore()
    load()
    sim.run(80_000)
    expect(sim.transcript).toEqual(['15001 a suspect unheard', '60001 a down refused'])
    expect(sim.inFlightMax).toBe(1)
  })

  it('that was suspect already is down after three leases of refusals', () => {
    const { former, sim } = connectedBefore()
    former.network = () => 'silence'
    former.run(12_000)
    expect(former.shown()).toBe('suspect silence')
    sim.node.load(former.node.snapshot(), sim.now)
    sim.run(80_000)
    expect(sim.transcript).toEqual(['45051 a down refused'])
  })

  it('stays suspect for ten minutes when every fifth answer is no refusal', () => {
    for (const other of ['silence', 'failed', 'unable'] as const) {
      const { sim, load } = connectedBefore()
      load()
      let asked = 0
      sim.network = ({ purpose }) => (purpose === 'evidence' && ++asked % 5 === 0 ? other : 'refused')
      sim.run(590_000)
      expect(sim.shown()).toBe('suspect unheard')
    }
  })

  it('is one that this boot connected to once its port answers: then two refusals are proof', () => {
    const { sim, load } = connectedBefore()
    load()
    sim.after(20_000, () => {
      sim.network = () => 'succeeded'
    })
    sim.after(25_000, () => {
      sim.network = () => 'refused'
    })
    sim.run(60_000)
    expect(sim.transcript).toEqual(['15001 a suspect unheard', '30052 a down refused'])
  })

  it('is down no sooner and no later because consumers say that they cannot reach it', () => {
    const { sim, load } = connectedBefore()
    load()
    sim.every(1_500, () => sim.node.unreachable([ref('a', 5)], sim.now))
    sim.run(80_000)
    expect(sim.transcript[0]).toBe('15001 a suspect unheard')
    expect(sim.transcript[1]).toMatch(/^4\d{4} a down refused$/)
  })

  it('is foretold to go down after ten minutes where its port does not refuse, however often it is asked until then', () => {
    const { sim, load } = connectedBefore({ leaseMs: 1_000 })
    sim.network = () => 'silence'
    load()
    sim.run(10_000)
    const { next } = sim.read.explain(keyOf('a')) ?? {}
    expect(next).toMatchObject({ verdict: 'down', reason: 'silence' })
    sim.run((next?.inMs ?? 0) - 1_500)
    expect(sim.shown()).toMatch(/^suspect/)
    sim.run(3_000)
    expect(sim.shown()).toMatch(/^down/)
  })

  it('is heard by its next beat, whatever refused before', () => {
    const { sim, load } = connectedBefore()
    load()
    sim.run(50_000)
    sim.every(5_000, () => sim.beat('a', 5))
    sim.run(60_000)
    expect(sim.transcript).toEqual(['15001 a suspect unheard', '55000 a up heard'])
  })

  it('counts at the address of that time only', () => {
    const { former, sim } = connectedBefore()
    former.network = () => 'silence'
    former.register({ incarnation: 5, rev: 2, port: 3001 })
    former.run(100)
    sim.node.load([...former.entries, ...former.node.snapshot()], sim.now)
    sim.run(300_000)
    expect(sim.transcript).toEqual(['15001 a suspect unheard'])
  })

  it('is remembered over any number of boots, and through their writes', () => {
    const { sim, load } = connectedBefore()
    load()
    sim.run(20_000)
    const third = new Simulation({ nodeId: 'node-3' })
    third.network = () => 'refused'
    // Of the second boot nothing but its own writes: the verdict carries what the snapshot said.
    third.node.load(sim.entries, third.now)
    third.run(60_000)
    expect(third.transcript).toEqual(['45051 a down refused'])
  })

  it('costs no entry of its own: it is told with the next write of the record, or a snapshot', () => {
    const { former, kept } = connectedBefore()
    expect(former.entries).toEqual([expect.not.objectContaining({ baseline: true })])
    expect(kept).toEqual([expect.objectContaining({ kind: 'record', baseline: true })])
    former.register({ incarnation: 5, rev: 2, weight: 50 })
    expect(former.entries[1]).toMatchObject({ kind: 'record', baseline: true })
    former.register({ incarnation: 5, rev: 3, port: 3001 })
    expect(former.entries[2]).not.toHaveProperty('baseline')
    former.run(100)
    former.register({ incarnation: 6, port: 3001 })
    expect(former.entries[3]).not.toHaveProperty('baseline')
  })
})
