/** Which incarnation may hold an id: registrations, renewals, beats, deregistrations. */
import { describe, expect, it } from 'vitest'
import type { Answers, RegisterCommand } from '../commands.js'
import { command, keyOf, ref, Simulation, WALL_START } from '../simulated-node.fixture.js'

/** A code, or the incarnation that was accepted. */
function outcome(accepted: Answers['register'][number]): string {
  return accepted.ok ? `ok ${accepted.incarnation}` : accepted.error.code
}

/** Kills everything: no port answers, nobody beats. */
function dies(sim: Simulation, ms: number): void {
  sim.network = () => 'silence'
  sim.run(ms)
}

describe('which incarnation may hold an id', () => {
  // Stored is always incarnation 5 at 10.0.0.1:3000, in the condition named.
  type Condition =
    | 'unknown'
    | 'up'
    | 'suspect, just heard'
    | 'suspect, long silent'
    | 'down'
    | 'expired'
    | 'gone'
  const conditions: Record<Condition, (sim: Simulation) => void> = {
    unknown: () => {},
    up: (sim) => void sim.register({ incarnation: 5 }),
    // Half a lease of silence, and a probe that failed.
    'suspect, just heard': (sim) => {
      sim.register({ incarnation: 5 })
      dies(sim, 9_000)
    },
    'suspect, long silent': (sim) => {
      sim.register({ incarnation: 5 })
      sim.network = () => 'succeeded'
      sim.run(20_000)
    },
    down: (sim) => {
      sim.register({ incarnation: 5 })
      dies(sim, 20_000)
    },
    expired: (sim) => {
      sim.register({ incarnation: 5 })
      dies(sim, 90_000)
    },
    gone: (sim) => {
      sim.register({ incarnation: 5 })
      sim.deregister('a', 5)
    },
  }
  const elsewhere = { port: 4000 }

  it.each<[Condition, Partial<RegisterCommand>, string]>([
    ['unknown', { incarnation: 5 }, 'ok 5'],
    ['unknown', { incarnation: 0 }, 'ok 0'],
    ['up', { incarnation: 6 }, 'ok 6'],
    ['up', { incarnation: 6, ...elsewhere }, 'ok 6'],
    ['up', { incarnation: 5 }, 'ok 5'],
    ['up', { incarnation: 5, rev: 2, ...elsewhere }, 'ok 5'],
    // A lower number is refused while the holder lives or was just heard, else it is told to raise.
    ['up', { incarnation: 4 }, 'id_taken'],
    ['suspect, just heard', { incarnation: 4 }, 'id_taken'],
    ['suspect, long silent', { incarnation: 4 }, 'superseded'],
    ['down', { incarnation: 4 }, 'superseded'],
    ['expired', { incarnation: 4 }, 'superseded'],
    ['gone', { incarnation: 4 }, 'superseded'],
    ['gone', { incarnation: 5 }, 'deregistered'],
    ['gone', { incarnation: 5, rev: 99 }, 'deregistered'],
    ['gone', { incarnation: 6 }, 'ok 6'],
    ['down', { incarnation: 5 }, 'ok 5'],
    ['expired', { incarnation: 5 }, 'ok 5'],
    ['expired', { incarnation: 6 }, 'ok 6'],
    // Without a number (T13): the same address renews, another takes a number above.
    ['up', {}, 'ok 5'],
    ['down', {}, 'ok 5'],
  ])('stored %s, offered %j: %s', (condition, offered, expected) => {
    const sim = new Simulation()
    conditions[condition](sim)
    expect(outcome(sim.register(offered))).toBe(expected)
  })

  it.each<[Condition, Partial<RegisterCommand>]>([
    ['unknown', {}],
    ['up', elsewhere],
    ['gone', {}],
  ])('stored %s, offered %j: the wall clock', (condition, offered) => {
    const sim = new Simulation()
    conditions[condition](sim)
    expect(outcome(sim.register(offered))).toBe(`ok ${WALL_START + sim.now - 1_000_000}`)
  })

  it('goes above a stored number that is ahead of the wall clock', () => {
    const sim = new Simulation()
    sim.register({ incarnation: WALL_START + 1_000 })
    expect(outcome(sim.register(elsewhere))).toBe(`ok ${WALL_START + 1_001}`)
  })

  it('tells who is too late which number to go above', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    const refused = sim.register({ incarnation: 4 })
    expect(refused).toMatchObject({ ok: false, error: { details: { incarnation: 5 } } })
  })

  it('leaves everything as it was when it refuses', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    sim.mark()
    const before = sim.record()
    sim.register({ incarnation: 4, ...elsewhere })
    expect(sim.record()).toBe(before)
    expect(sim.entries).toEqual([])
  })
})

