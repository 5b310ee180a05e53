/** What silence may take of a service, and what a freeze holds. */
import { describe, expect, it } from 'vitest'
import type { JournalEntry } from '../ports.js'
import { silentDeathsMax } from './service-breaker.js'
import { keyOf, QUIET, Simulation } from '../simulated-node.fixture.js'
import { fullView } from '../directory/view.js'
import { type SessionEvidence } from './evidence.js'
import { LIVENESS_DEFAULTS, type LivenessOptions } from './options.js'

/** Everything on, as users get it. */
const GUARDED: Partial<LivenessOptions> = LIVENESS_DEFAULTS

/** Instances on sessions of their own, some of which are cut off later. */
class Fleet {
  readonly sim: Simulation
  readonly sessions: SessionEvidence[] = []
  /** Indexes that send nothing any more. */
  readonly mute = new Set<number>()

  constructor(size: number, liveness: Partial<LivenessOptions> = GUARDED) {
    this.sim = new Simulation({ liveness })
    const { sim } = this
    for (let index = 0; index < size; index++) {
      const session = sim.openSession({ onSilent: () => session.close() })
      this.sessions.push(session)
      sim.register({ id: `i${index}`, incarnation: 1, host: `10.0.0.${index}` }, session)
      sim.after((index * 37) % 3_000, () => {
        sim.every(3_000, () => {
          if (!this.mute.has(index)) session.heard()
        })
      })
    }
    sim.run(20_000)
    sim.mark()
  }

  /** The network swallows everything to and from these. */
  cutOff(count: number): void {
    for (let index = 0; index < count; index++) this.mute.add(index)
    this.sim.network = (request) => (Number(request.host.split('.')[3]) < count ? 'silence' : 'succeeded')
  }

  heal(): void {
    this.mute.clear()
    this.sim.network = () => 'succeeded'
  }

  /** States and how many are in each. */
  states(): Record<string, number> {
    const { states } = this.sim.node.directory
    return Object.fromEntries(Object.entries(states).filter(([, count]) => count > 0))
  }

  guard(): { tripped: boolean; kept: number } {
    return this.sim.node.liveness.guardOf(this.sim.node.directory.find('default', 'orders'))
  }
}

describe('the share of a service that silence may take', () => {
  it.each([
    [0, 0],
    [1, 0],
    [2, 1],
    [3, 1],
    [6, 1],
    [10, 3],
    [100, 30],
  ])('of %i is %i, and never all', (listed, most) => {
    expect(silentDeathsMax(listed, 0.3)).toBe(most)
  })
})

describe('when most of a service falls silent at once', () => {
  it('nothing is suspected while the node doubts its own ears', () => {
    const fleet = new Fleet(20)
    fleet.cutOff(12)
    fleet.sim.run(20_000)
    expect(fleet.sim.transcript).toEqual([])
  })

  it('suspects come when the doubt has lasted two leases and others are heard, and only a share goes down', () => {
    const fleet = new Fleet(20)
    fleet.cutOff(12)
    fleet.sim.run(90_000)
    expect(fleet.states()).toEqual({ up: 8, suspect: 6, down: 6 })
    expect(fleet.guard()).toEqual({ tripped: true, kept: 6 })
    fleet.sim.run(120_000)
    // Nothing refills by time: no one expires while the guard is tripped, so no one makes room for more.
    expect(fleet.states()).toEqual({ up: 8, suspect: 6, down: 6 })
  })

  it('all return with the first sound, and the guard with them', () => {
    const fleet = new Fleet(20)
    fleet.cutOff(12)
    fleet.sim.run(90_000)
    fleet.heal()
    for (const session of fleet.sessions.slice(0, 12)) {
      const index = fleet.sessions.indexOf(session)
      const next = fleet.sim.openSession()
      fleet.sim.register({ id: `i${index}`, incarnation: 1, host: `10.0.0.${index}` }, next)
    }
    expect(fleet.states()).toEqual({ up: 20 })
    expect(fleet.guard()).toEqual({ tripped: false, kept: 0 })
  })

  it('after ten minutes of healthy watching even the kept go down, and then expire', () => {
    const fleet = new Fleet(20)
    fleet.cutOff(12)
    fleet.sim.run(620_000)
    // The six that were kept are down now; the six that had been down have expired.
    expect(fleet.states()).toEqual({ up: 8, down: 6 })
    fleet.sim.run(120_000)
    expect(fleet.states()).toEqual({ up: 8 })
  })

  it('and nothing at all is heard, nobody is suspected, however long it lasts', () => {
    const fleet = new Fleet(20)
    fleet.cutOff(20)
    fleet.sim.run(500_000)
    expect(fleet.states()).toEqual({ up: 20 })
  })

  it('a service that declared its breaker off loses them all', () => {
    const fleet = new Fleet(20)
    fleet.sim.execute({
      kind: 'declareService',
      namespace: 'default',
      service: 'orders',
      settings: { breaker: { enabled: false } },
    })
    fleet.cutOff(12)
    fleet.sim.run(40_000)
    expect(fleet.states()).toEqual({ up: 8, down: 12 })
  })
})

