/** The event log: what is recorded, kept and told. */
import { describe, expect, it } from 'vitest'
import { EventLog } from './event-log.js'
import type { EventsQuery } from './event-log.js'
import { ref, Simulation, WALL_START } from '../simulated-node.fixture.js'

/** A log with `count` events of services `a` and `b` in turn. */
function logOf(count: number, eventsMax = 10): EventLog {
  const log = new EventLog('node-1', eventsMax, () => WALL_START)
  for (let index = 1; index <= count; index++) {
    const service = index % 2 === 1 ? 'a' : 'b'
    log.record(index % 3 === 0 ? 'state' : 'registered', { subject: { namespace: 'default', service } }, {})
  }
  return log
}

function numbers(log: EventLog, query: EventsQuery): number[] {
  return log.query(query).events.map(({ seq }) => seq)
}

describe('the event log', () => {
  it('tells the newest without a place to read on from, oldest first', () => {
    expect(numbers(logOf(5), {})).toEqual([1, 2, 3, 4, 5])
    expect(numbers(logOf(25), { limit: 3 })).toEqual([23, 24, 25])
    expect(logOf(0).query({})).toEqual({ node: 'node-1', events: [], next: 0 })
  })

  it('is read on from a place, page by page, to its end', () => {
    const log = logOf(5)
    expect(log.query({ after: 1, limit: 2 })).toMatchObject({ events: [{ seq: 2 }, { seq: 3 }], next: 3 })
    expect(log.query({ after: 3, limit: 2 })).toMatchObject({ events: [{ seq: 4 }, { seq: 5 }], next: 5 })
    expect(log.query({ after: 5 })).toEqual({ node: 'node-1', events: [], next: 5 })
  })

  it('forgets the oldest beyond its bound, and says how many a reader missed', () => {
    const log = logOf(25)
    expect(numbers(log, { limit: 1_000 })).toHaveLength(10)
    expect(log.query({ after: 3, limit: 1 })).toMatchObject({ events: [{ seq: 16 }], lost: 12 })
    expect(log.query({ after: 15, limit: 1 })).not.toHaveProperty('lost')
  })

  it('takes a number that is still to come for one of another boot', () => {
    expect(numbers(logOf(3), { after: 1_000 })).toEqual([1, 2, 3])
  })

  it('is narrowed by subject and kind, and reads on behind what did not match', () => {
    const log = logOf(9)
    expect(numbers(log, { service: 'b' })).toEqual([2, 4, 6, 8])
    expect(numbers(log, { kinds: ['state'] })).toEqual([3, 6, 9])
    expect(log.query({ service: 'nobody', after: 0 })).toEqual({ node: 'node-1', events: [], next: 9 })
    expect(numbers(log, { namespace: 'other' })).toEqual([])
    expect(log.query({ service: 'b', after: 0, limit: 2 })).toMatchObject({ next: 4 })
  })

  it('of no size keeps nothing and counts nothing', () => {
    const log = logOf(5, 0)
    expect(log.newest).toBe(0)
    expect(log.query({ after: 3 })).toEqual({ node: 'node-1', events: [], next: 0 })
  })
})

/** What a node says it did: kind, id, states, reason, who and why. */
function story(sim: Simulation, query: EventsQuery = {}): string[] {
  const { events } = sim.node.events.query(query)
  return events.map(({ kind, id, from, to, reason, by, why, peer }) =>
    [
      kind,
      id,
      from === undefined && to === undefined ? '' : `${from ?? '-'}>${to ?? '-'}`,
      reason,
      by,
      why,
      peer,
    ]
      .filter((part) => part !== undefined && part !== '')
      .join(' '),
  )
}

