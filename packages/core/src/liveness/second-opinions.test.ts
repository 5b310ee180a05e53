/** A node that doubts its ears asks another one to probe: what that finds, and how much it may ask. */
import { describe, expect, it } from 'vitest'
import { LIVENESS_DEFAULTS } from './options.js'
import type { ProbeRequest } from '../ports.js'
import { keyOf, Simulation } from '../simulated-node.fixture.js'

/** A node whose instances all beat, and then fall silent for it at once. */
function deaf(count: number, leaseMs = 15_000): { sim: Simulation; asked: ProbeRequest[] } {
  const sim = new Simulation({ liveness: { watcherBreaker: LIVENESS_DEFAULTS.watcherBreaker } })
  sim.network = () => 'failed'
  const asked: ProbeRequest[] = []
  sim.consult = (request) => asked.push(request)
  for (let index = 0; index < count; index++) sim.register({ id: `i${index}`, incarnation: 5, leaseMs })
  return { sim, asked }
}

describe('a node that doubts its ears', () => {
  it('believes the silence of those that another node cannot reach either, and of no others', () => {
    const { sim, asked } = deaf(10)
    sim.run(10_000)
    expect(asked.map(({ key }) => key.id).sort()).toEqual(Array.from({ length: 10 }, (_, n) => `i${n}`))
    expect(asked[0]).toMatchObject({ purpose: 'evidence', host: '10.0.0.1', port: 3000, incarnation: 5 })
    const outcomes = ['failed', 'refused', 'succeeded', 'unable', 'skipped'] as const
    outcomes.forEach((outcome, index) => {
      const request = asked.find(({ key }) => key.id === `i${index}`) as ProbeRequest
      sim.node.consulted(request, outcome, sim.now)
    })
    sim.run(100)
    const shown = [0, 1, 2, 3, 4, 5].map((index) => sim.shown(`i${index}`))
    // A refusal there counts as a failure: this node has not seen the port refuse.
    expect(shown).toEqual(['suspect silence', 'suspect silence', 'up', 'up', 'up', 'up'])
    expect(sim.read.explain(keyOf('i2'))?.guards.held).toBe('watcher_doubt')
  })

  it('asks of each once per lease', () => {
    const { sim, asked } = deaf(10)
    sim.run(10_000)
    expect(asked.length).toBe(10)
    sim.run(12_000)
    expect(asked.length).toBe(10)
    sim.run(4_000)
    expect(asked.length).toBe(20)
  })

  it('has few questions under way, and more when those are answered, or late', () => {
    const { sim, asked } = deaf(500)
    sim.run(8_600)
    expect(asked.length).toBe(64)
    for (const request of [...asked]) sim.node.consulted(request, 'succeeded', sim.now)
    sim.run(600)
    expect(asked.length).toBe(128)
    sim.run(3_000)
    expect(asked.length).toBeGreaterThan(128)
    expect(new Set(asked.map(({ key }) => key.id)).size).toBe(asked.length)
  })

  it('takes no answer that it did not ask for, or that comes when the instance was heard', () => {
    const { sim, asked } = deaf(10)
    sim.run(5_000)
    const unasked: ProbeRequest = {
      key: keyOf('i0'),
      incarnation: 5,
      host: '10.0.0.1',
      port: 3000,
      type: 'tcp',
      purpose: 'evidence',
      timeoutMs: 1_000,
      delayMs: 0,
    }
    sim.node.consulted(unasked, 'failed', sim.now)
    sim.run(5_000)
    sim.beat('i1', 5)
    sim.node.consulted(asked.find(({ key }) => key.id === 'i1') as ProbeRequest, 'failed', sim.now)
    sim.run(1_000)
    expect([sim.shown('i0'), sim.shown('i1')]).toEqual(['up', 'up'])
  })

  it('asks nothing where nothing is to be probed, or while it trusts its ears', () => {
    const { sim, asked } = deaf(3)
    sim.run(10_000)
    expect(sim.shown('i0')).toBe('suspect silence')
    const mute = new Simulation({ liveness: { watcherBreaker: LIVENESS_DEFAULTS.watcherBreaker } })
    mute.consult = (request) => asked.push(request)
    for (let index = 0; index < 10; index++)
      mute.register({ id: `i${index}`, incarnation: 5, probe: { type: 'none' } })
    mute.run(10_000)
    expect(asked).toEqual([])
  })
})
