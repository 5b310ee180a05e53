/** Instances of a node that is gone: who judges them then, when they are doubted, and what speaks for them. */
import { describe, expect, it } from 'vitest'
import { keyOf, Simulation } from '../simulated-node.fixture.js'
import { Nodes } from './nodes.fixture.js'

/** The nodes that judge these instances, as one of them knows it. */
function judges(nodes: Nodes, at: string, ids: readonly string[]): string[] {
  return ids.map((id) => nodes.get(at).record(id)?.verdict.node ?? 'none')
}

const MANY = Array.from({ length: 40 }, (_, index) => `i${index}`)

describe('a node that dies', () => {
  it('leaves its instances to one adopter each, with the verdict that stood, in one write each', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    for (const id of MANY) nodes.register('a', { id })
    nodes.run(1_000)
    nodes.writes = 0
    nodes.kill('a')
    nodes.run(6_000)
    expect(judges(nodes, 'b', MANY)).toEqual(MANY.map(() => 'a.1'))
    nodes.run(4_000)
    const found = judges(nodes, 'b', MANY)
    expect(new Set(found)).toEqual(new Set(['b.1', 'c.1']))
    expect(found).toEqual(judges(nodes, 'c', MANY))
    expect(nodes.writes).toBe(MANY.length)
    const counted = ['b', 'c'].map((name) => nodes.get(name).counted.get('rollcall_adoptions_total') ?? 0)
    expect(counted).toEqual(['b.1', 'c.1'].map((judge) => found.filter((each) => each === judge).length))
    expect(nodes.get('b').record('i0')?.verdict).toMatchObject({
      value: 'up',
      reason: 'registered',
      claim: 2,
    })
    expect(nodes.get('b').node.adoption.judges('b.1') + nodes.get('b').node.adoption.judges('c.1')).toBe(40)
  })

  it('together with its instances: all are suspect within 20 s, and not removed for ten minutes (M1, T4)', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    for (const id of MANY) nodes.register('a', { id }, nodes.session('a'))
    nodes.run(1_000)
    nodes.kill('a')
    nodes.network(() => 'failed')
    nodes.run(14_000)
    expect(nodes.seen('i0')[0]).toMatch(/^up /)
    nodes.run(6_000)
    for (const id of MANY) for (const line of nodes.seen(id)) expect(line).toMatch(/^suspect unheard /)
    nodes.run(500_000)
    expect(nodes.seen('i0')[0]).toMatch(/^suspect unheard /)
  })

  it('together with instances that beat at all nodes: they have a lease from its end on', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    for (const id of MANY) nodes.register('a', { id })
    nodes.network(() => 'failed')
    nodes.every(4_900, 60_000, (turn) => {
      for (const id of MANY) nodes.get(['a', 'b', 'c'][turn % 3] as string).beat(id, 5)
    })
    nodes.kill('a')
    nodes.run(14_800)
    for (const id of MANY) expect(nodes.seen(id)[0]).toMatch(/^up /)
    nodes.run(5_200)
    for (const id of MANY) expect(nodes.seen(id)[0]).toMatch(/^suspect silence /)
    nodes.run(9_000)
    for (const id of MANY) expect(nodes.seen(id)[0]).toMatch(/^suspect silence /)
    nodes.run(5_000)
    for (const id of MANY) expect(nodes.seen(id)[0]).toMatch(/^down silence /)
  })

  it('leaves instances that answer probes up', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    nodes.register('a')
    nodes.run(1_000)
    nodes.kill('a')
    nodes.run(120_000)
    for (const line of nodes.seen()) expect(line).toMatch(/^up [bc]\.1$/)
  })

  it('leaves those whose beats came to a third node up: their adopter hears of that at once', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    for (const id of MANY) nodes.register('a', { id })
    nodes.run(1_000)
    nodes.kill('a')
    nodes.network(() => 'failed')
    nodes.run(500)
    nodes.every(7_400, 70_000, () => {
      for (const id of MANY) nodes.get('b').beat(id, 5)
    })
    for (const name of ['b', 'c'])
      expect(nodes.get(name).transcript.filter((line) => line.includes('suspect'))).toEqual([])
  })

  it('a lease before that is known leaves those up that only a third node hears', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    for (const id of MANY) nodes.register('a', { id })
    nodes.run(1_000)
    const { sim, passOn } = { sim: nodes.get('b'), passOn: nodes.get('b').passOn }
    // What is passed on is collected first, and travels.
    sim.passOn = (judge, ref, agoMs) => sim.after(500, () => passOn(judge, ref, agoMs + 500))
    // Its key outlives it: the engine is away.
    for (const name of ['a', 'b', 'c']) nodes.engine(name, false)
    nodes.kill('a')
    nodes.network(() => 'failed')
    const beat = (): void => {
      for (const id of MANY) nodes.get('b').beat(id, 5)
    }
    nodes.every(5_000, 40_000, beat)
    for (const name of ['b', 'c']) nodes.engine(name, true)
    nodes.every(5_000, 40_000, beat)
    expect(new Set(judges(nodes, 'b', MANY))).toEqual(new Set(['b.1', 'c.1']))
    for (const name of ['b', 'c'])
      expect(nodes.get(name).transcript.filter((line) => line.includes('suspect'))).toEqual([])
  })

  it('and is back soon judges its own again: the others let its next boot go first', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    for (const id of MANY) nodes.register('a', { id })
    nodes.run(1_000)
    nodes.kill('a')
    nodes.run(2_000)
    nodes.restart('a')
    nodes.run(2_500)
    expect(judges(nodes, 'b', MANY)).toEqual(MANY.map(() => 'a.1'))
    nodes.run(1_000)
    expect(judges(nodes, 'b', MANY)).toEqual(MANY.map(() => 'a.2'))
  })

  it('whose sessions move first causes no adoption of theirs', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.register('a', {}, nodes.session('a'))
    nodes.run(1_000)
    nodes.kill('a')
    nodes.run(1_000)
    nodes.writes = 0
    const session = nodes.session('b')
    nodes.register('b', {}, session)
    nodes.every(3_000, 30_000, () => session.heard())
    expect(nodes.seen()).toEqual(['up b.1'])
    expect(nodes.writes).toBe(1)
  })

  it('does not have them doubted for a session that they had given up at the adopter long before', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.network(() => 'silence')
    const before = nodes.session('a')
    nodes.register('a', { leaseMs: 9_000 }, before)
    nodes.run(1_000)
    const session = nodes.session('b')
    nodes.register('b', { leaseMs: 9_000 }, session)
    nodes.run(1_000)
    before.close()
    nodes.every(3_000, 60_000, () => session.heard())
    nodes.kill('b')
    nodes.run(8_000)
    expect(nodes.seen()).toEqual(['up b.1'])
    nodes.run(5_000)
    expect(nodes.seen()).toEqual(['up a.1'])
  })

  it('and whose adopter dies too leaves them to the last one', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    for (const id of MANY) nodes.register('a', { id })
    nodes.run(1_000)
    nodes.kill('a')
    nodes.run(12_000)
    nodes.kill('b')
    nodes.run(12_000)
    expect(judges(nodes, 'c', MANY)).toEqual(MANY.map(() => 'c.1'))
  })
})