describe('when much of a service falls silent again', () => {
  /** Twelve of forty are silent for good and accounted for: some down, some kept. */
  function scarred(): Fleet {
    const fleet = new Fleet(40)
    fleet.cutOff(12)
    fleet.sim.run(60_000)
    expect(fleet.states()).toEqual({ up: 28, down: 12 })
    expect(fleet.sim.node.liveness.guards.doubts().zones).toBe(0)
    return fleet
  }

  it.each([60_000, 600_000])('(%i ms later) it is doubted anew, for two leases of its own', (laterMs) => {
    const fleet = scarred()
    fleet.sim.run(laterMs)
    fleet.sim.mark()
    fleet.cutOff(24)
    // Noticed two pings after the last sound; until two leases of a session are over since then nothing is said.
    fleet.sim.run(20_000)
    expect(fleet.sim.transcript.filter((line) => line.includes('suspect'))).toEqual([])
    expect(fleet.sim.node.liveness.guards.doubts().zones).toBe(1)
    fleet.sim.run(20_000)
    expect(fleet.states()['up']).toBe(16)
    expect(fleet.sim.node.liveness.guards.doubts().zones).toBe(0)
  })

  it('and few are suspect at their usual time', () => {
    const fleet = scarred()
    fleet.cutOff(13)
    fleet.sim.run(10_000)
    expect(fleet.states()['up']).toBe(27)
    expect(fleet.sim.node.liveness.guards.doubts().zones).toBe(0)
  })

  it('during the first doubt, the newer ones have two leases from when they were noticed', () => {
    const fleet = new Fleet(40)
    fleet.cutOff(12)
    fleet.sim.run(18_000)
    fleet.cutOff(24)
    fleet.sim.run(12_000)
    expect(fleet.states()['up']).toBe(28)
    fleet.sim.run(20_000)
    expect(fleet.states()['up']).toBe(16)
  })
})

describe('a few silent ones', () => {
  it('are suspect and down at their usual times', () => {
    const fleet = new Fleet(20)
    fleet.cutOff(2)
    fleet.sim.run(15_000)
    expect(fleet.states()).toEqual({ up: 18, down: 2 })
    const states = (id: string) =>
      fleet.sim.transcript.filter((line) => line.includes(` ${id} `)).map((line) => line.split(' ')[2])
    expect([states('i0'), states('i1')]).toEqual([
      ['suspect', 'down'],
      ['suspect', 'down'],
    ])
  })

  it('never include the last instance of a service before ten minutes', () => {
    const fleet = new Fleet(1)
    fleet.cutOff(1)
    fleet.sim.run(590_000)
    expect(fleet.states()).toEqual({ suspect: 1 })
    fleet.sim.run(30_000)
    expect(fleet.states()).toEqual({ down: 1 })
  })
})

