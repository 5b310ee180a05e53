/** What a node finds by probes that it makes on behalf of others is evidence, as far as it is about the instance. */
import { describe, expect, it } from 'vitest'
import { keyOf, Simulation } from '../simulated-node.fixture.js'
import type { ProbeOutcome, ProbeRequest } from '../ports.js'

const HTTP = { type: 'http', path: '/health' } as const

const asked = (more: Partial<ProbeRequest> = {}): ProbeRequest => ({
  ...HTTP,
  key: keyOf('a'),
  incarnation: 5,
  host: '10.0.0.1',
  port: 3000,
  purpose: 'evidence',
  timeoutMs: 1_000,
  delayMs: 0,
  ...more,
})

/** An endpoint that was not ready while the rules looked for a baseline. */
function late(more: object = {}): Simulation {
  const sim = new Simulation()
  sim.network = () => 'failed'
  sim.register({ incarnation: 5, liveness: 'probe', probe: HTTP, ...more })
  sim.run(3_000)
  sim.mark()
  return sim
}

const witness = (sim: Simulation, outcome: ProbeOutcome, more: Partial<ProbeRequest> = {}, agoMs = 1): void =>
  sim.node.witnessed(asked(more), outcome, agoMs, sim.now)

describe('what is witnessed', () => {
  it('is a baseline: the next refusal is believed as soon as another one follows', () => {
    const sim = late()
    witness(sim, 'succeeded')
    sim.run(1_000)
    sim.network = () => 'refused'
    witness(sim, 'refused')
    sim.run(200)
    expect(sim.transcript).toEqual(['1051 a down refused'])
  })

  it('is no baseline at another port, where a refusal is a reason to ask', () => {
    const sim = late()
    witness(sim, 'succeeded', { port: 4000 })
    sim.network = () => 'refused'
    sim.run(1_000)
    sim.mark()
    witness(sim, 'refused', { port: 4000 })
    expect(sim.asked('evidence')).toEqual([0])
    sim.run(200)
    expect(sim.transcript).toEqual([])
  })

  it('is evidence of life, also for one that was down', () => {
    const sim = late()
    witness(sim, 'succeeded')
    sim.network = () => 'refused'
    sim.run(1_000)
    witness(sim, 'refused')
    sim.run(1_000)
    sim.mark()
    witness(sim, 'succeeded')
    expect(sim.transcript).toEqual(['0 a up heard'])
  })

  it('puts silence off as long as it goes on, so that the rules need not ask', () => {
    const sim = late()
    const end = sim.every(1_000, () => witness(sim, 'succeeded'))
    sim.run(60_000)
    end()
    expect(sim.transcript).toEqual([])
  })

  it('says nothing against one that was heard since, is another incarnation, or is judged elsewhere', () => {
    const sim = late()
    witness(sim, 'succeeded')
    sim.run(100)
    sim.network = () => 'refused'
    sim.mark()
    witness(sim, 'refused', {}, 500)
    witness(sim, 'refused', { incarnation: 4 })
    sim.run(200)
    expect([sim.transcript, sim.asked('evidence')]).toEqual([[], []])
  })

  it('of one refusal alone is no death: it is asked again, and answers', () => {
    const sim = late()
    witness(sim, 'succeeded')
    sim.run(100)
    sim.network = () => 'succeeded'
    witness(sim, 'refused')
    sim.run(1_000)
    expect(sim.transcript).toEqual([])
  })
})
