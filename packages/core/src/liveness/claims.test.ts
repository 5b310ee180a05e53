/** When a claim is raised, and that it is raised in no other case: sessions that move, beats behind a balancer. */
import { describe, expect, it } from 'vitest'
import { Nodes } from '../cluster/nodes.fixture.js'
import { ref as refOf, type Simulation } from '../simulated-node.fixture.js'

describe('a session that moves', () => {
  it('takes its judge along, and its former one has no doubt (T2)', () => {
    const nodes = new Nodes(['a', 'b'])
    const before = nodes.session('a')
    nodes.register('a', {}, before)
    nodes.network(() => 'failed')
    nodes.run(2_000)
    const session = nodes.session('b')
    nodes.register('b', {}, session)
    before.close()
    nodes.writes = 0
    nodes.every(3_000, 60_000, () => session.heard())
    expect(nodes.seen()).toEqual(['up b.1', 'up b.1'])
    expect(nodes.get('a').transcript).toEqual(['50 a up registered', '2100 a up registered'])
    expect(nodes.writes).toBe(1)
    expect(nodes.get('a').record()?.verdict.claim).toBe(2)
  })

  it('within the grace, its former session closed first', () => {
    const nodes = new Nodes(['a', 'b'])
    const before = nodes.session('a')
    nodes.register('a', {}, before)
    nodes.network(() => 'silence')
    nodes.run(2_000)
    before.close()
    nodes.run(300)
    nodes.register('b', {}, nodes.session('b'))
    nodes.run(3_000)
    for (const name of ['a', 'b'])
      expect(nodes.get(name).transcript.filter((line) => line.includes('suspect'))).toEqual([])
  })

  it('is not asked for again by its pings, its renewals, or one that closed', () => {
    const nodes = new Nodes(['a', 'b'])
    const before = nodes.session('a')
    nodes.register('a', {}, before)
    nodes.run(100)
    const session = nodes.session('b')
    nodes.register('b', {}, session)
    nodes.run(1_000)
    nodes.writes = 0
    nodes.every(3_000, 30_000, () => {
      session.heard()
      before.heard()
      nodes.register('b', {}, session)
    })
    expect(nodes.writes).toBe(0)
  })

  it('is heard where it is doubted elsewhere', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.register('a')
    nodes.network(() => 'failed')
    nodes.run(10_000)
    expect(nodes.seen()).toEqual(['suspect silence a.1', 'suspect silence a.1'])
    nodes.register('b', {}, nodes.session('b'))
    nodes.run(100)
    expect(nodes.seen()).toEqual(['up b.1', 'up b.1'])
  })

  it('speaks at once against the silence that a judge without it heard', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.network(() => 'failed')
    const session = nodes.session('b')
    nodes.register('b', {}, session)
    nodes.run(1_000)
    // As when a node adopted it in the same moment, and its claim won.
    for (const name of ['a', 'b']) judgedBy(nodes.get(name), 'a.1')
    nodes.link('a', 'b', false)
    nodes.every(3_000, 60_000, () => session.heard())
    const doubts = nodes.get('b').transcript.filter((line) => line.includes('suspect'))
    expect(doubts).toHaveLength(1)
    const [doubtedAt = 0, upAt = 0] = nodes
      .get('b')
      .transcript.slice(-2)
      .map((line) => Number(line.split(' ')[0]))
    expect(upAt).toBe(doubtedAt)
    expect(nodes.seen()).toEqual(['up b.1', 'up b.1'])
  })

  it('takes its judge back where another claim was raised in the same moment, and won', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.network(() => 'failed')
    const session = nodes.session('b')
    nodes.register('b', {}, session)
    nodes.run(1_000)
    for (const name of ['b', 'a']) judgedBy(nodes.get(name), 'c.1', 0)
    nodes.run(100)
    nodes.writes = 0
    nodes.link('a', 'b', false)
    nodes.every(3_000, 60_000, () => session.heard())
    expect(nodes.seen()).toEqual(['up b.1', 'up b.1'])
    expect(nodes.writes).toBe(1)
    expect(nodes.get('a').transcript.filter((line) => line.includes('suspect'))).toEqual([])
  })

  it('whose host is gone speaks against it once, and is silent then by itself', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.network(() => 'failed')
    nodes.register('b', {}, nodes.session('b'))
    nodes.run(1_000)
    for (const name of ['a', 'b']) judgedBy(nodes.get(name), 'a.1')
    nodes.get('a').node.unreachable([refOf('a', 5)], nodes.get('a').now)
    nodes.run(30_000)
    expect(nodes.seen()[0]).toMatch(/^(suspect|down) /)
  })

  it('takes a flapping one along as it is: it behaves where its session is, and is up then', () => {
    const nodes = new Nodes(['a', 'b'], {
      liveness: { damping: { flips: 3, windowMs: 60_000, holdMsMin: 10_000, holdMsMax: 60_000 } },
    })
    nodes.register('a', { id: 'other', liveness: 'static' })
    nodes.register('a')
    nodes.run(1_500)
    for (let flips = 0; flips < 3; flips++) {
      nodes.network(() => 'refused')
      nodes
        .get('a')
        .node.unreachable(
          [{ namespace: 'default', service: 'orders', group: 'default', id: 'a' }],
          nodes.get('a').now,
        )
      nodes.run(2_000)
      nodes.network(() => 'succeeded')
      nodes.get('a').beat('a', 5)
    }
    nodes.run(100)
    expect(nodes.seen()).toEqual(['suspect flapping a.1', 'suspect flapping a.1'])
    const session = nodes.session('b')
    nodes.register('b', {}, session)
    nodes.run(100)
    expect(nodes.seen()).toEqual(['suspect flapping b.1', 'suspect flapping b.1'])
    nodes.every(3_000, 12_000, () => session.heard())
    expect(nodes.seen()).toEqual(['up b.1', 'up b.1'])
  })
})

