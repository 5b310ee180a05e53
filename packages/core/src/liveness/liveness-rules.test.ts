/** Rules that change while something waits by the old one: a lease, a way of judging, a probe, a declared time. */
import { describe, expect, it } from 'vitest'
import type { RegisterCommand } from '../commands.js'
import { LIVENESS_DEFAULTS } from './options.js'
import { keyOf, Simulation, type SimulationOptions } from '../simulated-node.fixture.js'

const MINUTE = 60_000
const DAY = 86_400_000

/** A silent process whose host does not answer, registered by one rule and then, a second later, by another. */
function changed(
  before: Partial<RegisterCommand>,
  after: Partial<RegisterCommand>,
  options: SimulationOptions = {},
): Simulation {
  const sim = new Simulation(options)
  sim.network = () => 'silence'
  sim.register(before)
  sim.run(1_000)
  sim.register(after)
  sim.mark()
  return sim
}

/** The same, registered by the second rule only. */
function fresh(rule: Partial<RegisterCommand>): string[] {
  const sim = new Simulation()
  sim.network = () => 'silence'
  sim.register(rule)
  sim.mark()
  sim.run(10_000)
  return sim.transcript
}

describe('a renewal that changes the rule', () => {
  it.each([
    ['an unnamed lease of a minute', { leaseMs: MINUTE }, { leaseMs: 1_000 }],
    ['an unnamed lease of a day', { leaseMs: DAY }, { leaseMs: 1_000 }],
    [
      'a named lease, with a rev',
      { incarnation: 5, rev: 1, leaseMs: DAY },
      { incarnation: 5, rev: 2, leaseMs: 1_000 },
    ],
    ['a lease to a probe', { leaseMs: MINUTE }, { leaseMs: 1_000, liveness: 'probe' }],
    ['a probe to a lease', { leaseMs: MINUTE, liveness: 'probe' }, { leaseMs: 1_000 }],
    ['static to a lease', { liveness: 'static' }, { leaseMs: 1_000 }],
  ] as const)('from %s is judged as a fresh registration by the new one', (_, before, after) => {
    const sim = changed(before, after)
    sim.run(10_000)
    expect(sim.transcript.map(coarse)).toEqual(fresh(after).map(coarse))
    expect(sim.transcript.length).toBeGreaterThan(0)
  })

  it('does not count silence from before against the shorter lease: the renewal is a sound', () => {
    const sim = new Simulation()
    sim.register({ leaseMs: MINUTE })
    sim.run(20_000)
    sim.mark()
    sim.register({ leaseMs: 1_000 })
    sim.run(400)
    expect(sim.transcript).toEqual(['0 a up registered'])
  })

  it('to a longer lease gives it the longer one', () => {
    const sim = changed({ leaseMs: 1_000 }, { leaseMs: MINUTE })
    sim.run(25_000)
    expect(sim.shown()).toBe('up')
  })

  it('takes an answer to the former question for none', () => {
    const sim = new Simulation()
    sim.network = ({ type }) => (type === 'tcp' ? { outcome: 'refused', afterMs: 1_500 } : 'failed')
    sim.register({ liveness: 'probe', leaseMs: 3_000, probe: { type: 'tcp' } })
    sim.run(100)
    sim.register({ liveness: 'probe', leaseMs: 3_000, probe: { type: 'http', path: '/' } })
    sim.run(1_500)
    expect(sim.read.explain(keyOf('a'))?.evidence?.probe?.outcome).toBe('failed')
  })
})

describe('what an operator declares', () => {
  const declare = (
    sim: Simulation,
    settings: { removalMs?: number; breaker?: { enabled: boolean } },
  ): void => {
    sim.done({ kind: 'declareService', namespace: 'default', service: 'orders', settings })
  }

  it('shortens the removal time of what is down already', () => {
    const sim = new Simulation()
    sim.network = () => 'silence'
    sim.register({ leaseMs: 1_000 })
    sim.run(10_000)
    expect(sim.shown()).toBe('down silence')
    sim.mark()
    declare(sim, { removalMs: 12_000 })
    sim.run(5_000)
    expect(sim.transcript.map(coarse)).toEqual(['4 a hidden down_too_long'])
  })

  it('and takes back, so that the time of the node holds again', () => {
    const sim = new Simulation({ liveness: { removalMs: 12_000 } })
    sim.network = () => 'silence'
    declare(sim, { removalMs: 60_000 })
    sim.register({ leaseMs: 1_000 })
    sim.run(10_000)
    sim.mark()
    sim.done({ kind: 'declareService', namespace: 'default', service: 'orders', settings: null })
    sim.run(5_000)
    expect(sim.transcript.map(coarse)).toEqual(['4 a hidden down_too_long'])
  })
})

describe('a renewal that names another zone', () => {
  it('is counted where it is from then on', () => {
    const { watcherBreaker } = LIVENESS_DEFAULTS
    const sim = new Simulation({ liveness: { watcherBreaker } })
    sim.network = () => 'silence'
    const ids = Array.from({ length: 6 }, (_, n) => `i${n}`)
    for (const id of ids) sim.register({ id, incarnation: 1, zone: 'a' })
    for (let n = 0; n < 50; n++) {
      sim.register({ id: `b${n}`, incarnation: 1, zone: 'b' })
      sim.every(3_000, () => sim.beat(`b${n}`, 1))
    }
    // All six leave for the large zone, where six of fifty-six are more than the share, too.
    for (const id of ids) sim.register({ id, incarnation: 1, rev: 2, zone: 'b' })
    sim.run(10_000)
    expect(sim.node.liveness.guards.doubts().zones).toBe(1)
    expect(sim.read.explain(keyOf('b0'))?.guards.watcherDoubtMs).toBeDefined()
  })
})

/** A line of a transcript to the second: the wheel and the probes have their own milliseconds. */
function coarse(line: string): string {
  const [at = '', ...rest] = line.split(' ')
  return [Math.round(Number(at) / 1_000), ...rest].join(' ')
}
