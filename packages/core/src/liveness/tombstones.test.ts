/** What is remembered of those who left where an engine joins the nodes: until it holds it, and as long as it does (G4, M7). */
import { describe, expect, it } from 'vitest'
import type { Entry } from '../directory/directory.js'
import { keyOf, Simulation } from '../simulated-node.fixture.js'

const LONG_MS = 3 * 3_600_000

function joined(): Simulation {
  const sim = new Simulation()
  sim.network = () => 'failed'
  sim.node.directory.joined = true
  return sim
}

function entry(sim: Simulation): Entry | undefined {
  return sim.node.directory.entry(keyOf('a'))
}

describe('a deregistration', () => {
  it('that no engine holds yet is not forgotten, be it of a stray', () => {
    for (const known of [true, false]) {
      const sim = joined()
      if (known) sim.register({ incarnation: 5 })
      sim.deregister('a', 5)
      sim.run(LONG_MS)
      expect(sim.record()?.content.intent).toBe('gone')
      expect(sim.read.explain(keyOf('a'))?.forgottenInMs).toBeUndefined()
      expect(sim.register({ incarnation: 5 })).toMatchObject({ ok: false, error: { code: 'deregistered' } })
    }
  })

  it('that the engine holds is forgotten with it, and nothing of it is left', () => {
    const sim = joined()
    sim.register({ incarnation: 5 })
    sim.deregister('a', 5)
    const held = entry(sim) as Entry
    held.revision = 7
    sim.run(LONG_MS)
    expect(entry(sim)).toBe(held)
    sim.node.directory.forget(held)
    sim.mark()
    sim.run(LONG_MS)
    expect(entry(sim)).toBeUndefined()
    expect(sim.entries).toEqual([])
  })
})

describe('what expired', () => {
  it('and was never in the engine is forgotten after the retention; else with it', () => {
    for (const revision of [0, 7]) {
      const sim = joined()
      sim.register({ incarnation: 5 })
      sim.run(90_000)
      const held = entry(sim) as Entry
      expect(held.state).toBeNull()
      held.revision = revision
      sim.run(LONG_MS)
      expect(entry(sim)).toBe(revision === 0 ? undefined : held)
    }
  })

  it('is watched no more once it was forgotten by another hand', () => {
    const sim = joined()
    sim.register({ incarnation: 5 })
    sim.run(90_000)
    sim.node.directory.forget(entry(sim) as Entry)
    sim.mark()
    sim.run(LONG_MS)
    expect(sim.entries).toEqual([])
    expect(sim.node.directory.services).toBe(0)
  })
})

it('a node by itself forgets as ever', () => {
  const sim = new Simulation()
  sim.deregister('a', 5)
  sim.run(31_000)
  expect(entry(sim)).toBeUndefined()
})