describe('a renewal', () => {
  it('that changes nothing writes nothing, named or not', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5, rev: 3, metadata: { b: '1', a: '2' } })
    sim.register({ id: 'curl' })
    sim.mark()
    expect(outcome(sim.register({ incarnation: 5, rev: 3, metadata: { a: '2', b: '1' } }))).toBe('ok 5')
    sim.run(7_000)
    expect(outcome(sim.register({ id: 'curl' }))).toBe(`ok ${WALL_START}`)
    expect(sim.entries).toEqual([])
  })

  it('is evidence', () => {
    const sim = new Simulation()
    sim.network = () => 'silence'
    sim.register({ incarnation: 5 })
    sim.mark()
    sim.every(5_000, () => sim.register({ incarnation: 5 }))
    sim.run(60_000)
    expect(sim.transcript).toEqual([])
  })

  it('keeps an override (M5), and so does a new incarnation', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    drain(sim, 5)
    sim.register({ incarnation: 5, rev: 2, weight: 7 })
    expect(sim.shown()).toBe('draining operator')
    sim.register({ incarnation: 6 })
    expect(sim.shown()).toBe('draining operator')
    sim.deregister('a', 6)
    sim.register({ incarnation: 7 })
    expect(sim.shown()).toBe('draining operator')
    expect(sim.record()?.override?.counter).toBe(1)
  })

  it.each([
    ['a higher rev', { rev: 4, weight: 7 }, 7, 4],
    ['an old rev', { rev: 2, weight: 7 }, 100, 3],
    ['no rev', { weight: 7 }, 7, 4],
    ['a higher rev and nothing else', { rev: 4 }, 100, 4],
  ])('with %s takes the newer content', (_, offered, weight, rev) => {
    const sim = new Simulation()
    sim.register({ incarnation: 5, rev: 3 })
    sim.register({ incarnation: 5, ...offered })
    expect(sim.record()?.content).toMatchObject({ weight, rev })
  })

  it('with equal revs and different contents ends the same in either order', () => {
    const contents = [
      [1, 2],
      [2, 1],
    ].map((weights) => {
      const sim = new Simulation()
      for (const weight of weights) sim.register({ incarnation: 5, rev: 3, weight })
      return sim.record()?.content
    })
    expect(contents[0]).toEqual(contents[1])
  })

  it('of an expired instance shows it again', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    dies(sim, 90_000)
    expect(sim.shown()).toBeUndefined()
    sim.register({ incarnation: 5 })
    expect(sim.shown()).toBe('up')
  })

  it('without a number keeps the name of a named record', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    sim.register({ weight: 7 })
    expect(sim.record()?.content).toMatchObject({ named: true, weight: 7, rev: 2 })
  })

  it('at another address asks the new address, and keeps the session that vouches', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    sim.register({ incarnation: 5 }, session)
    sim.every(3_000, () => session.heard())
    sim.run(1_000)
    sim.mark()
    sim.register({ incarnation: 5, rev: 2, port: 4000 })
    expect(sim.probes.map(({ port, purpose }) => `${port} ${purpose}`)).toEqual(['4000 baseline'])
    sim.network = () => 'silence'
    sim.run(60_000)
    expect(sim.shown()).toBe('up')
  })

  it('that names another probe target needs a new baseline before a refusal counts', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    sim.run(100)
    sim.network = ({ port }) => (port === 4000 ? 'refused' : 'succeeded')
    sim.register({ incarnation: 5, rev: 2, probe: { type: 'tcp', port: 4000 } })
    sim.run(8_000)
    expect(sim.shown()).toBe('suspect silence')
  })
})

describe('a beat', () => {
  it.each([
    ['an unknown id', 'nobody', undefined, 'unknown'],
    ['its incarnation', 'named', 5, 'heard'],
    ['a higher incarnation', 'named', 6, 'unknown'],
    ['a lower incarnation', 'named', 4, 'superseded'],
    ['none, for a named record (M3)', 'named', undefined, 'superseded'],
    ['none, for an unnamed record', 'unnamed', undefined, 'heard'],
    ['the number an unnamed record was given', 'unnamed', WALL_START, 'heard'],
    ['a deregistered incarnation', 'gone', 5, 'deregistered'],
    ['a predecessor of a deregistered one', 'gone', 4, 'superseded'],
    ['none, for a deregistered record', 'gone', undefined, 'deregistered'],
  ])('with %s', (_, id, incarnation, expected) => {
    const sim = new Simulation()
    sim.register({ id: 'named', incarnation: 5 })
    sim.register({ id: 'gone', incarnation: 5 })
    sim.register({ id: 'unnamed' })
    sim.deregister('gone', 5)
    sim.mark()
    const answer = sim.beat(id, incarnation)
    const lists = Object.entries(answer).filter(([, refs]) => refs.length > 0)
    expect(lists).toEqual(expected === 'heard' ? [] : [[expected, [ref(id, incarnation)]]])
    expect(sim.entries).toEqual([])
  })

  it('writes nothing however many there are (G7)', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    sim.mark()
    sim.every(5_000, () => sim.beat('a', 5))
    sim.run(600_000)
    expect(sim.entries).toEqual([])
  })
})

