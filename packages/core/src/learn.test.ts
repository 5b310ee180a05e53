/** What a node learns of another: listed, told, journalled, but no evidence; which node judges, and which refutes. */
import { describe, expect, it } from 'vitest'
import { RETENTION_MS, agree, node, nodes, passes, said, tell, verdict } from './learn.fixture.js'
import type { Entry } from './directory/directory.js'
import type { Learnable } from './records/learnable.js'
import type { JournalEntry } from './ports.js'
import type { StoredRecord } from './records/record.js'
import { keyOf, ref, Simulation } from './simulated-node.fixture.js'

describe('what a node learns', () => {
  it('is listed, told to subscribers, written to its journal, and noted as learnt', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    const told: unknown[] = []
    const subscription = b.node.publisher.subscribe({ deliver: (update) => told.push(update) }, () => b.now)
    subscription.watch([{ namespace: 'default', service: 'orders', sign: '0000000000000000' }])
    a.register({ incarnation: 5 })
    tell(a, b)
    b.node.publisher.flush(b.now)
    expect(b.shown()).toBe('up')
    expect(told).toMatchObject([{ kind: 'delta', delta: { upserts: [{ id: 'a', incarnation: 5 }] } }])
    expect(b.entries).toEqual([{ kind: 'record', record: a.record() }])
    expect(b.node.events.query({}).events).toMatchObject([{ kind: 'registered', id: 'a', by: 'learnt' }])
    expect(b.read.services({}).sign).toBe(a.read.services({}).sign)
  })

  it('again is nothing: no write, no event, no publication', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    a.execute({ kind: 'freeze', namespace: 'default', by: 'ops' })
    tell(a, b)
    b.mark()
    const { newest } = b.node.events
    tell(a, b, b)
    expect(b.entries).toEqual([])
    expect(b.node.events.newest).toBe(newest)
    expect(b.node.publisher.pending).toBe(false)
  })

  it('has its author where there is one', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    a.execute({ kind: 'override', refs: [ref('a')], drain: true, by: 'ann', why: 'kernel' })
    a.execute({ kind: 'freeze', namespace: 'default', by: 'bob' })
    a.execute({ kind: 'declareNamespace', namespace: 'prod', settings: {} })
    tell(a, b)
    const lines = b.node.events.query({}).events.map(({ kind, by }) => `${kind} ${by}`)
    expect(lines).toEqual(['frozen bob', 'declared learnt', 'registered learnt'])
    a.execute({ kind: 'clearOverrides', refs: [ref('a')], by: 'ann' })
    tell(a, b)
    expect(b.node.events.query({ kinds: ['override_cleared'] }).events).toMatchObject([{ by: 'ann' }])
  })

  it('is all that another replica admitted, whatever numbers its callers named', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    // An older release took any, and its journal was read here.
    const highest = Number.MAX_SAFE_INTEGER
    const released = new Simulation({ releasedAt: highest })
    expect(released.register({ incarnation: highest, rev: 5 })).toMatchObject({ ok: true })
    const record = released.record() as StoredRecord
    const old: JournalEntry = {
      kind: 'record',
      record: { ...record, content: { ...record.content, rev: highest } },
    }
    expect(a.node.load([old], a.now)).toEqual([])
    a.execute({ kind: 'override', refs: [ref('a')], weight: 7 })
    expect(b.node.learn(said(a), b.now)).toEqual([])
    expect(b.record()).toEqual(a.record())
  })

  it('with numbers that could not be exceeded is refused, and the rest taken', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    const record = a.record() as StoredRecord
    const high = 2 ** 52 + 2
    const bad: Learnable[] = [
      { kind: 'record', record: { ...record, id: 'b', incarnation: 2 ** 53 } },
      { kind: 'record', record: { ...record, id: 'c', verdict: { ...record.verdict, claim: high } } },
      { kind: 'record', record: { ...record, id: 'd', override: { counter: high, node: 'n', value: null } } },
      { kind: 'freeze', namespace: '*', register: { counter: high, node: 'n', value: true } },
      { kind: 'namespace', namespace: 'x', register: { counter: Number.NaN, node: 'n', value: {} } },
    ]
    const refused = b.node.learn([...bad, ...said(a)], b.now)
    expect(refused.map(({ error }) => error.field)).toEqual([
      'incarnation',
      'verdict.claim',
      'override.counter',
      'register.counter',
      'register.counter',
    ])
    expect(b.entries).toEqual([{ kind: 'record', record }])
    expect(b.node.directory.freezes.size).toBe(0)
    const edge: Learnable = {
      kind: 'freeze',
      namespace: '*',
      register: { counter: 2 ** 52, node: 'n', value: true },
    }
    expect(b.node.learn([edge], b.now)).toEqual([])
    expect(b.execute({ kind: 'unfreeze', namespace: '*' })).toEqual({ existed: true })
    expect(b.node.directory.freezes.size).toBe(0)
  })
})