describe('refusals', () => {
  function kill(fleet: Fleet, count: number): void {
    for (let index = 0; index < count; index++) fleet.mute.add(index)
    fleet.sim.network = (request) => (Number(request.host.split('.')[3]) < count ? 'refused' : 'succeeded')
    for (const session of fleet.sessions.slice(0, count)) session.close()
  }

  it('of more than half a service are believed at once', () => {
    const fleet = new Fleet(30)
    kill(fleet, 18)
    fleet.sim.run(1_000)
    expect(fleet.states()).toEqual({ up: 12, down: 18 })
    expect(fleet.guard()).toEqual({ tripped: false, kept: 0 })
  })

  it('of everything in a zone at once have to insist for a lease beyond the half (F4)', () => {
    const fleet = new Fleet(100)
    kill(fleet, 100)
    fleet.sim.run(2_000)
    expect(fleet.states()['down']).toBe(50)
    fleet.sim.run(40_000)
    expect(fleet.states()).toEqual({ down: 100 })
  })
})

describe('a service that declares its own breaker', () => {
  it.each([
    [{}, 3],
    [{ share: 0.5 }, 5],
    [{ share: 0 }, 1],
    [{ enabled: false }, 8],
  ])('%j lets silence take %i of ten', (breaker, taken) => {
    const fleet = new Fleet(10)
    expect(
      fleet.sim.execute({
        kind: 'declareService',
        namespace: 'default',
        service: 'orders',
        settings: { breaker },
      }),
    ).toEqual({ existed: false })
    fleet.cutOff(8)
    fleet.sim.run(45_000)
    expect(fleet.states()['down']).toBe(taken)
    expect(fleet.guard()).toEqual({ tripped: taken < 8, kept: 8 - taken })
  })
})

describe('guards', () => {
  it('say in the event log when they begin and end, and are counted meanwhile', () => {
    const fleet = new Fleet(10)
    const { node } = fleet.sim
    const told = (): string[][] =>
      node.events
        .query({ kinds: ['guard_tripped', 'guard_released'] })
        .events.map(({ kind, service, zone }) => [kind, service ?? zone ?? ''])
    fleet.cutOff(8)
    fleet.sim.run(45_000)
    expect(told()).toEqual([
      ['guard_tripped', ''],
      ['guard_released', ''],
      ['guard_tripped', 'orders'],
    ])
    expect([node.liveness.guards.doubts().services, node.liveness.guards.doubts().zones]).toEqual([1, 0])
    fleet.heal()
    for (const [index, session] of fleet.sessions.entries()) {
      if (session.closedAt !== undefined)
        fleet.sim.register({ id: `i${index}`, incarnation: 1, host: `10.0.0.${index}` })
    }
    fleet.sim.run(2_000)
    expect(told().slice(3)).toEqual([['guard_released', 'orders']])
    expect([node.liveness.guards.doubts().services, node.liveness.guards.doubts().zones]).toEqual([0, 0])
  })
})

