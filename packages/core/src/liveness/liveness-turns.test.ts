/** What liveness does in one turn of the event loop: a bounded part, however many fall silent or leave at once. */
import { describe, expect, it } from 'vitest'
import { Simulation } from '../simulated-node.fixture.js'
import { TICK_MS } from './liveness.js'

const MANY = 5_000

function crowd(session?: ReturnType<Simulation['openSession']>, sim = new Simulation()): Simulation {
  for (let n = 0; n < MANY; n++) sim.register({ id: `i${n}`, incarnation: 1 }, session)
  sim.run(100)
  sim.mark()
  return sim
}

describe('in one turn', () => {
  it('a session that closes has a bounded number of its registrations asked, and the rest in the next ticks', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    crowd(session, sim)
    sim.network = () => 'refused'
    session.close()
    const asked = [sim.asked('evidence').length]
    for (let tick = 0; tick < 3; tick++) {
      sim.run(TICK_MS)
      asked.push(new Set(sim.probes.map(({ key }) => key.id)).size)
    }
    expect(asked[0]).toBe(2_000)
    expect(asked.at(-1)).toBe(MANY)
    sim.run(1_000)
    expect(sim.node.directory.states).toMatchObject({ up: 0, down: MANY })
  })

  it('a bounded number of verdicts is written when all fall silent together', () => {
    const sim = crowd()
    sim.network = () => 'silence'
    const perTick: number[] = []
    const tick = sim.node.tick.bind(sim.node)
    sim.node.tick = (now) => {
      const before = sim.transcript.length + sim.probes.length
      tick(now)
      perTick.push(sim.transcript.length + sim.probes.length - before)
    }
    sim.run(40_000)
    expect(sim.node.directory.states).toMatchObject({ up: 0, down: MANY })
    expect(Math.max(...perTick)).toBe(2_000)
  })
})
