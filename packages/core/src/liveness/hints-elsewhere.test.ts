/** Hints at a node that does not judge: the node that judges is told, and asks. */
import { describe, expect, it } from 'vitest'
import { Nodes } from '../cluster/nodes.fixture.js'
import { ref } from '../simulated-node.fixture.js'

/** An instance that beats at `a`, which judges it, and that every node has known for long. */
function beatingAtA(): { readonly nodes: Nodes; readonly beat: (forMs: number) => void } {
  const nodes = new Nodes(['a', 'b', 'c'])
  nodes.register('a')
  const beat = (forMs: number): void =>
    nodes.every(5_000, forMs, () => nodes.get('a').node.heard([ref('a', 5)], nodes.get('a').now))
  beat(15_000)
  return { nodes, beat }
}

function hint(nodes: Nodes, at: string): void {
  const sim = nodes.get(at)
  sim.node.unreachable([ref('a', 5)], sim.now)
}

describe('a hint at another node than the judge', () => {
  it('finds a killed process within a second (G2)', () => {
    const { nodes } = beatingAtA()
    nodes.network(() => 'refused')
    hint(nodes, 'b')
    nodes.run(1_000)
    expect(nodes.seen()).toEqual(Array.from({ length: 3 }, () => 'down refused a.1'))
    expect(nodes.get('b').asked('evidence')).toEqual([])
  })

  it('leads to nothing while the two are apart, and is told again', () => {
    const { nodes } = beatingAtA()
    nodes.link('a', 'b', false)
    nodes.network(() => 'refused')
    hint(nodes, 'b')
    nodes.run(1_000)
    expect(nodes.seen()[0]).toBe('up a.1')
    nodes.link('a', 'b', true)
    hint(nodes, 'b')
    nodes.run(1_000)
    expect(nodes.seen()[0]).toBe('down refused a.1')
  })

  it('is passed on once a second at most, however many consumers tell of it', () => {
    const { nodes } = beatingAtA()
    const told: string[] = []
    nodes.get('b').passUnreachable = (judge, refs) => told.push(`${judge} ${refs.map(({ id }) => id).join()}`)
    for (let turn = 0; turn < 100; turn++) {
      hint(nodes, 'b')
      nodes.run(50)
    }
    expect(told.length).toBeGreaterThan(3)
    expect(told.length).toBeLessThanOrEqual(5)
    expect(new Set(told)).toEqual(new Set(['a.1 a']))
  })

  it('goes no further where it is not judged either: two nodes that take each other for the judge end there', () => {
    const { nodes } = beatingAtA()
    const told: string[] = []
    nodes.get('b').passUnreachable = (judge) => told.push(judge)
    nodes.get('b').node.unreachableElsewhere([{ ...ref('a'), incarnation: 5 }], nodes.get('b').now)
    expect(told).toEqual([])
  })

  it('of another incarnation leads to nothing', () => {
    const { nodes } = beatingAtA()
    nodes.network(() => 'refused')
    const sim = nodes.get('b')
    sim.node.unreachable([ref('a', 4), ref('a', 6), ref('x', 5)], sim.now)
    nodes.run(1_000)
    expect(nodes.seen()[0]).toBe('up a.1')
  })
})