describe('what is told', () => {
  it('is the life of an instance, with who and why', () => {
    const sim = new Simulation({ liveness: { removalMs: 60_000 } })
    sim.network = () => 'failed'
    sim.register({ incarnation: 1, intent: 'starting' })
    sim.register({ incarnation: 1, rev: 2 })
    sim.register({ incarnation: 1, rev: 3, metadata: { v: '2' } })
    sim.run(200_000)
    sim.register({ incarnation: 2 })
    sim.register({ incarnation: 3, host: '10.0.0.2' })
    sim.execute({ kind: 'deregister', refs: [ref('a', 3)] }, '10.0.0.2')
    expect(story(sim)).toEqual([
      'registered a ->starting 10.0.0.1',
      'updated a starting>up 10.0.0.1',
      'updated a up>up 10.0.0.1',
      'state a up>suspect silence',
      'state a suspect>down silence',
      'expired a down>- down_too_long',
      'registered a ->up 10.0.0.1',
      'replaced a up>up 10.0.0.1',
      'deregistered a up>- provider 10.0.0.2',
    ])
  })

  it('dates events and names their subject', () => {
    const sim = new Simulation()
    sim.run(1_000)
    sim.register({ incarnation: 7 })
    expect(sim.node.events.query({}).events).toEqual([
      {
        seq: 1,
        at: new Date(WALL_START + 1_000).toISOString(),
        kind: 'registered',
        namespace: 'default',
        service: 'orders',
        group: 'default',
        id: 'a',
        incarnation: 7,
        to: 'up',
        peer: '10.0.0.1',
      },
    ])
  })

  it('holds nothing of heartbeats, pings, renewals and what is only a version', () => {
    const sim = new Simulation()
    const session = sim.openSession()
    sim.register({ incarnation: 1 }, session)
    sim.register({ id: 'b' })
    const { newest } = sim.node.events
    for (let round = 0; round < 100; round++) {
      sim.beat('b')
      session.heard()
      sim.register({ incarnation: 1, rev: 1 + round }, session)
      sim.run(1_000)
    }
    expect(sim.node.events.newest).toBe(newest)
  })

  it('holds what operators do', () => {
    const sim = new Simulation()
    sim.register({ liveness: 'static' })
    const refs = [ref('a')]
    sim.execute(
      { kind: 'override', refs, drain: true, weight: 7, by: 'ops', why: 'test', durationMs: 1_000 },
      '10.9.9.9',
    )
    sim.run(1_100)
    sim.execute({ kind: 'override', refs, disable: true })
    sim.execute({ kind: 'clearOverrides', refs, by: 'ops' }, '10.9.9.9')
    sim.execute({ kind: 'freeze', namespace: '*', by: 'ops', why: 'work' }, '10.9.9.9')
    sim.execute({ kind: 'unfreeze', namespace: '*', by: 'ops' })
    sim.execute({ kind: 'unfreeze', namespace: '*', by: 'ops' })
    sim.execute(
      { kind: 'declareService', namespace: 'default', service: 'orders', settings: { removalMs: 5_000 } },
      '10.9.9.9',
    )
    sim.execute({ kind: 'declareNamespace', namespace: 'default', settings: { allow: [] } })
    sim.execute({ kind: 'declareService', namespace: 'default', service: 'orders', settings: null })
    expect(story(sim).slice(1)).toEqual([
      'override_set a up>draining drain, weight 7 ops test 10.9.9.9',
      'override_cleared a draining>up its time was over',
      'override_set a up>disabled disable',
      'override_cleared a disabled>up ops 10.9.9.9',
      'frozen ops work 10.9.9.9',
      'unfrozen ops',
      'declared 10.9.9.9',
      'declared',
      'undeclared',
    ])
  })

  it('holds long stalls, and only those', () => {
    const sim = new Simulation()
    sim.stall(900)
    sim.run(1_000)
    sim.stall(60_000)
    sim.run(1_000)
    expect(sim.node.events.query({ kinds: ['stall'] }).events).toMatchObject([
      { kind: 'stall', lateMs: 59_900 },
    ])
  })
})
