/** What may be brought back, and as which incarnation. */
import { type ErrorBody, LIMITS } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { keyOf, ref, Simulation, type SimulationOptions } from '../simulated-node.fixture.js'
import type { RestoreCommand, RestoreOutcome } from '../commands.js'

function restore(sim: Simulation, more: Partial<RestoreCommand> = {}): RestoreOutcome | ErrorBody {
  return sim.execute({ kind: 'restore', namespace: 'default', service: 'orders', ...more }, '10.9.9.9')
}

/** Ids and incarnations of what came back, or the codes of why not. */
function told(outcome: ReturnType<typeof restore>): string[] {
  if ('code' in outcome) return [outcome.code]
  return outcome.results.map((result) =>
    result.ok ? `${result.id} ${result.incarnation} ${result.was}` : `${result.id} ${result.error.code}`,
  )
}

function byHost(sim: Simulation, host = '10.0.0.1'): void {
  sim.execute({ kind: 'deregisterHost', namespace: 'default', host, confirm: true })
}

/** A node where `ids` were deregistered with everything on their host, by mistake. */
function mistaken(ids: readonly string[] = ['a'], options: SimulationOptions = {}): Simulation {
  const sim = new Simulation(options)
  for (const id of ids) sim.register({ id, incarnation: 5, metadata: { v: '1' } })
  sim.run(1_000)
  byHost(sim)
  return sim
}