describe('silence', () => {
  it('counts only for the judge: a node that never heard an instance judges nothing of it (F3)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    tell(a, b)
    b.mark()
    b.run(2 * RETENTION_MS)
    expect(b.shown()).toBe('up')
    expect(b.entries).toEqual([])
    expect(b.probes).toEqual([])
    expect(b.read.explain(keyOf('a'))?.next).toBeUndefined()
  })

  it('does not count for a node that only heard some of the beats (a balancer, F12)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    tell(a, b)
    b.mark()
    for (let beats = 0; beats < 20; beats++) {
      b.beat('a', 5)
      b.run(1_000)
    }
    b.run(600_000)
    expect(b.shown()).toBe('up')
    expect(b.entries).toEqual([])
  })

  it('of an instance whose judge it learns of is no longer judged here', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    tell(a, b)
    a.run(10_000)
    expect(verdict(a)).toBe('suspect 1 n1')
    tell(a, b)
    b.beat('a', 5)
    expect(verdict(b)).toBe('up 2 n2')
    tell(b, a)
    a.mark()
    a.run(RETENTION_MS)
    expect(a.entries).toEqual([])
    expect(verdict(a)).toBe('up 2 n2')
    // The new judge does judge it, after a lease of hearing.
    b.run(14_000)
    expect(verdict(b)).toBe('up 2 n2')
    b.run(2_000)
    expect(verdict(b)).toBe('suspect 2 n2')
  })

  it('after a restart is judged by the rules for what was never heard (M1)', () => {
    const a = node('n1')
    a.register({ incarnation: 5 })
    const again = node('n1.2')
    again.node.load(said(a), again.now)
    again.run(20_000)
    expect(again.shown()).toBe('suspect unheard')
  })
})

describe('a negative verdict of another node', () => {
  /** A judges `a` down or suspect by silence, and B learns it. */
  function doubted(ms: number): [Simulation, Simulation] {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    tell(a, b)
    passes(ms, a, b)
    return [a, b]
  }

  it('is refuted by the next beat, with a raised claim, everywhere (G3)', () => {
    const [a, b] = doubted(60_000)
    tell(a, b)
    expect(b.shown()).toBe('down silence')
    b.beat('a', 5)
    expect(verdict(b)).toBe('up 2 n2')
    agree(a, b)
    expect(a.shown()).toBe('up')
  })

  it('is not refuted by a beat that was heard before it was learnt (T3)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    tell(a, b)
    passes(9_000, a)
    b.run(2_000)
    b.beat('a', 5)
    tell(a, b)
    expect(b.shown()).toBe('suspect silence')
    b.run(1_000)
    expect(b.shown()).toBe('suspect silence')
    // A sound that arrives later does.
    b.beat('a', 5)
    expect(b.shown()).toBe('up')
  })

  it('is refuted at once by a session that is well, where silence was its ground', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    tell(a, b)
    const session = b.openSession()
    b.register({ incarnation: 5 }, session)
    // A adopts it, as while B is cut off, and hears nothing of it.
    tell(b, a)
    a.node.liveness.adopt(a.node.directory.entry(keyOf('a')) as Entry, a.now, a.now)
    tell(a, b)
    passes(17_000, a)
    b.run(2_000)
    session.heard()
    tell(a, b)
    expect(verdict(b)).toBe('up 4 n2')
  })

  it('that made an instance expire is refuted by the node that holds its session (F1)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    const ended: unknown[] = []
    b.register({ incarnation: 5 })
    const session = b.openSession({ onRemoved: (refs) => ended.push(refs) })
    b.register({ incarnation: 5 }, session)
    // Cut off: A, having learnt of it, judges it as the engine's adopters do, and lets it expire.
    tell(b, a)
    const record = a.record() as StoredRecord
    const expired: StoredRecord = {
      ...record,
      verdict: { value: 'expired', claim: 2, node: 'n1', seq: 9, reason: 'down_too_long' },
    }
    a.node.learn([{ kind: 'record', record: expired }], a.now)
    tell(a, b)
    expect(b.shown()).toBeUndefined()
    session.heard()
    expect(b.shown()).toBe('up')
    agree(a, b)
    expect(a.shown()).toBe('up')
    expect(ended).toEqual([])
  })

  it('for flapping is not refuted by another node, which does not end it either (T5)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    const record = a.record() as StoredRecord
    const flapping: StoredRecord = {
      ...record,
      verdict: { value: 'suspect', claim: 1, node: 'n1', seq: 9, reason: 'flapping' },
    }
    b.node.learn([{ kind: 'record', record: flapping }], b.now)
    b.mark()
    for (let beats = 0; beats < 120; beats++) {
      b.beat('a', 5)
      b.run(1_000)
    }
    expect(b.entries).toEqual([])
    expect(b.shown()).toBe('suspect flapping')
  })

  it('that two nodes refute at once has one winner, and they stop at that (F2 iv)', () => {
    const [a, b, c] = nodes('n1', 'n2', 'n3') as [Simulation, Simulation, Simulation]
    a.register({ incarnation: 5 })
    tell(a, b, c)
    a.run(60_000)
    tell(a, b, c)
    for (const sim of [b, c]) sim.beat('a', 5)
    expect([verdict(b), verdict(c)]).toEqual(['up 2 n2', 'up 2 n3'])
    agree(a, b, c)
    expect(verdict(a)).toBe('up 2 n3')
    for (const sim of [a, b, c]) sim.mark()
    for (const sim of [b, c]) for (let beats = 0; beats < 5; beats++) sim.beat('a', 5)
    expect([a, b, c].flatMap(({ entries }) => entries)).toEqual([])
  })
})

describe('beats at a node that does not judge', () => {
  it('raise no claim while nothing is doubted (T2)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    tell(a, b)
    b.mark()
    for (let beats = 0; beats < 50; beats++) b.beat('a', 5)
    expect(b.entries).toEqual([])
    expect(verdict(b)).toBe('up 1 n1')
  })
})