describe('a node that lost only the engine', () => {
  it('keeps its instances in all lists: their sounds are passed on to the adopter (F3)', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    const session = nodes.session('a')
    nodes.register('a', {}, session)
    nodes.network(() => 'failed')
    nodes.run(1_000)
    nodes.engine('a', false)
    const seen = new Set<string>()
    nodes.every(3_000, 20_000, () => session.heard())
    // It learns over its links who took over.
    const [adopter] = judges(nodes, 'b', ['a'])
    expect(adopter).toMatch(/^[bc]\.1$/)
    const record = nodes.get('b').record()!
    nodes.get('a').node.learn([{ kind: 'record', record }], nodes.get('a').now)
    nodes.every(3_000, 900_000, () => {
      session.heard()
      for (const line of nodes.seen()) seen.add(line)
    })
    expect([...seen]).toEqual([`up ${adopter}`])
    // Back with the engine it does not fight.
    nodes.writes = 0
    nodes.engine('a', true)
    nodes.every(3_000, 60_000, () => session.heard())
    expect(nodes.seen()).toEqual([`up ${adopter}`, `up ${adopter}`, `up ${adopter}`])
    expect(nodes.writes).toBe(0)
  })

  it('and its links has them doubted elsewhere, but not removed, until it is back', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    const session = nodes.session('a')
    nodes.register('a', {}, session)
    nodes.network(() => 'failed')
    nodes.run(1_000)
    nodes.engine('a', false)
    for (const other of ['b', 'c']) nodes.link('a', other, false)
    nodes.every(3_000, 300_000, () => session.heard())
    expect(nodes.get('b').shown()).toBe('suspect unheard')
    expect(nodes.get('a').shown()).toBe('up')
    nodes.engine('a', true)
    nodes.every(3_000, 9_000, () => session.heard())
    expect(nodes.seen()).toEqual(['up a.1', 'up a.1', 'up a.1'])
  })
})