describe('a renewal over HTTP', () => {
  it('at another node raises no claim, nor does new content (T2)', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.register('a')
    nodes.run(1_000)
    nodes.register('b')
    nodes.register('b', { rev: 2, weight: 7 })
    nodes.run(1_000)
    expect(nodes.seen()).toEqual(['up a.1', 'up a.1'])
    expect(nodes.get('a').record()).toMatchObject({ content: { weight: 7 }, verdict: { claim: 1 } })
  })
})

/** Beats about every 5 s, each at the next node, for ten minutes. */
function balanced(nodes: Nodes, ids: readonly string[], forMs = 600_000): void {
  const names = ['a', 'b', 'c']
  nodes.every(4_900, forMs, (turn) => {
    for (const id of ids) nodes.get(names[turn % 3] as string).beat(id, 5)
  })
}

describe('beats behind a balancer (F12)', () => {
  const IDS = Array.from({ length: 30 }, (_, index) => `i${index}`)

  it('cause no write at all, whether or not a probe comes through', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    nodes.network(() => 'failed')
    for (const id of IDS) nodes.register('a', { id })
    nodes.run(1_000)
    nodes.writes = 0
    balanced(nodes, IDS)
    expect(nodes.writes).toBe(0)
    expect(nodes.seen('i7')).toEqual(['up a.1', 'up a.1', 'up a.1'])
  })

  it('cause no probe either', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    for (const id of IDS) nodes.register('a', { id })
    nodes.run(1_000)
    for (const name of ['a', 'b', 'c']) nodes.get(name).mark()
    balanced(nodes, IDS, 120_000)
    for (const name of ['a', 'b', 'c']) expect(nodes.get(name).asked('evidence')).toEqual([])
  })

  it('cause at most one reversal per lease with all links down, and no claim where probes come through', () => {
    for (const answer of ['succeeded', 'failed'] as const) {
      const nodes = new Nodes(['a', 'b', 'c'])
      nodes.register('a')
      nodes.network(() => answer)
      for (const [one, other] of [
        ['a', 'b'],
        ['a', 'c'],
        ['b', 'c'],
      ] as const)
        nodes.link(one, other, false)
      nodes.run(1_000)
      nodes.writes = 0
      const claims = nodes.get('a').record()?.verdict.claim as number
      balanced(nodes, ['a'])
      const raised = (nodes.get('a').record()?.verdict.claim as number) - claims
      expect(raised).toBeLessThanOrEqual(answer === 'succeeded' ? 0 : 600 / 15)
      // A doubt and its end.
      expect(nodes.writes).toBeLessThanOrEqual((2 * 600) / 15)
      expect(nodes.get('a').transcript.filter((line) => line.includes(' down '))).toEqual([])
    }
  })

  it('that always come to the same other node, and a little early, raise no doubt', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.register('a', { leaseMs: 20_000 })
    nodes.network(() => 'failed')
    const { sim, passOn } = { sim: nodes.get('b'), passOn: nodes.get('b').passOn }
    // They are collected first, and travel.
    sim.passOn = (judge, ref, agoMs) => sim.after(400, () => passOn(judge, ref, agoMs + 400))
    nodes.every(4_950, 200_000, () => sim.beat('a', 5))
    expect(nodes.get('a').transcript.filter((line) => line.includes('suspect'))).toEqual([])
  })

  it('are told to the judge also where one came right before, a copy of an earlier one perhaps', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.network(() => 'failed')
    nodes.register('a')
    nodes.every(7_400, 60_000, () => {
      nodes.get('b').beat('a', 5)
      nodes.run(2_300)
      nodes.get('b').beat('a', 5)
    })
    expect(nodes.get('a').transcript.filter((line) => line.includes('suspect'))).toEqual([])
  })

  it('are told to the judge at most six times per lease and instance', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.register('a')
    nodes.run(1_000)
    const told: number[] = []
    const { sim, passOn } = { sim: nodes.get('b'), passOn: nodes.get('b').passOn }
    sim.passOn = (judge, ref, agoMs) => {
      told.push(sim.now)
      passOn(judge, ref, agoMs)
    }
    nodes.every(50, 14_900, () => sim.beat('a', 5))
    expect(told.length).toBe(6)
  })

  it('and stop are noticed as soon as with one node', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    nodes.register('a')
    nodes.network(() => 'failed')
    balanced(nodes, ['a'], 60_000)
    nodes.run(5_000)
    expect(nodes.seen()[0]).toMatch(/^suspect silence/)
    nodes.run(8_000)
    expect(nodes.seen()[0]).toMatch(/^down silence/)
  })
})

