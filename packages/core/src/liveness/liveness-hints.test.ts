/** Hints: what consumers could not reach is asked. */
import { describe, expect, it } from 'vitest'
import { ref, Simulation } from '../simulated-node.fixture.js'
import { LIVENESS_DEFAULTS } from './options.js'

/** An instance that beats every 5 s, and has its baseline. */
function beating() {
  const sim = new Simulation()
  sim.register({ incarnation: 5 })
  const freeze = sim.every(5_000, () => sim.node.heard([ref('a', 5)], sim.now))
  sim.run(11_000)
  sim.mark()
  return { sim, freeze }
}

/** An instance on a session that pings every 3 s. */
function vouched() {
  const sim = new Simulation()
  const session = sim.openSession()
  sim.register({ incarnation: 5 }, session)
  sim.every(3_000, () => session.heard())
  sim.run(10_000)
  sim.mark()
  return sim
}

const hint = (sim: Simulation, incarnation = 5): void =>
  sim.node.unreachable([ref('a', incarnation)], sim.now)

describe('a hint', () => {
  it('finds a killed process that beats in a fraction of a second (G2)', () => {
    const { sim, freeze } = beating()
    freeze()
    sim.network = () => 'refused'
    hint(sim)
    sim.run(60_000)
    expect(sim.transcript).toEqual(['52 a down refused'])
  })

  it('judges nobody by itself, and says nothing of an instance that is heard', () => {
    for (const answer of ['succeeded', 'failed', 'silence', 'skipped'] as const) {
      const { sim } = beating()
      sim.network = () => answer
      hint(sim)
      sim.run(30_000)
      expect(sim.asked('evidence')).toEqual([0])
      expect(sim.transcript).toEqual([])
    }
  })

  it('does not touch a session that is heard when the probe fails', () => {
    const sim = vouched()
    sim.network = () => 'silence'
    hint(sim)
    sim.run(30_000)
    expect(sim.asked('evidence')).toEqual([0])
    expect(sim.transcript).toEqual([])
  })

  it('that two refusals confirm is believed until the next live evidence', () => {
    for (const sim of [vouched(), beating().sim]) {
      sim.network = () => 'refused'
      hint(sim)
      sim.run(20_000)
      expect(sim.transcript[0]).toBe('52 a down refused')
      expect(sim.transcript[1]).toMatch(/^\d{4} a up heard$/)
      expect(sim.transcript).toHaveLength(2)
    }
  })

  it('asks at most once a second, and never twice at a time while no answer comes', () => {
    const sim = vouched()
    sim.network = () => 'silence'
    sim.every(100, () => hint(sim))
    sim.run(10_000)
    const asked = sim.asked('evidence')
    expect(asked.length).toBeGreaterThan(5)
    expect(asked.every((at, index) => index === 0 || at - (asked[index - 1] ?? at) >= 1_000)).toBe(true)
    expect(sim.inFlightMax).toBe(1)
  })

  it('asks at most once a second also when the answer comes at once', () => {
    const sim = vouched()
    sim.every(100, () => hint(sim))
    sim.run(10_050)
    const asked = sim.asked('evidence')
    expect(asked.length).toBeGreaterThan(5)
    expect(asked.length).toBeLessThanOrEqual(10)
  })

  it('does not make one more of the refusals of an earlier hint', () => {
    const sim = vouched()
    const one = (): void => {
      let refusals = 1
      sim.network = () => (refusals-- > 0 ? 'refused' : 'succeeded')
      hint(sim)
      sim.run(5_000)
    }
    one()
    one()
    expect(sim.transcript).toEqual([])
  })

  it('does not let a firewall that refuses the registry take more than refusals may', () => {
    const { watcherBreaker } = LIVENESS_DEFAULTS
    const sim = new Simulation({ liveness: { watcherBreaker } })
    const refs = Array.from({ length: 60 }, (_, n) => ref(`i${n}`))
    for (const { id } of refs) {
      const session = sim.openSession()
      sim.register({ id }, session)
      sim.every(3_000, () => session.heard())
    }
    sim.run(10_000)
    sim.network = () => 'refused'
    for (let wave = 0; wave < 3; wave++) {
      sim.mark()
      sim.node.unreachable(refs, sim.now)
      sim.run(1_000)
      expect(sim.transcript.filter((line) => line.endsWith('down refused')).length).toBeLessThanOrEqual(30)
      sim.run(20_000)
    }
  })

  it('leads to nothing for others than a living, probed incarnation', () => {
    const { sim } = beating()
    hint(sim, 4)
    hint(sim, 6)
    sim.node.unreachable([ref('x', 1)], sim.now)
    sim.register({ id: 's', liveness: 'static' })
    sim.register({ id: 'n', probe: { type: 'none' } })
    sim.register({ id: 'g' })
    sim.deregister('g')
    sim.run(1_000)
    sim.mark()
    for (const id of ['s', 'n', 'g']) sim.node.unreachable([ref(id)], sim.now)
    sim.run(1_000)
    expect(sim.asked('evidence')).toEqual([])
  })
})