describe('a deregistration', () => {
  it.each([
    ['its incarnation', 'named', 5, 'removed'],
    ['none, of an unnamed record', 'unnamed', undefined, 'removed'],
    ['none, of a named record (T14)', 'named', undefined, 'superseded'],
    ['a lower incarnation', 'named', 4, 'superseded'],
    ['a higher incarnation', 'named', 6, 'unknown'],
    ['an unknown id without incarnation', 'nobody', undefined, 'unknown'],
    ['an unknown id with incarnation', 'nobody', 5, 'unknown'],
  ])('with %s', (_, id, incarnation, expected) => {
    const sim = new Simulation()
    sim.register({ id: 'named', incarnation: 5 })
    sim.register({ id: 'unnamed' })
    const answer = sim.deregister(id, incarnation)
    expect(answer).toEqual({ removed: [], unknown: [], superseded: [], [expected]: [ref(id, incarnation)] })
    const hidden = expected === 'removed' || incarnation === 6
    if (id !== 'nobody') expect(sim.shown(id)).toBe(hidden ? undefined : 'up')
  })

  it('is final for an incarnation that was not known (G4)', () => {
    const sim = new Simulation()
    sim.deregister('a', 5)
    expect(sim.entries).toMatchObject([
      { kind: 'record', record: { incarnation: 5, content: { intent: 'gone' } } },
    ])
    expect(outcome(sim.register({ incarnation: 5 }))).toBe('deregistered')
    expect(outcome(sim.register({ incarnation: 6 }))).toBe('ok 6')
    expect(outcome(sim.register({ id: 'b', incarnation: 5 }))).toBe('ok 5')
  })

  it('is stored once: repeating it writes nothing and says unknown', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    sim.deregister('a', 5)
    sim.mark()
    expect(sim.deregister('a', 5).unknown).toHaveLength(1)
    expect(sim.entries).toEqual([])
  })

  it('beats any rev of its incarnation, by any writer (T16)', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5, rev: 1_000 })
    sim.execute({ kind: 'deregisterHost', namespace: 'default', host: '10.0.0.1', confirm: true })
    expect(outcome(sim.register({ incarnation: 5, rev: 1_001 }))).toBe('deregistered')
    expect(sim.record()?.content).toMatchObject({ intent: 'gone', by: 'host' })
  })

  it('holds also after an expiry', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    dies(sim, 90_000)
    expect(sim.deregister('a', 5).removed).toHaveLength(1)
    expect(sim.beat('a', 5).deregistered).toHaveLength(1)
  })
})

describe('the session that vouched so far', () => {
  type Told = { readonly id: string; readonly incarnation: number; readonly reason: string }
  function setUp() {
    const sim = new Simulation()
    const told: Told[] = []
    const session = sim.openSession({
      onRemoved: (refs) =>
        told.push(...refs.map(({ id, incarnation, reason }) => ({ id, incarnation, reason }))),
    })
    sim.register({ incarnation: 5 }, session)
    return { sim, told, session }
  }

  it('is told when another process takes the id', () => {
    const { sim, told } = setUp()
    sim.register({ incarnation: 6 }, sim.openSession())
    expect(told).toEqual([{ id: 'a', incarnation: 5, reason: 'superseded' }])
  })

  it('is told when somebody deregisters the host', () => {
    const { sim, told } = setUp()
    sim.execute({ kind: 'deregisterHost', namespace: '*', host: '10.0.0.1', confirm: false })
    expect(told).toEqual([{ id: 'a', incarnation: 5, reason: 'deregistered' }])
  })

  it('is told when a successor that was never seen is deregistered', () => {
    const { sim, told } = setUp()
    sim.deregister('a', 6)
    expect(told).toEqual([{ id: 'a', incarnation: 5, reason: 'superseded' }])
  })

  it('is told when somebody else deregisters by name', () => {
    const { sim, told, session } = setUp()
    sim.register({ incarnation: 6 }, session)
    sim.deregister('a', 6)
    expect(told).toEqual([{ id: 'a', incarnation: 6, reason: 'deregistered' }])
  })

  it('is told nothing about its own doing, or once it is closed', () => {
    const { sim, told, session } = setUp()
    sim.register({ incarnation: 6 }, session)
    sim.deregister('a', 6, session)
    sim.register({ incarnation: 7 }, session)
    session.close()
    sim.register({ incarnation: 8 })
    expect(told).toEqual([])
  })
})

/** What an operator's override does, until there is a call for it. */
function drain(sim: Simulation, incarnation: number): void {
  const record = sim.record()
  if (record === undefined) throw new Error('nothing to drain')
  sim.node.directory.propose(
    { ...record, incarnation, override: { counter: 1, node: 'node-1', value: { drain: true } } },
    { kind: 'override' },
    sim.now,
  )
}

describe('a batch', () => {
  it('is judged item by item', () => {
    const sim = new Simulation()
    const items = [
      command({ incarnation: 1 }),
      command({ id: 'bad', port: 0 }),
      command({ ...keyOf('c'), weight: -1 }),
      command({ id: 'd' }),
    ]
    const results = sim.done({ kind: 'register', items }).map(outcome)
    expect(results).toEqual(['ok 1', 'invalid_argument', 'invalid_argument', `ok ${WALL_START}`])
    expect(sim.node.directory.records).toBe(2)
  })
})
