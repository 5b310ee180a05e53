/** Leases: silence, the baseline, and instances that are only probed. */
import { describe, expect, it } from 'vitest'
import { keyOf, Simulation } from '../simulated-node.fixture.js'
import type { RegisterCommand } from '../commands.js'

/** A process that beats over HTTP every 5 s with the default lease of 15 s, and has been up for a while. */
function setUp(overrides: Partial<RegisterCommand> = {}) {
  const sim = new Simulation()
  sim.register({ incarnation: 5, ...overrides })
  const freeze = sim.every(5_000, () => sim.beat('a', 5))
  sim.run(10_000)
  sim.mark()
  return { sim, freeze }
}

describe('an instance with a lease', () => {
  it('that beats is never asked for and never written', () => {
    const { sim } = setUp()
    sim.run(600_000)
    expect(sim.probes).toEqual([])
    expect(sim.transcript).toEqual([])
  })

  it('that falls silent is asked at half its lease, suspect when that fails, down at its end', () => {
    const { sim, freeze } = setUp()
    freeze()
    sim.network = () => 'silence'
    sim.run(20_000)
    expect(sim.asked('evidence')).toEqual([7_500, 15_000])
    expect(sim.transcript).toEqual(['8500 a suspect silence', '16000 a down silence'])
  })

  it('whose port refuses, which once it did not, is down at half its lease', () => {
    const { sim, freeze } = setUp()
    freeze()
    sim.network = () => 'refused'
    sim.run(20_000)
    expect(sim.transcript).toEqual(['7552 a down refused'])
  })

  it('whose port always refused is suspect at half its lease, and down only at its end', () => {
    const sim = new Simulation()
    sim.network = () => 'refused'
    sim.register({ incarnation: 5 })
    sim.mark()
    sim.run(30_000)
    expect(sim.transcript).toEqual(['7501 a suspect silence', '15001 a down silence'])
  })

  it('whose kernel answers is suspect at the end of its lease and held for three', () => {
    const { sim, freeze } = setUp()
    freeze()
    sim.run(60_000)
    expect(sim.transcript).toEqual(['15000 a suspect silence', '45000 a down silence'])
    expect(sim.asked('evidence')).toEqual([7_500, 15_000, 22_550, 30_100, 37_650])
  })

  it('without a probe is suspect at half its lease and down at its end', () => {
    const { sim, freeze } = setUp({ probe: { type: 'none' } })
    freeze()
    sim.run(20_000)
    expect(sim.asked('baseline')).toEqual([])
    expect(sim.transcript).toEqual(['7501 a suspect silence', '15001 a down silence'])
  })

  it('asks the port of its probe, at the path and peer it named', () => {
    const { sim, freeze } = setUp({ probe: { type: 'http', port: 9000, path: '/health' } })
    freeze()
    sim.run(8_000)
    expect(sim.probes).toMatchObject([
      {
        key: keyOf('a'),
        incarnation: 5,
        type: 'http',
        port: 9000,
        path: '/health',
        peer: '10.0.0.1',
        purpose: 'evidence',
        timeoutMs: 1_000,
      },
    ])
  })

  it.each([
    ['suspect', 9_000],
    ['down', 20_000],
    ['expired', 90_000],
  ])('is up again with the first beat after it was %s', (_, ms) => {
    const { sim, freeze } = setUp()
    freeze()
    sim.network = () => 'silence'
    sim.run(ms)
    sim.mark()
    expect(sim.beat('a', 5)).toEqual({ unknown: [], deregistered: [], superseded: [] })
    expect(sim.transcript).toEqual(['0 a up heard'])
    // It has its whole lease again, and an old answer says nothing about a new silence.
    sim.network = () => 'succeeded'
    sim.run(14_900)
    expect(sim.transcript).toEqual(['0 a up heard'])
  })

  it('is not doubted for an answer to a question older than its last beat', () => {
    const { sim, freeze } = setUp()
    freeze()
    sim.network = () => 'silence'
    sim.run(8_000)
    sim.beat('a', 5)
    sim.run(1_000)
    sim.network = () => 'succeeded'
    sim.run(13_900)
    expect(sim.transcript).toEqual([])
    expect(sim.asked('evidence')).toEqual([7_500, 15_500])
  })

  it('is not refused to death by an answer to a question older than its last beat', () => {
    const { sim, freeze } = setUp()
    freeze()
    sim.network = () => ({ outcome: 'refused', afterMs: 500 })
    sim.run(7_600)
    sim.beat('a', 5)
    sim.run(5_000)
    expect(sim.transcript).toEqual([])
  })

  it('expires after the removal time of its service, and can be found no more', () => {
    const { sim, freeze } = setUp()
    sim.execute({
      kind: 'declareService',
      namespace: 'default',
      service: 'orders',
      settings: { removalMs: 5_000 },
    })
    freeze()
    sim.network = () => 'silence'
    sim.run(25_000)
    expect(sim.transcript.at(-1)).toBe('21000 a hidden down_too_long')
    expect(sim.shown()).toBeUndefined()
  })

  it('that expired is forgotten after the retention, and its beats are unknown from then on', () => {
    const { sim, freeze } = setUp()
    freeze()
    sim.network = () => 'silence'
    sim.run(3_670_000)
    expect(sim.record()).toBeDefined()
    sim.run(10_000)
    expect(sim.entries.at(-1)).toEqual({ kind: 'forget', key: keyOf('a'), incarnation: 5 })
    expect(sim.beat('a', 5).unknown).toHaveLength(1)
    expect(sim.node.directory.services).toBe(0)
    expect([...sim.node.directory.namespaceNames()]).toEqual([])
  })

  it('takes its service along only if nobody declared that', () => {
    const { sim, freeze } = setUp()
    sim.execute({ kind: 'declareService', namespace: 'default', service: 'orders', settings: {} })
    freeze()
    sim.network = () => 'silence'
    sim.run(4_000_000)
    expect(sim.record()).toBeUndefined()
    expect(sim.node.directory.services).toBe(1)
    sim.execute({ kind: 'declareService', namespace: 'default', service: 'orders', settings: null })
    expect(sim.node.directory.services).toBe(0)
  })

  it('keeps a record with an id-bound override for ever, without looking at it again and again', () => {
    const { sim, freeze } = setUp()
    sim.execute({ kind: 'override', refs: [keyOf('a')], disable: true })
    freeze()
    sim.network = () => 'silence'
    sim.run(3_700_000)
    const entry = sim.node.directory.entry(keyOf('a'))
    sim.run(10_000_000)
    expect(entry?.state).toBeNull()
    expect(entry && sim.node.liveness.insight.inspect(entry, sim.now)?.evidence.wheelAt).toBeGreaterThan(
      sim.now,
    )
    sim.beat('a', 5)
    expect(sim.shown()).toBe('disabled operator')
  })

  it('that was deregistered is remembered for the retention, then forgotten', () => {
    const { sim, freeze } = setUp()
    freeze()
    sim.deregister('a', 5)
    sim.run(3_599_000)
    expect(sim.beat('a', 5).deregistered).toHaveLength(1)
    sim.run(2_000)
    expect(sim.beat('a', 5).unknown).toHaveLength(1)
    expect(sim.probes).toEqual([])
  })

  it('can have a lease beyond the reach of the wheel', () => {
    const { sim, freeze } = setUp({ leaseMs: 3_600_000 })
    freeze()
    sim.network = () => 'silence'
    sim.run(3_700_000)
    expect(sim.transcript).toEqual([
      '1801000 a suspect silence',
      '3601000 a down long_silence',
      '3661000 a hidden down_too_long',
    ])
  })
})