describe('what was heard elsewhere', () => {
  it('reverses a verdict only if it was heard after that, and not merely told then (T3)', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.register('a')
    nodes.link('a', 'b', false)
    nodes.network(() => 'refused')
    const { sim } = { sim: nodes.get('a') }
    nodes.network(() => 'succeeded')
    nodes.run(2_000)
    nodes.network(() => 'refused')
    const ref = { namespace: 'default', service: 'orders', group: 'default', id: 'a', incarnation: 5 }
    sim.node.unreachable([ref], sim.now)
    nodes.run(1_500)
    expect(sim.shown()).toBe('down refused')
    sim.node.heardElsewhere([ref], 2_000, sim.now)
    sim.node.heardElsewhere([{ ...ref, incarnation: 4 }], 0, sim.now)
    expect(sim.shown()).toBe('down refused')
    nodes.run(2_000)
    sim.node.heardElsewhere([ref], 300, sim.now)
    expect(sim.shown()).toBe('up')
  })

  it('does not reverse a verdict that was made while it was on its way', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.register('a')
    // Its probe fails after a second.
    nodes.network(() => 'silence')
    nodes.run(8_900)
    const sim = nodes.get('a')
    expect(sim.shown()).toBe('suspect silence')
    const ref = { namespace: 'default', service: 'orders', group: 'default', id: 'a', incarnation: 5 }
    sim.node.heardElsewhere([ref], 0, sim.now)
    expect(sim.shown()).toBe('suspect silence')
    nodes.run(1_000)
    sim.node.heardElsewhere([ref], 0, sim.now)
    expect(sim.shown()).toBe('up')
  })

  it('is no hearing of the judge: where that ends, silence takes nothing down by it (F3)', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    nodes.register('b')
    nodes.run(1_000)
    // It is judged by B, which heard its registration, and only C hears it from then on.
    nodes.network(() => 'failed')
    nodes.every(5_000, 120_000, () => nodes.get('c').beat('a', 5))
    expect(nodes.seen()).toEqual(['up b.1', 'up b.1', 'up b.1'])
    nodes.engine('c', false)
    for (const other of ['a', 'b']) nodes.link('c', other, false)
    nodes.every(5_000, 300_000, () => nodes.get('c').beat('a', 5))
    expect(nodes.seen()).toEqual(['suspect unheard b.1', 'suspect unheard b.1', 'up b.1'])
  })

  it('is never passed on by one that does not judge', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    nodes.register('a')
    nodes.run(1_000)
    const passed: string[] = []
    for (const name of ['a', 'b', 'c']) nodes.get(name).passOn = (judge) => passed.push(`${name} ${judge}`)
    const ref = { namespace: 'default', service: 'orders', group: 'default', id: 'a', incarnation: 5 }
    nodes.every(1_000, 60_000, () => nodes.get('b').node.heardElsewhere([ref], 0, nodes.get('b').now))
    expect(passed).toEqual([])
    expect(nodes.get('b').read.explain(ref)?.evidence?.toldMs).toBe(1_000)
  })
})

/** A node learns that another one judges the instance. */
function judgedBy(sim: Simulation, node: string, raised = 1): void {
  const record = sim.record('a')
  if (record === undefined) throw new Error('it is not registered')
  const verdict = { ...record.verdict, claim: record.verdict.claim + raised, node, seq: 1_000 }
  sim.node.learn([{ kind: 'record', record: { ...record, verdict } }], sim.now)
}