describe('a frozen namespace', () => {
  const freeze = (fleet: Fleet, namespace = 'default'): void => {
    expect(
      fleet.sim.execute({ kind: 'freeze', namespace: namespace, by: 'ops', why: 'network work' }),
    ).toEqual({ existed: false })
  }

  it.each(['default', '*'])('(%s) loses nobody to silence, however long, and says so', (namespace) => {
    const fleet = new Fleet(6)
    freeze(fleet, namespace)
    fleet.cutOff(2)
    fleet.sim.run(1_200_000)
    expect(fleet.states()).toEqual({ up: 4, suspect: 2 })
    expect(fleet.sim.read.explain(keyOf('i0'))?.guards.held).toBe('freeze')
    expect(
      fullView(fleet.sim.node.directory, { namespace: 'default', service: 'orders' }, fleet.sim.now, QUIET)
        .frozen,
    ).toBe(true)
    expect(fleet.sim.read.services({}).services[0]?.frozen).toBe(true)
    expect(fleet.sim.read.namespaces().namespaces[0]?.frozen).toBe(true)
    expect(fleet.sim.execute({ kind: 'unfreeze', namespace: namespace })).toEqual({ existed: true })
    fleet.sim.run(2_000)
    expect(fleet.states()).toEqual({ up: 4, down: 2 })
  })

  it('expires nobody who was down already', () => {
    const fleet = new Fleet(6)
    fleet.cutOff(1)
    fleet.sim.run(20_000)
    expect(fleet.states()).toEqual({ up: 5, down: 1 })
    freeze(fleet)
    fleet.sim.run(300_000)
    expect(fleet.states()).toEqual({ up: 5, down: 1 })
    fleet.sim.execute({ kind: 'unfreeze', namespace: 'default' })
    fleet.sim.run(2_000)
    expect(fleet.states()).toEqual({ up: 5 })
  })

  it('still believes refusals, deregistrations, overrides and what comes back', () => {
    const fleet = new Fleet(6)
    freeze(fleet)
    fleet.sim.network = (request) => (request.host === '10.0.0.0' ? 'refused' : 'succeeded')
    fleet.sessions[0]?.close()
    fleet.sim.deregister('i1', 1)
    fleet.sim.execute({ kind: 'override', refs: [{ ...keyOf('i2') }], disable: true })
    fleet.sim.run(3_000)
    expect(fleet.states()).toEqual({ up: 3, down: 1, disabled: 1 })
    fleet.sim.register({ id: 'i0', incarnation: 2, host: '10.0.0.0' })
    expect(fleet.states()).toEqual({ up: 4, disabled: 1 })
  })

  it('loses nobody by host, and others are not held by it', () => {
    const { sim } = new Fleet(1)
    sim.register({ namespace: 'other', host: '10.0.0.0', liveness: 'static' })
    sim.execute({ kind: 'freeze', namespace: 'default' })
    const request = { namespace: '*', host: '10.0.0.0', confirm: true }
    expect(sim.execute({ kind: 'deregisterHost', ...request })).toMatchObject({
      code: 'frozen',
      details: { namespaces: ['default'] },
    })
    expect(sim.execute({ kind: 'deregisterHost', ...request, namespace: 'other' })).toMatchObject({
      removed: [{ id: 'a' }],
    })
  })

  it('keeps its age when it is frozen again, and takes the new reason', () => {
    const { sim } = new Fleet(1)
    sim.execute({ kind: 'freeze', namespace: 'default', why: 'one' })
    sim.run(5_000)
    sim.execute({ kind: 'freeze', namespace: 'default', why: 'two' })
    expect(sim.node.directory.freezes.list(sim.now)).toEqual([
      { namespace: 'default', why: 'two', ageMs: 5_000 },
    ])
  })

  it('stays frozen after a restart until it is ended', () => {
    const fleet = new Fleet(1)
    freeze(fleet)
    const restart = (before: Simulation): Simulation => {
      const sim = new Simulation()
      sim.node.load(JSON.parse(JSON.stringify([...before.node.snapshot()])) as never, sim.now)
      return sim
    }
    const again = restart(fleet.sim)
    expect(again.node.directory.freezes.list(again.now)).toEqual([
      { namespace: 'default', by: 'ops', why: 'network work', ageMs: 0 },
    ])
    again.execute({ kind: 'unfreeze', namespace: 'default' })
    expect(restart(again).node.directory.freezes.size).toBe(0)
    expect(again.entries).toMatchObject([{ kind: 'freeze', namespace: 'default', register: { value: null } }])
    const all: JournalEntry = {
      kind: 'freeze',
      namespace: '*',
      register: { counter: 1, node: 'n', value: true },
    }
    again.node.load([all, ...again.entries], again.now)
    expect(again.node.directory.freezes.list(again.now)).toMatchObject([{ namespace: '*' }])
  })

  it.each([
    ['namespace', 'a b', {}],
    ['by', 'default', { by: 'x'.repeat(257) }],
  ])('with a bad %s is refused', (field, namespace, signature) => {
    const sim = new Simulation()
    expect(sim.execute({ kind: 'freeze', namespace: namespace, ...signature })).toMatchObject({
      code: 'invalid_argument',
      field,
    })
    expect(sim.entries).toEqual([])
  })
})

it('what is watched is counted once, and forgotten with the watch', () => {
  const fleet = new Fleet(10)
  for (let index = 0; index < 10; index++)
    fleet.sim.execute({ kind: 'deregister', refs: [{ ...keyOf(`i${index}`), incarnation: 1 }] })
  fleet.sim.register({ id: 'a', incarnation: 1 }, fleet.sim.openSession())
  // One of one silent is no mass: the counts of the ten are gone.
  expect(fleet.states()).toEqual({ up: 1 })
})