describe('the baseline', () => {
  it('is tried at once and after 1, 5 and 30 s, until one succeeds', () => {
    const sim = new Simulation()
    sim.network = () => 'refused'
    sim.register({ incarnation: 5 })
    sim.every(5_000, () => sim.beat('a', 5))
    sim.run(120_000)
    expect(sim.probes.map(({ purpose, delayMs }) => `${purpose} ${delayMs}`)).toEqual([
      'baseline 0',
      'baseline 1000',
      'baseline 5000',
      'baseline 30000',
    ])
  })

  it('once there is not asked for again', () => {
    const sim = new Simulation()
    let attempts = 0
    sim.network = () => (++attempts < 3 ? 'refused' : 'succeeded')
    sim.register({ incarnation: 5 })
    sim.every(5_000, () => sim.beat('a', 5))
    sim.run(120_000)
    expect(sim.asked('baseline')).toHaveLength(3)
  })

  it('of another port or incarnation does not count', () => {
    const sim = new Simulation()
    sim.network = ({ port }) => (port === 3000 ? { outcome: 'succeeded', afterMs: 100 } : 'refused')
    sim.register({ incarnation: 5 })
    sim.run(50)
    sim.register({ incarnation: 5, rev: 2, port: 4000 })
    sim.register({ id: 'b', incarnation: 5 })
    sim.run(50)
    sim.register({ id: 'b', incarnation: 6, port: 4000 })
    sim.mark()
    sim.run(10_000)
    expect([sim.shown('a'), sim.shown('b')]).toEqual(['suspect silence', 'suspect silence'])
  })
})