describe('what somebody else deregistered', () => {
  it('comes back where there is room for it among the living', () => {
    const sim = mistaken(['a', 'b'], { instancesMax: 2, peers: { share: 1, sharedNetworks: [] } })
    sim.register({ id: 'c', host: '10.0.0.2' })
    expect(told(restore(sim, { dryRun: true }))).toEqual(['a 6 deregistered', 'b 6 deregistered'])
    expect(told(restore(sim))).toEqual(['a 6 deregistered', 'b limit_exceeded'])
    expect([sim.shown('a'), sim.shown('b')]).toEqual(['up', undefined])
  })

  it('comes back as a new incarnation with what it offered last', () => {
    const sim = mistaken()
    sim.run(2_000)
    expect(restore(sim, { by: 'ops', why: 'wrong host' })).toEqual({
      dryRun: false,
      results: [
        {
          ok: true,
          ...keyOf('a'),
          incarnation: 6,
          host: '10.0.0.1',
          port: 3000,
          was: 'deregistered',
          goneMs: 2_000,
        },
      ],
    })
    expect(sim.shown()).toBe('up')
    expect(sim.record()).toMatchObject({
      incarnation: 6,
      content: { intent: 'up', metadata: { v: '1' }, rev: 0, restored: true },
      verdict: { value: 'up', claim: 1, reason: 'restored' },
    })
    expect(sim.node.events.query({}).events.at(-1)).toMatchObject({
      kind: 'restored', to: 'up', incarnation: 6, by: 'ops', why: 'wrong host', peer: '10.9.9.9',
    }) // prettier-ignore
    expect(restore(sim)).toMatchObject({ results: [] })
  })

  it('has the sign of a registration with that number, so that every node agrees', () => {
    const sim = mistaken()
    restore(sim)
    const plain = new Simulation()
    plain.register({ incarnation: 6, metadata: { v: '1' } })
    expect(sim.read.services({}).sign).toBe(plain.read.services({}).sign)
  })

  it('stays final itself: its number is refused for ever', () => {
    const sim = mistaken()
    restore(sim)
    expect(sim.register({ incarnation: 5 })).toMatchObject({ ok: false, error: { code: 'superseded' } })
    expect(sim.execute({ kind: 'deregister', refs: [ref('a', 5)] })).toMatchObject({
      superseded: [{ id: 'a' }],
    })
    expect(sim.shown()).toBe('up')
  })

  it('heals when its provider registers anew, with the same number as with a higher one', () => {
    for (const incarnation of [6, 9]) {
      const sim = mistaken()
      restore(sim)
      sim.run(60_000)
      expect(sim.register({ incarnation, rev: 1, metadata: { v: '2' } })).toMatchObject({
        ok: true,
        incarnation,
      })
      expect(sim.record()?.content).toMatchObject({ metadata: { v: '2' } })
      expect(sim.record()?.content).not.toHaveProperty('restored')
      expect(sim.beat('a', incarnation)).toEqual({ unknown: [], deregistered: [], superseded: [] })
      expect(sim.shown()).toBe('up')
    }
  })

  it('is cleared of being restored by a registration that offers just the same', () => {
    const sim = mistaken()
    restore(sim)
    sim.register({ incarnation: 6, rev: 1, metadata: { v: '1' } })
    expect(sim.record()?.content).toMatchObject({ rev: 1 })
    expect(sim.record()?.content).not.toHaveProperty('restored')
  })

  it('answers beats of the old number with `deregistered`, so that their sender registers anew', () => {
    const sim = mistaken()
    restore(sim)
    expect(sim.beat('a', 5)).toMatchObject({ deregistered: [{ id: 'a' }], superseded: [] })
    sim.register({ incarnation: 6, rev: 1 })
    expect(sim.beat('a', 5)).toMatchObject({ deregistered: [], superseded: [{ id: 'a' }] })
  })

  it('is kept alive by beats without a number where it was registered without one', () => {
    const sim = new Simulation()
    sim.register()
    byHost(sim)
    restore(sim)
    sim.network = () => 'silence'
    sim.every(5_000, () => sim.beat())
    sim.run(120_000)
    expect(sim.shown()).toBe('up')
  })

  it('is watched like something this node never heard', () => {
    const sim = mistaken()
    sim.network = () => 'silence'
    restore(sim)
    sim.run(14_000)
    expect(sim.shown()).toBe('up')
    sim.run(3_000)
    expect(sim.shown()).toBe('suspect unheard')
    sim.run(500_000)
    expect(sim.shown()).toBe('suspect unheard')
    sim.run(120_000)
    expect(sim.shown()).toBe('down long_silence')
  })

  it('keeps its override', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    sim.execute({ kind: 'override', refs: [ref('a')], disable: true })
    byHost(sim)
    restore(sim)
    expect(sim.shown()).toBe('disabled operator')
  })

  it('can be brought back after a restart of the node, but not after the retention', () => {
    const sim = mistaken()
    const after = new Simulation({ nodeId: 'node-2' })
    after.node.load(JSON.parse(JSON.stringify([...sim.node.snapshot()])) as never, after.now)
    expect(told(restore(after))).toEqual(['a 6 deregistered'])
    sim.run(3_700_000)
    expect(told(restore(sim))).toEqual(['unknown_service'])
  })

  it('by name, without the session that vouched, counts as a mistake as well', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    sim.register({ incarnation: 5 }, session)
    sim.deregister('a', 5)
    expect(told(restore(sim))).toEqual(['a 6 deregistered'])
  })
})

describe('what left by its own doing', () => {
  it('is not remembered, and comes back only if somebody knows better', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    sim.register({ incarnation: 5 }, session)
    sim.deregister('a', 5, session)
    expect(sim.record()?.content).toEqual({ intent: 'gone', rev: 1, by: 'provider' })
    expect(told(restore(sim))).toEqual([])
    expect(told(restore(sim, { ids: ['a'] }))).toEqual(['a deregistered'])
  })

  it('is not among those who left where it was never registered', () => {
    const sim = new Simulation()
    sim.register({ id: 'b' })
    sim.deregister('a', 5)
    expect(told(restore(sim, { ids: ['a'] }))).toEqual(['a unknown_instance'])
  })
})

