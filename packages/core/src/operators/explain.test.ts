/** Explanations: why an instance is listed or not. */
import type { Explanation } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { command, keyOf, ref, Simulation, WALL_START } from '../simulated-node.fixture.js'
import { LIVENESS_DEFAULTS } from '../liveness/options.js'

function explained(sim: Simulation, id = 'a'): Explanation {
  const explanation = sim.read.explain(keyOf(id))
  if (explanation === undefined) throw new Error(`nothing is known of ${id}`)
  return explanation
}

describe('an explanation', () => {
  it('of a live instance shows its registers, what is known of it, and what silence would bring', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5, zone: 'z1' })
    sim.run(2_000)
    expect(explained(sim)).toEqual({
      ...keyOf('a'),
      incarnation: 5,
      judge: { node: 'node-1', claim: 1, own: true, sinceMs: 2_000 },
      summary:
        'a of orders has been listed as up for 2.0 s, because it registered. ' +
        'This node heard it 2.0 s ago by registration. If nothing more is heard it is suspect in 6.5 s.',
      listed: true,
      state: 'up',
      stateAgeMs: 2_000,
      content: {
        intent: 'up',
        rev: 1,
        host: '10.0.0.1',
        port: 3000,
        weight: 100,
        zone: 'z1',
        leaseMs: 15_000,
        liveness: 'lease',
        peer: '10.0.0.1',
      },
      verdict: { value: 'up', reason: 'registered', claim: 1, node: 'node-1', seq: 0 },
      evidence: {
        watchedMs: 2_000,
        heardMs: 2_000,
        heardBy: 'registration',
        baseline: true,
        probeAllowed: true,
        probeUnderWay: false,
      },
      guards: { service: { tripped: false, kept: 0 }, freezes: [] },
      next: { verdict: 'suspect', reason: 'silence', inMs: 6_500 },
      events: sim.node.events.query({}).events,
    })
  })

  it('foretells exactly what then happens', () => {
    const sim = new Simulation()
    sim.network = () => 'silence'
    sim.register({ incarnation: 5 })
    sim.register({ id: 'b', incarnation: 5 })
    let foretold = explained(sim).next
    for (const value of ['suspect', 'down', 'expired'] as const) {
      expect(foretold?.verdict).toBe(value)
      sim.run((foretold?.inMs ?? 0) - 100)
      expect(sim.record()?.verdict.value).not.toBe(value)
      sim.run(250)
      expect(sim.record()?.verdict).toMatchObject({ value, reason: foretold?.reason })
      foretold = explained(sim).next
    }
    expect(foretold).toBeUndefined()
  })

  it.each(['session', 'beat', 'probe'] as const)('knows that it was heard by %s', (by) => {
    const sim = new Simulation()
    const session = sim.openSession()
    if (by === 'session') sim.register({}, session)
    else if (by === 'beat') sim.register()
    else sim.register({ liveness: 'probe', probe: { type: 'http' } })
    sim.run(1_000)
    if (by === 'session') session.heard()
    if (by === 'beat') sim.beat()
    if (by === 'probe') sim.run(6_000)
    expect(explained(sim).evidence).toMatchObject({ heardBy: by })
    expect(explained(sim).evidence?.heardMs).toBeLessThan(3_000)
  })

  it('shows a closed session and the answer of the probe that followed', () => {
    const sim = new Simulation()
    sim.network = (request) => (request.purpose === 'baseline' ? 'succeeded' : 'refused')
    const session = sim.openSession()
    sim.register({ incarnation: 1 }, session)
    sim.run(1_000)
    session.close()
    sim.run(1_000)
    const { state, evidence, summary, next } = explained(sim)
    expect(state).toBe('down')
    expect(evidence).toMatchObject({
      session: { open: false, closedMs: 1_000 },
      probe: { outcome: 'refused' },
    })
    expect(summary).toContain('because its port refuses connections')
    expect(summary).toContain('A probe was refused')
    expect(next?.verdict).toBe('expired')
  })

  it('of what was deregistered says who, when, and until when it is known', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    sim.run(1_000)
    sim.execute({ kind: 'deregisterHost', namespace: 'default', host: '10.0.0.1', confirm: true })
    sim.run(12_000)
    const explanation = explained(sim)
    expect(explanation).toMatchObject({
      listed: false,
      content: { intent: 'gone', by: 'host' },
      forgottenInMs: 3_588_000,
    })
    expect(explanation).not.toHaveProperty('state')
    expect(explanation).not.toHaveProperty('next')
    expect(explanation.summary).toBe(
      'a of orders is not listed: incarnation 5 was deregistered with everything on its host 12 s ago, for good. ' +
        'A process may register it anew under a higher number. It is forgotten in 59 min.',
    )
    expect(explanation.events.at(-1)).toMatchObject({ kind: 'deregistered', by: 'host' })
    sim.run(3_600_000)
    expect(sim.read.explain(keyOf('a'))).toBeUndefined()
  })

  it('of what expired says that any sign of life brings it back', () => {
    const sim = new Simulation()
    sim.network = () => 'silence'
    sim.register({ incarnation: 5 })
    sim.run(120_000)
    expect(explained(sim)).toMatchObject({
      listed: false,
      verdict: { value: 'expired', reason: 'down_too_long' },
    })
    expect(explained(sim).summary).toContain('it was down for too long). Any sign of life brings it back.')
    expect(explained(sim)).not.toHaveProperty('next')
  })

  it('shows an override with its version, and a ban on what is gone', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    sim.execute({
      kind: 'override',
      refs: [ref('a')],
      drain: true,
      by: 'ops',
      why: 'reboot',
      durationMs: 60_000,
    })
    sim.run(1_000)
    expect(explained(sim)).toMatchObject({
      state: 'draining',
      override: {
        drain: true,
        counter: WALL_START,
        node: 'node-1',
        by: 'ops',
        why: 'reboot',
        remainingMs: 59_000,
      },
    })
    expect(explained(sim).summary).toContain(
      'draining for 1.0 s, because ops said so for another 59 s: reboot.',
    )
    sim.execute({ kind: 'override', refs: [ref('a')], disable: true })
    sim.deregister('a', 5)
    expect(explained(sim).summary).toContain('An instance that registers under this id will be disabled')
    expect(explained(sim)).not.toHaveProperty('forgottenInMs')
  })

  it('says what holds a verdict back: a freeze, the guards, flapping', () => {
    const frozen = new Simulation()
    frozen.network = () => 'silence'
    frozen.register()
    frozen.execute({ kind: 'freeze', namespace: '*', by: 'ops', why: 'work' })
    frozen.run(120_000)
    expect(explained(frozen)).toMatchObject({
      state: 'suspect',
      guards: { held: 'freeze', freezes: [{ by: 'ops' }] },
    })
    expect(explained(frozen).summary).toContain('The namespace is frozen by ops: work.')

    const guarded = new Simulation({ liveness: { serviceBreaker: LIVENESS_DEFAULTS.serviceBreaker } })
    guarded.network = () => 'silence'
    for (const id of ['a', 'b']) guarded.register({ id })
    guarded.run(60_000)
    const kept = ['a', 'b']
      .map((id) => explained(guarded, id))
      .find(({ guards }) => guards.held !== undefined)
    expect(kept).toMatchObject({
      state: 'suspect',
      guards: { held: 'service_breaker', service: { tripped: true, kept: 1 } },
    })
    expect(kept?.summary).toContain('the guard keeps 1 silent instance of this service')

    const flapping = new Simulation({ liveness: { damping: LIVENESS_DEFAULTS.damping } })
    flapping.register({ id: 'other', liveness: 'static' })
    for (let incarnation = 1; incarnation < 6; incarnation++) flapping.register({ incarnation })
    expect(explained(flapping)).toMatchObject({ state: 'suspect', guards: { dampedMs: 10_000 } })
    expect(explained(flapping).summary).toContain('It flapped and has to behave for another 10 s.')
  })

  it('says when this node doubts its own ears', () => {
    const sim = new Simulation({ liveness: { watcherBreaker: LIVENESS_DEFAULTS.watcherBreaker } })
    sim.network = () => 'silence'
    for (let index = 0; index < 10; index++) sim.register({ id: `i${index}` })
    sim.run(20_000)
    expect(explained(sim, 'i3').guards).toMatchObject({
      held: 'watcher_doubt',
      watcherDoubtMs: expect.any(Number) as number,
    })
    expect(explained(sim, 'i3').summary).toContain('the node doubts its own ears')
  })

  it('of what came from the journal says that this node has not heard it', () => {
    const before = new Simulation()
    before.register({ probe: { type: 'none' } })
    const sim = new Simulation({ nodeId: 'node-2' })
    sim.node.load([...before.node.snapshot()], sim.now)
    sim.run(5_000)
    expect(explained(sim).evidence).toEqual({
      watchedMs: 5_000,
      baseline: false,
      probeAllowed: false,
      probeUnderWay: false,
    })
    expect(explained(sim).summary).toContain(
      'This node has not heard it in the 5.0 s it has watched. It may not be probed',
    )
  })

  it('changes nothing', () => {
    const sim = new Simulation()
    sim.register(command())
    sim.run(1_000)
    sim.mark()
    explained(sim)
    expect(sim.entries).toEqual([])
    expect(sim.probes).toEqual([])
    expect(sim.read.explain(keyOf('nobody'))).toBeUndefined()
  })
})