describe('nothing is adopted', () => {
  it('while the engine is lost to all, however long, and when it is back', () => {
    const nodes = new Nodes(['a', 'b', 'c'])
    for (const id of MANY) nodes.register(['a', 'b', 'c'][MANY.indexOf(id) % 3] as string, { id })
    nodes.run(1_000)
    const before = judges(nodes, 'a', MANY)
    nodes.writes = 0
    for (const name of ['a', 'b', 'c']) nodes.engine(name, false)
    nodes.run(120_000)
    for (const name of ['a', 'b', 'c']) {
      nodes.engine(name, true)
      nodes.run(900)
    }
    nodes.run(10_000)
    expect(judges(nodes, 'a', MANY)).toEqual(before)
  })

  it('before it is known which nodes there are: what the journal had is not judged either', () => {
    const nodes = new Nodes(['a', 'b'])
    nodes.register('a')
    nodes.run(1_000)
    nodes.kill('a')
    nodes.engine('b', false)
    nodes.network(() => 'failed')
    nodes.run(200_000)
    expect(nodes.seen()).toEqual(['up a.1'])
    const again = nodes.restart('a')
    again.network = () => 'failed'
    expect(again.read.explain(keyOf('a'))?.judge).toMatchObject({ node: 'a.1', own: false })
    nodes.run(25_000)
    expect(again.shown()).toBe('suspect unheard')
  })
})

/** A node that learnt of an instance whose judge is gone, and knows of these nodes. */
function orphaned(...names: readonly string[]): Simulation {
  const [lost, sim] = [new Simulation({ nodeId: 'gone.1' }), new Simulation({ nodeId: 'a.1' })]
  sim.node.directory.joined = true
  lost.register({ incarnation: 5 })
  lost.network = () => 'failed'
  lost.run(20_000)
  expect(lost.shown()).toBe('down silence')
  for (const record of [lost.record()!]) sim.node.learn([{ kind: 'record', record }], sim.now)
  live(sim, ...names)
  return sim
}

function live(sim: Simulation, ...names: readonly string[]): void {
  const nodes = names.map((name) => ({ node: `${name}.1`, name, address: `${name}:1`, version: '0' }))
  sim.node.adoption.live(nodes, sim.now)
}

describe('a node', () => {
  it('adopts nothing on an island, and nothing while its own key is gone', () => {
    const island = orphaned('a')
    island.node.fare({ stale: false, island: true }, island.now)
    const keyless = orphaned('b')
    for (const sim of [island, keyless]) {
      sim.run(30_000)
      expect(sim.record()?.verdict.node).toBe('gone.1')
    }
    island.node.fare({ stale: false, island: false }, island.now)
    live(keyless, 'a', 'b')
    for (const sim of [island, keyless]) sim.run(2_900)
    expect(island.record()?.verdict.node).toBe('gone.1')
    for (const sim of [island, keyless]) sim.run(4_000)
    expect(island.record()?.verdict.node).toBe('a.1')
    expect(keyless.record()?.verdict.node).toBe('a.1')
  })

  it('waits for each that comes before it, and adopts if none of them does', () => {
    const others = ['b', 'c', 'd', 'e']
    const sim = orphaned('a', ...others)
    const waits = [0, 1, 2, 3, 4].map((rank) => 3_000 + 3_000 * rank)
    sim.run(2_900)
    let waited = 2_900
    while (sim.record()?.verdict.node === 'gone.1' && waited < 20_000) {
      sim.run(50)
      waited += 50
    }
    expect(waits.some((wait) => Math.abs(wait - waited) <= 100)).toBe(true)
    // Whatever its rank, every instance is adopted by the time of the last one.
    expect(sim.record()?.verdict).toMatchObject({ node: 'a.1', value: 'down', reason: 'silence', claim: 2 })
  })

  it('begins the removal time of what is down anew, and adopts what keeps changing', () => {
    const sim = orphaned('a')
    sim.network = () => 'failed'
    const stop = sim.every(1_000, () => {
      const record = sim.record()!
      const { content } = record
      if (content.intent === 'gone') return
      const next = { ...content, rev: content.rev + 1 }
      sim.node.learn([{ kind: 'record', record: { ...record, content: next } }], sim.now)
    })
    sim.run(10_000)
    stop()
    expect(sim.record()?.verdict.node).toBe('a.1')
    sim.run(52_500)
    expect(sim.shown()).toBe('down silence')
    sim.run(2_000)
    expect(sim.shown()).toBeUndefined()
  })
})

describe('very many orphans', () => {
  it('are adopted in bounded turns', () => {
    const nodes = new Nodes(['a', 'b'])
    for (let index = 0; index < 5_000; index++) nodes.get('a').register({ id: `x${index}`, incarnation: 5 })
    nodes.run(500)
    nodes.kill('a')
    const { adoption } = nodes.get('b').node
    let most = 0
    let before = 0
    nodes.every(50, 12_000, () => {
      most = Math.max(most, adoption.judges('b.1') - before)
      before = adoption.judges('b.1')
    })
    expect(before).toBe(5_000)
    expect(most).toBeLessThanOrEqual(500)
  })
})