describe('what expired', () => {
  function expired(): Simulation {
    const sim = new Simulation()
    sim.network = () => 'silence'
    sim.register({ incarnation: 5 })
    sim.run(150_000)
    expect(sim.shown()).toBeUndefined()
    return sim
  }

  it('comes back as the same incarnation, and has its time again', () => {
    const sim = expired()
    expect(told(restore(sim))).toEqual(['a 5 expired'])
    expect(sim.record()).toMatchObject({ incarnation: 5, verdict: { value: 'up', reason: 'restored' } })
    expect(sim.node.events.query({}).events.at(-1)).toMatchObject({ kind: 'restored', to: 'up' })
    sim.run(10_000)
    expect(sim.shown()).toBe('up')
    expect(sim.beat('a', 5)).toMatchObject({ deregistered: [] })
    sim.run(20_000)
    expect(sim.shown()).toBe('down silence')
  })

  it('has its verdict raised over that of the node that judged before', () => {
    const before = expired()
    const sim = new Simulation({ nodeId: 'node-2' })
    sim.node.load([...before.node.snapshot()], sim.now)
    restore(sim)
    expect(sim.record()?.verdict).toMatchObject({ value: 'up', claim: 2, node: 'node-2' })
  })
})

describe('a command', () => {
  it('that only asks changes nothing', () => {
    const sim = mistaken(['a', 'b'])
    sim.mark()
    expect(restore(sim, { dryRun: true })).toMatchObject({
      dryRun: true,
      results: [{ id: 'a' }, { id: 'b' }],
    })
    expect(sim.entries).toEqual([])
    expect(sim.shown()).toBeUndefined()
  })

  it('is narrowed by age, reason, group and id', () => {
    const sim = new Simulation()
    sim.network = (request) => (request.key.id === 'late' ? 'silence' : 'succeeded')
    sim.register({ id: 'late', incarnation: 1 })
    sim.run(100_000)
    sim.register({ id: 'a', incarnation: 5 })
    sim.register({ id: 'b', incarnation: 5, group: 'blue' })
    byHost(sim)
    sim.register({ id: 'c', incarnation: 5 })
    sim.run(30_000)
    sim.execute({ kind: 'deregister', refs: [ref('c', 5)] })
    const ask = (more: Partial<RestoreCommand>): string[] =>
      told(restore(sim, { dryRun: true, ...more })).toSorted()
    expect(ask({})).toEqual([
      'a 6 deregistered',
      'b 6 deregistered',
      'c 6 deregistered',
      'late 2 deregistered',
    ])
    expect(ask({ sinceMs: 10_000 })).toEqual(['c 6 deregistered'])
    expect(ask({ group: 'blue' })).toEqual(['b 6 deregistered'])
    expect(ask({ ids: ['a', 'nobody'] })).toEqual(['a 6 deregistered', 'nobody unknown_instance'])
    expect(ask({ reasons: ['expired'] })).toEqual([])
  })

  it('brings nobody back who could not register', () => {
    const sim = mistaken()
    sim.execute({ kind: 'declareNamespace', namespace: 'default', settings: { allow: ['192.168.0.0/16'] } })
    expect(told(restore(sim))).toEqual(['a namespace_not_allowed'])
    expect(sim.shown()).toBeUndefined()
  })

  it('goes on while the namespace is frozen', () => {
    const sim = mistaken()
    sim.execute({ kind: 'freeze', namespace: 'default' })
    expect(told(restore(sim))).toEqual(['a 6 deregistered'])
  })

  it.each<[string, Partial<RestoreCommand>, SimulationOptions]>([
    ['unknown_service', { service: 'nobody' }, {}],
    ['invalid_argument', { sinceMs: -1 }, {}],
    ['invalid_argument', { by: 'x'.repeat(257) }, {}],
    ['batch_too_large', {}, { limits: { ...LIMITS, batchItemsMax: 1 } }],
  ])('that makes no sense is refused: %s', (code, command, options) => {
    const sim = mistaken(['a', 'b'], options)
    sim.mark()
    expect(told(restore(sim, command))).toEqual([code])
    expect(sim.entries).toEqual([])
  })
})
