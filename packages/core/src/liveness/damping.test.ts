/** Flapping instances have to behave before they are up again. */
import { describe, expect, it } from 'vitest'
import { Simulation } from '../simulated-node.fixture.js'
import { LIVENESS_DEFAULTS } from './options.js'

/** Everything on, as users get it. */
const GUARDED = LIVENESS_DEFAULTS

describe('a flapping instance', () => {
  /** Killed and back, so many times. */
  function flap(sim: Simulation, times: number): void {
    for (let round = 0; round < times; round++) {
      const session = sim.openSession()
      sim.register({ incarnation: 5 }, session)
      sim.run(3_000)
      sim.network = () => 'refused'
      session.close()
      sim.run(1_000)
      sim.network = () => 'succeeded'
    }
  }

  /** It is back for good: a session that pings, until the returned function closes it. */
  function stay(sim: Simulation): () => void {
    const session = sim.openSession()
    sim.register({ incarnation: 5 }, session)
    sim.every(3_000, () => session.heard())
    return () => session.close()
  }

  function setUp(): Simulation {
    const sim = new Simulation({ liveness: GUARDED })
    sim.register({ id: 'other', liveness: 'static' })
    return sim
  }

  it('is suspect after its third flip until it has behaved for ten seconds, then for twenty', () => {
    const sim = setUp()
    flap(sim, 3)
    const leave = stay(sim)
    expect(sim.shown()).toBe('suspect flapping')
    sim.run(9_900)
    expect(sim.shown()).toBe('suspect flapping')
    sim.run(200)
    expect(sim.shown()).toBe('up')
    leave()
    flap(sim, 3)
    stay(sim)
    sim.run(19_900)
    expect(sim.shown()).toBe('suspect flapping')
    sim.run(200)
    expect(sim.shown()).toBe('up')
  })

  it('that is lost while it has to behave begins anew when it is back, also after that time', () => {
    const sim = setUp()
    flap(sim, 3)
    const leave = stay(sim)
    sim.run(5_000)
    sim.network = () => 'refused'
    leave()
    sim.run(12_000)
    sim.network = () => 'succeeded'
    expect(sim.shown()).toMatch(/^down /)
    stay(sim)
    expect(sim.shown()).toBe('suspect flapping')
    sim.run(10_100)
    expect(sim.shown()).toBe('up')
  })

  it('is not damped when it is the last one', () => {
    const sim = new Simulation({ liveness: GUARDED })
    flap(sim, 4)
    sim.register({ incarnation: 5 }, sim.openSession())
    expect(sim.shown()).toBe('up')
  })

  it('is damped also when each round is a new incarnation of it', () => {
    const sim = setUp()
    for (let incarnation = 10; incarnation < 14; incarnation++) {
      sim.register({ incarnation, port: 3000 + (incarnation % 2) })
      sim.run(1_000)
    }
    expect(sim.shown()).toBe('suspect flapping')
    // The new incarnation and the verdict on it: two records, neither written twice.
    const written = sim.entries.map((entry) => JSON.stringify(entry))
    expect(new Set(written).size).toBe(written.length)
  })

  it('is written once when its address changes meanwhile', () => {
    const sim = setUp()
    flap(sim, 3)
    const session = sim.openSession()
    sim.register({ incarnation: 5 }, session)
    expect(sim.shown()).toBe('suspect flapping')
    const before = sim.entries.length
    sim.register({ incarnation: 5, rev: 2, port: 3_001 }, session)
    expect(sim.shown()).toBe('suspect flapping')
    expect(sim.entries).toHaveLength(before + 1)
  })

  it('is forgiven after a restart of the node once it has behaved', () => {
    const sim = setUp()
    flap(sim, 3)
    sim.register({ incarnation: 5 }, sim.openSession())
    const next = new Simulation({ liveness: GUARDED, nodeId: 'node-2' })
    next.node.load(sim.node.snapshot(), next.now)
    stay(next)
    expect(next.shown()).toBe('suspect flapping')
    next.run(11_000)
    expect(next.shown()).toBe('up')
  })
})