describe('an endpoint that is only probed', () => {
  function probed(overrides: Partial<RegisterCommand> = {}) {
    const sim = new Simulation()
    sim.register({ incarnation: 5, liveness: 'probe', ...overrides })
    sim.run(1)
    sim.mark()
    return sim
  }

  it('is asked every third of its lease, and never written while it answers', () => {
    const sim = probed()
    sim.run(300_000)
    expect(sim.asked('evidence').length).toBeGreaterThanOrEqual(58)
    expect(sim.asked('evidence').length).toBeLessThanOrEqual(61)
    expect(sim.transcript).toEqual([])
    expect(sim.inFlightMax).toBe(1)
  })

  it('that refuses is down as soon as it is asked, and up as soon as it answers', () => {
    const sim = probed()
    sim.network = () => 'refused'
    sim.run(10_000)
    sim.network = () => 'succeeded'
    sim.run(10_000)
    expect(sim.transcript.map((line) => line.replace(/^\d+ /, ''))).toEqual(['a down refused', 'a up heard'])
    expect(Number.parseInt(sim.transcript[0] ?? '')).toBeLessThan(5_200)
  })

  it('that does not answer is suspect at half its lease, down at its end, then expires, and is shown again when it answers', () => {
    const sim = probed()
    sim.network = () => 'silence'
    sim.run(90_000)
    expect(sim.transcript.map((line) => line.replace(/^\d+ /, ''))).toEqual([
      'a suspect silence',
      'a down silence',
      'a hidden down_too_long',
    ])
    expect(sim.inFlightMax).toBe(1)
    sim.network = () => 'succeeded'
    sim.run(30_000)
    expect(sim.shown()).toBe('up')
  })

  it('that refuses for ever expires once and stays hidden', () => {
    const sim = probed()
    sim.network = () => 'refused'
    sim.run(3_600_000)
    expect(sim.transcript.map((line) => line.replace(/^\d+ /, ''))).toEqual([
      'a down refused',
      'a hidden down_too_long',
    ])
    sim.run(100_000)
    expect(sim.record()).toBeUndefined()
  })

  it('is not vouched for by the session that registered it', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    sim.register({ incarnation: 5, liveness: 'probe' }, session)
    sim.register({ id: 'was-lease', incarnation: 5 }, session)
    sim.register({ id: 'was-lease', incarnation: 5, rev: 2, liveness: 'probe' }, session)
    expect(session.vouched.size).toBe(0)
    session.close()
    sim.run(60_000)
    expect([sim.shown('a'), sim.shown('was-lease')]).toEqual(['up', 'up'])
  })
})

describe('a static instance', () => {
  it('is up until deregistered, without beats and probes', () => {
    const sim = new Simulation()
    sim.network = () => 'refused'
    sim.register({ incarnation: 5, liveness: 'static' })
    sim.mark()
    sim.run(4_000_000)
    expect(sim.shown()).toBe('up')
    expect(sim.probes).toEqual([])
    sim.deregister('a', 5)
    expect(sim.shown()).toBeUndefined()
  })

  it('becomes one by a renewal, and ceases to be one by another', () => {
    const { sim, freeze } = setUp()
    freeze()
    sim.network = () => 'silence'
    sim.register({ incarnation: 5, rev: 2, liveness: 'static' })
    sim.run(100_000)
    expect(sim.shown()).toBe('up')
    sim.register({ incarnation: 5, rev: 3 })
    sim.run(10_000)
    expect(sim.shown()).toBe('suspect silence')
  })
})
