/** What nodes do together as one would alone: end overrides, count silent deaths, guard an id, explain. */
import { describe, expect, it } from 'vitest'
import { LIVENESS_DEFAULTS } from '../liveness/options.js'
import { keyOf, ref, type Simulation } from '../simulated-node.fixture.js'
import { Nodes } from './nodes.fixture.js'

function drain(sim: Simulation, durationMs: number): void {
  sim.done({ kind: 'override', refs: [ref('a')], drain: true, durationMs, by: 'ann' })
}

describe('an override with a duration', () => {
  it('is ended by the judge, in one write, whichever node wrote it', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    nodes.register('b', { liveness: 'static' })
    nodes.run(500)
    drain(nodes.get('a'), 5_000)
    nodes.run(4_900)
    nodes.writes = 0
    expect(nodes.seen()[0]).toMatch(/^draining/)
    nodes.run(30_000)
    expect(nodes.seen()[0]).toMatch(/^up/)
    expect(nodes.writes).toBe(1)
    expect(nodes.get('c').record()?.override?.node).toBe('b.1')
  })

  it('is ended by another node where the judge is gone, or is judged by another one by then', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    nodes.register('b', { liveness: 'static' })
    nodes.run(500)
    drain(nodes.get('a'), 5_000)
    nodes.run(1_000)
    nodes.kill('b')
    nodes.run(20_000)
    expect(nodes.seen()[0]).toMatch(/^up/)
    expect(nodes.get('c').record()?.override?.node).toMatch(/^[ac]\.1$/)
    expect(nodes.get('a').record()?.override).toEqual(nodes.get('c').record()?.override)
  })

  it('ends by itself at each node where none of them is told anything', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.register('b', { liveness: 'static' })
    nodes.run(500)
    drain(nodes.get('b'), 5_000)
    nodes.run(500)
    nodes.engine('a', false)
    nodes.engine('b', false)
    nodes.link('a', 'b', false)
    nodes.run(10_000)
    expect(nodes.get('b').shown()).toBe('up')
    expect(nodes.get('a').shown()).toMatch(/^draining/)
    nodes.run(20_000)
    expect(nodes.get('a').shown()).toBe('up')
  })
})

describe('silent deaths', () => {
  it('that another node judged count for the breaker of the service here', () => {
    const nodes = new Nodes(['a', 'b'], { liveness: { serviceBreaker: LIVENESS_DEFAULTS.serviceBreaker } })
    // Of twenty, silence may hold six, whichever node judges them.
    for (let index = 0; index < 10; index++) {
      nodes.register('a', { id: `a${index}` })
      nodes.register('b', { id: `b${index}` })
    }
    nodes.network(() => 'failed')
    const down = (): number[] => ['a', 'b'].map((name) => nodes.get(name).node.directory.states.down)
    const beats = (from: number) => () => {
      for (let index = from; index < 10; index++) nodes.get('a').beat(`a${index}`, 5)
      for (let index = 0; index < 10; index++) nodes.get('b').beat(`b${index}`, 5)
    }
    nodes.every(5_000, 30_000, beats(5))
    expect(down()).toEqual([5, 5])
    nodes.every(5_000, 30_000, beats(6))
    expect(down()).toEqual([6, 6])
    nodes.run(30_000)
    expect(down()).toEqual([6, 6])
    const { guard } = nodes.get('b').read.view({ namespace: 'default', service: 'orders' }) ?? {}
    expect(guard).toMatchObject({ tripped: true })
  })
})

describe('an id that a process holds', () => {
  it('is not given to another with a lower number where only another node hears it (M2)', () => {
    const nodes = new Nodes(['a', 'b'])
    const session = nodes.session('a')
    nodes.register('a', { incarnation: 200 }, session)
    nodes.run(1_000)
    const vacant: unknown[] = []
    const waiting = nodes.session('b', { onVacant: (refs) => vacant.push(...refs) })
    expect(nodes.get('b').register({ incarnation: 100 }, waiting)).toMatchObject({
      ok: false,
      error: { code: 'id_taken', details: { standby: true } },
    })
    nodes.network(() => 'failed')
    session.close()
    nodes.run(1_000)
    expect(vacant).toMatchObject([{ id: 'a', incarnation: 200 }])
  })
})

describe('an explanation', () => {
  it('names the judge, and for how long it has been that', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.register('a')
    nodes.run(2_000)
    const at = (name: string) => nodes.get(name).read.explain(keyOf('a'))
    expect(at('a')?.judge).toEqual({ node: 'a.1', claim: 1, own: true, sinceMs: 2_000 })
    expect(at('b')?.judge).toMatchObject({ node: 'a.1', claim: 1, own: false })
    expect(at('b')?.summary).toContain('Node a.1 judges it, not this one.')
    nodes.register('b', {}, nodes.session('b'))
    nodes.run(1_000)
    expect(at('b')?.judge).toEqual({ node: 'b.1', claim: 2, own: true, sinceMs: 1_000 })
    expect(at('a')?.judge).toMatchObject({ node: 'b.1', claim: 2, own: false })
  })

  it('says when another node heard it last', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.register('a')
    nodes.run(1_000)
    nodes.get('b').beat('a', 5)
    nodes.run(2_000)
    const explanation = nodes.get('a').read.explain(keyOf('a'))
    expect(explanation?.evidence?.toldMs).toBeGreaterThanOrEqual(1_900)
    expect(explanation?.summary).toMatch(/Another node heard it (1\.9|2\.0) s ago/)
  })
})
