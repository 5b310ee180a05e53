/** What is one and the same instance, whatever is said of it: its names, its host, its numbers. */
import { describe, expect, it } from 'vitest'
import type { JournalEntry } from '../ports.js'
import { command, keyOf, ref, Simulation, WALL_START } from '../simulated-node.fixture.js'
import { YEAR_MS } from './incarnation-bound.js'

describe('a host in another spelling', () => {
  it.each([
    ['Host-A.example', 'host-a.example'],
    ['h.example', 'h.example.'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['10.0.0.1', '::ffff:10.0.0.1'],
  ])('%s as %s is the same address', (host, spelling) => {
    const sim = new Simulation()
    const first = sim.register({ host })
    sim.execute({ kind: 'override', refs: [keyOf('a')], weight: 0 })
    sim.network = () => 'refused'
    expect(sim.register({ host: spelling })).toEqual(first)
    expect(sim.record()?.override?.value?.weight?.incarnation).toBe(sim.record()?.incarnation)
    // What is shown is what was given last.
    expect(sim.record()?.content).toMatchObject({ host: spelling })
  })

  it('is removed by either', () => {
    const sim = new Simulation()
    sim.register({ host: '2001:DB8::1' })
    sim.register({ id: 'b', host: 'Web.example.' })
    const remove = (host: string) =>
      sim.execute({ kind: 'deregisterHost', namespace: '*', host, confirm: false })
    expect(remove('[2001:db8:0::1]')).toMatchObject({ removed: [{ id: 'a' }] })
    expect(remove('web.example')).toMatchObject({ removed: [{ id: 'b' }] })
  })
})

describe('a removal by host', () => {
  it.each(['10.2.2.0/24', '*', '', '10.0.0.5:8080', 'http://10.0.0.5', 'a b'])(
    'of %j is refused: nothing can be there',
    (host) => {
      const sim = new Simulation()
      expect(
        sim.execute({ kind: 'deregisterHost', namespace: 'default', host, confirm: true }),
      ).toMatchObject({ code: 'invalid_argument', field: 'host' })
    },
  )

  it('in what cannot be a namespace is refused', () => {
    const sim = new Simulation()
    const removal = { kind: 'deregisterHost', namespace: '..', host: '10.0.0.1', confirm: true } as const
    expect(sim.execute(removal)).toMatchObject({ code: 'invalid_argument', field: 'namespace' })
  })
})

describe('what could not be registered', () => {
  const names = [
    ['service', 'a b'],
    ['group', '..'],
    ['id', 'a/b'],
    ['namespace', ''],
  ] as const

  it.each(names)('is not beaten for, with a %s like %j', (field, name) => {
    const { node, now } = new Simulation()
    const answer = node.heard([ref('x'), { ...ref('y'), [field]: name }], now)
    expect(answer.unknown).toEqual([ref('x')])
    expect(answer.errors).toMatchObject([{ code: 'invalid_argument', field: `instances[1].${field}` }])
  })

  it.each(names)('is not deregistered, with a %s like %j', (field, name) => {
    const sim = new Simulation()
    for (const incarnation of [undefined, 5]) {
      const refs = [ref('x', 1), { ...ref('y', incarnation), [field]: name }]
      const answer = sim.done({ kind: 'deregister', refs })
      expect(answer.unknown).toEqual([ref('x', 1)])
      expect(answer.errors).toMatchObject([{ code: 'invalid_argument', field: `instances[1].${field}` }])
    }
  })
})

describe('an incarnation that a client names', () => {
  const MOST = WALL_START + YEAR_MS
  const refused = {
    code: 'invalid_argument',
    field: expect.stringMatching(/incarnation$/) as string,
    message: expect.stringContaining(`at most ${MOST}`) as string,
    details: { incarnationMax: MOST },
  }

  it.each([MOST + 1, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER])(
    'of %d is refused wherever it enters, and nothing is kept',
    (incarnation) => {
      const sim = new Simulation()
      sim.register({ id: 'known', incarnation: 5 })
      sim.mark()
      expect(sim.register({ incarnation })).toMatchObject({ ok: false, error: refused })
      expect(sim.register({ id: 'known', incarnation })).toMatchObject({ ok: false, error: refused })
      for (const id of ['a', 'known']) {
        const nothing = { unknown: [], superseded: [], errors: [refused] }
        expect(sim.beat(id, incarnation)).toMatchObject(nothing)
        expect(sim.deregister(id, incarnation)).toMatchObject(nothing)
      }
      expect(sim.entries).toEqual([])
    },
  )

  it('is not negative, wherever it enters', () => {
    const sim = new Simulation()
    const nothing = { unknown: [], superseded: [], errors: [{ code: 'invalid_argument' }] }
    expect(sim.register({ incarnation: -1 })).toMatchObject({ ok: false, error: { field: 'incarnation' } })
    expect(sim.beat('a', -1)).toMatchObject(nothing)
    expect(sim.deregister('a', -1)).toMatchObject(nothing)
    expect(sim.entries).toEqual([])
  })

  it('at the bound is taken, and can be exceeded by one at a time, with a number and without', () => {
    const sim = new Simulation()
    expect(sim.register({ incarnation: MOST })).toMatchObject({ ok: true })
    expect(sim.register({ port: 81 })).toMatchObject({ ok: true, incarnation: MOST + 1 })
    expect(sim.register({ incarnation: MOST + 2 })).toMatchObject({ ok: true })
    expect(sim.register({ incarnation: MOST + 4 })).toMatchObject({ ok: false })
    expect(sim.deregister('a', MOST + 3).unknown).toHaveLength(1)
    expect(sim.register({ incarnation: MOST + 4 })).toMatchObject({ ok: true })
  })

  it('is held against the date of the release where the clock of the node is years behind', () => {
    const releasedAt = WALL_START + 30 * YEAR_MS
    const sim = new Simulation({ releasedAt })
    expect(sim.register({ incarnation: releasedAt + YEAR_MS })).toMatchObject({ ok: true })
    expect(sim.register({ id: 'b', incarnation: releasedAt + YEAR_MS + 1 })).toMatchObject({ ok: false })
  })

  it('is held against the highest that was loaded, unless that is of no process', () => {
    const loaded = (incarnation: number): Simulation => {
      const before = new Simulation({ releasedAt: incarnation })
      before.register({ incarnation })
      const sim = new Simulation()
      sim.node.load(before.node.snapshot(), sim.now)
      return sim
    }
    const ahead = WALL_START + 10 * YEAR_MS
    expect(loaded(ahead).register({ id: 'b', incarnation: ahead + YEAR_MS })).toMatchObject({ ok: true })
    expect(loaded(ahead).register({ id: 'b', incarnation: ahead + YEAR_MS + 1 })).toMatchObject({ ok: false })
    expect(loaded(2 ** 52 + 1).register({ id: 'b', incarnation: MOST + 1 })).toMatchObject({ ok: false })
    expect(loaded(2 ** 52 + 1).register({ incarnation: 2 ** 52 + 2 })).toMatchObject({ ok: true })
  })
})

describe('a journal of a release without bounds', () => {
  const entryOf = (over: { incarnation: number; rev?: number }): JournalEntry => {
    const sim = new Simulation()
    sim.register()
    const record = sim.record()
    if (record === undefined) throw new Error('registered')
    const content = { ...record.content, rev: over.rev ?? record.content.rev }
    return { kind: 'record', record: { ...record, content, incarnation: over.incarnation } }
  }
  const replay = (entry: JournalEntry): Simulation => {
    const sim = new Simulation()
    expect(sim.node.load([entry], sim.now)).toEqual([])
    return sim
  }

  it('never makes the node hand out a number that is not exact', () => {
    const sim = replay(entryOf({ incarnation: Number.MAX_SAFE_INTEGER - 1 }))
    expect(sim.register({ port: 81 })).toMatchObject({ ok: true, incarnation: Number.MAX_SAFE_INTEGER })
    for (const port of [82, 83]) {
      expect(sim.register({ port })).toMatchObject({
        ok: false,
        error: { code: 'superseded', details: { incarnation: Number.MAX_SAFE_INTEGER } },
      })
    }
    // It can be renewed and deregistered by its number, and then is gone for the retention.
    expect(sim.register({ port: 81 })).toMatchObject({ ok: true })
    expect(sim.beat('a', Number.MAX_SAFE_INTEGER)).toMatchObject({ unknown: [], superseded: [] })
    expect(sim.deregister('a', Number.MAX_SAFE_INTEGER).removed).toHaveLength(1)
    expect(sim.register({ port: 81 })).toMatchObject({ ok: false, error: { code: 'superseded' } })
    expect(sim.done({ kind: 'restore', namespace: 'default', service: 'orders', ids: ['a'] })).toMatchObject({
      results: [{ ok: false, error: { code: 'superseded' } }],
    })
  })

  it('loses no update to a rev that cannot grow', () => {
    const sim = replay(entryOf({ incarnation: WALL_START, rev: Number.MAX_SAFE_INTEGER }))
    expect(sim.register({ weight: 7 })).toMatchObject({
      ok: false,
      error: { code: 'invalid_argument', field: 'rev' },
    })
    expect(sim.register()).toMatchObject({ ok: true })
    expect(sim.register({ port: 81, weight: 7 })).toMatchObject({ ok: true })
  })

  it('is replayed without what no number of this release can exceed', () => {
    const sim = new Simulation()
    const entry = entryOf({ incarnation: 2 ** 53 })
    expect(sim.node.load([entry], sim.now)).toMatchObject([{ entry, error: { field: 'incarnation' } }])
    expect(sim.record()).toBeUndefined()
  })
})

describe('a revision', () => {
  it('is at most 2^31 where a client counts it', () => {
    const sim = new Simulation()
    expect(sim.register({ incarnation: 5, rev: 2 ** 31 })).toMatchObject({ ok: true })
    expect(sim.register({ incarnation: 5, rev: 2 ** 31 + 1 })).toMatchObject({
      ok: false,
      error: { code: 'invalid_argument', field: 'rev' },
    })
    expect(sim.register({ incarnation: 5, weight: 7 })).toMatchObject({ ok: true })
    expect(sim.record()?.content).toMatchObject({ weight: 7, rev: 2 ** 31 + 1 })
  })
})

describe('who names no number', () => {
  const registered = (): Simulation => {
    const sim = new Simulation({ liveness: { removalMs: 1_000 } })
    sim.register()
    sim.run(100)
    sim.execute({ kind: 'override', refs: [keyOf('a')], weight: 0, drain: true })
    return sim
  }
  const dies = (sim: Simulation, how: 'refused' | 'silence', ms: number): void => {
    sim.network = () => how
    sim.run(ms)
  }
  const ended: Record<string, (sim: Simulation) => void> = {
    expired: (sim) => dies(sim, 'silence', 60_000),
    'down by refusal': (sim) => {
      dies(sim, 'refused', 9_000)
      expect(sim.shown()).toMatch(/^down refused/)
    },
  }

  it.each(Object.keys(ended))('is not the process whose record is %s', (condition) => {
    const sim = new Simulation(condition === 'expired' ? { liveness: { removalMs: 1_000 } } : {})
    sim.register()
    sim.run(100)
    const dead = sim.record()?.incarnation ?? 0
    sim.execute({ kind: 'override', refs: [keyOf('a')], weight: 0, drain: true })
    ended[condition]?.(sim)
    const accepted = sim.register({ metadata: { pod: 'new' } })
    expect(accepted.ok && accepted.incarnation).toBeGreaterThan(dead)
    // The weight was that of the dead; what binds to the id stays.
    expect(sim.shown()).toMatch(/^draining/)
    expect(sim.read.instance(keyOf('a'))).toMatchObject({ weight: 100 })
  })

  it.each([
    ['suspect', 9_000],
    ['down by silence', 20_000],
  ])('is the process whose record is %s: the verdict may be wrong', (_, ms) => {
    const sim = new Simulation()
    const first = sim.register()
    sim.execute({ kind: 'override', refs: [keyOf('a')], weight: 0 })
    dies(sim, 'silence', ms)
    expect(sim.register()).toEqual(first)
    expect(sim.read.instance(keyOf('a'))).toMatchObject({ state: 'up', weight: 0 })
  })

  it('and beats brings back what it registered, dead or not', () => {
    const sim = registered()
    ended['expired']?.(sim)
    expect(sim.beat()).toEqual({ unknown: [], deregistered: [], superseded: [] })
    expect(command().incarnation).toBeUndefined()
  })
})
