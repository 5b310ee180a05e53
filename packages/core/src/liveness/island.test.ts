/** A node without the engine: what goes on, what waits, and what it does when it has the engine again (T19, F13). */
import { describe, expect, it } from 'vitest'
import { Nodes } from '../cluster/nodes.fixture.js'
import { keyOf, ref, Simulation } from '../simulated-node.fixture.js'

function node(): Simulation {
  const sim = new Simulation()
  sim.network = () => 'failed'
  return sim
}

function isolate(sim: Simulation, island: boolean): void {
  sim.node.fare({ stale: false, island }, sim.now)
}

describe('on an island', () => {
  it('the silent are suspect, but not down, and an explanation says why', () => {
    const sim = node()
    sim.register({ incarnation: 5 })
    isolate(sim, true)
    sim.run(3_600_000)
    expect(sim.shown()).toBe('suspect silence')
    const explanation = sim.read.explain(keyOf('a'))
    expect(explanation?.guards.held).toBe('island')
    expect(explanation?.summary).toContain('this node lost the engine')
    isolate(sim, false)
    sim.run(14_000)
    expect(sim.shown()).toBe('suspect silence')
    sim.run(2_000)
    expect(sim.shown()).toMatch(/^down /)
  })

  it('what is down does not expire', () => {
    const sim = node()
    sim.register({ incarnation: 5 })
    sim.run(20_000)
    expect(sim.shown()).toBe('down silence')
    isolate(sim, true)
    sim.run(3_600_000)
    expect(sim.shown()).toBe('down silence')
    isolate(sim, false)
    sim.run(16_000)
    expect(sim.shown()).toBeUndefined()
  })

  it('refusals are believed, deregistrations final, and a sound reverses a verdict', () => {
    const sim = node()
    sim.network = () => 'succeeded'
    sim.register({ incarnation: 5 })
    sim.register({ id: 'b', incarnation: 5 })
    sim.run(1_500)
    isolate(sim, true)
    sim.network = () => 'refused'
    sim.node.unreachable([ref('a', 5)], sim.now)
    sim.run(1_000)
    expect(sim.shown()).toBe('down refused')
    sim.beat('a', 5)
    expect(sim.shown()).toBe('up')
    sim.deregister('b', 5)
    expect(sim.shown('b')).toBeUndefined()
  })
})

describe('when the engine is back', () => {
  it('nothing happens to what was heard throughout (F13)', () => {
    const sim = node()
    sim.register({ incarnation: 5 })
    const stop = sim.every(5_000, () => sim.beat('a', 5))
    sim.mark()
    for (let outage = 0; outage < 10; outage++) {
      isolate(sim, true)
      sim.run(20_000)
      isolate(sim, false)
      sim.run(10_000)
    }
    expect(sim.transcript).toEqual([])
    // And an engine that comes and goes does not put off that a silent one is doubted.
    stop()
    for (let outage = 0; outage < 3; outage++) {
      isolate(sim, true)
      sim.run(2_500)
      isolate(sim, false)
      sim.run(2_500)
    }
    expect(sim.shown()).toBe('suspect silence')
  })

  it('what beat at other nodes meanwhile is not taken for dead', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.register('a')
    nodes.network(() => 'failed')
    nodes.run(1_000)
    for (const name of ['a', 'b']) nodes.engine(name, false)
    nodes.link('a', 'b', false)
    nodes.every(5_000, 120_000, () => nodes.get('b').beat('a', 5))
    expect(nodes.seen()).toEqual(['suspect silence a.1', 'up a.1'])
    nodes.link('a', 'b', true)
    for (const name of ['a', 'b']) nodes.engine(name, true)
    nodes.every(5_000, 60_000, () => nodes.get('b').beat('a', 5))
    expect(nodes.seen().map((line) => line.slice(0, 3))).toEqual(['up ', 'up '])
    expect(nodes.get('b').transcript.filter((line) => line.includes(' down '))).toEqual([])
  })
})
