/** What becomes of registers that several nodes write: the schedules of the design, by their numbers there. */
import { describe, expect, it } from 'vitest'
import { RETENTION_MS, agree, node, nodes, passes, said, tell } from './learn.fixture.js'
import { ref, type Simulation } from './simulated-node.fixture.js'

describe('registers with several writers', () => {
  it('keep what each of them wrote: new content here, a verdict there (F2 i)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5, rev: 1 })
    tell(a, b)
    b.register({ incarnation: 5, rev: 2, metadata: { version: '2' } })
    a.run(10_000)
    agree(a, b)
    expect(a.record()?.content).toMatchObject({ rev: 2, metadata: { version: '2' } })
    expect(a.record()?.verdict).toMatchObject({ value: 'suspect' })
  })

  it('keep a provider draining through doubt and its end (F2 iii)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5, rev: 1 })
    a.register({ incarnation: 5, rev: 2, intent: 'draining' })
    a.run(20_000)
    tell(a, b)
    b.beat('a', 5)
    agree(a, b)
    expect(a.shown()).toBe('draining')
  })

  it('agree where two nodes gave two nameless registrations the same number (F7 iv)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ port: 1 })
    b.register({ port: 2 })
    expect(a.record()?.incarnation).toBe(b.record()?.incarnation)
    agree(a, b)
    expect(a.shown()).toBe('up')
  })
})

describe('a deregistration', () => {
  it('absorbs its incarnation also where that was unknown, in any order (T16)', () => {
    const [a, b, c] = nodes('n1', 'n2', 'n3') as [Simulation, Simulation, Simulation]
    a.register({ incarnation: 5, rev: 9 })
    b.deregister('a', 5)
    tell(b, c)
    expect(c.record()?.content.intent).toBe('gone')
    tell(a, c)
    agree(a, b, c)
    for (const sim of [a, b, c]) expect(sim.shown()).toBeUndefined()
    expect(a.register({ incarnation: 5, rev: 10 })).toMatchObject({
      ok: false,
      error: { code: 'deregistered' },
    })
  })

  it('of an old incarnation at a node that knows no newer one does not take the newer (F7 ii)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 1 })
    b.register({ incarnation: 2 })
    a.deregister('a', 1)
    agree(a, b)
    expect(a.shown()).toBe('up')
    expect(a.record()?.incarnation).toBe(2)
  })

  it('above the number of a living process ends it, and its session is told (F11 ii)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 1_000 })
    a.deregister('a', 1_000)
    const told: unknown[] = []
    const session = b.openSession({ onRemoved: (refs) => told.push(...refs) })
    b.register({ incarnation: 400 }, session)
    tell(a, b)
    expect(told).toMatchObject([{ id: 'a', incarnation: 400, reason: 'superseded' }])
    expect(b.register({ incarnation: 1_001 }, session)).toMatchObject({ ok: true })
    agree(a, b)
    expect(a.shown()).toBe('up')
  })

  it('is never undone by a beat, or by a replica of what it ended', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    const before = said(a)
    tell(a, b)
    b.deregister('a', 5)
    b.node.learn(before, b.now)
    expect(b.beat('a', 5)).toMatchObject({ deregistered: [{ id: 'a' }] })
    tell(b, a)
    a.node.learn(before, a.now)
    expect(a.shown()).toBeUndefined()
  })
})

describe('an override', () => {
  it('drains the successor that another node accepted (M5)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    tell(a, b)
    a.execute({ kind: 'override', refs: [ref('a')], drain: true })
    b.register({ incarnation: 6 })
    agree(a, b)
    expect(b.shown()).toBe('draining operator')
    expect(b.record()?.incarnation).toBe(6)
  })

  it('that two operators wrote at two nodes at once is the same one everywhere (F21)', () => {
    const [a, b, c] = nodes('n1', 'n2', 'n3') as [Simulation, Simulation, Simulation]
    a.register({ incarnation: 5 })
    tell(a, b, c)
    a.execute({ kind: 'override', refs: [ref('a')], drain: true, by: 'ann' })
    b.execute({ kind: 'override', refs: [ref('a')], disable: true, by: 'bob' })
    agree(a, b, c)
    expect(c.shown()).toBe('disabled operator')
  })

  it('with a duration ends once for all: whichever node counts it first, and both at once (F21)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5, liveness: 'static' })
    a.execute({ kind: 'override', refs: [ref('a')], drain: true, durationMs: 10_000 })
    tell(a, b)
    passes(5_000, b)
    expect(b.node.overrides.list({}, b.now).overrides).toMatchObject([{ remainingMs: 5_000 }])
    passes(10_100, a, b)
    expect([a.shown(), b.shown()]).toEqual(['up', 'up'])
    agree(a, b)
    expect(a.node.overrides.size + b.node.overrides.size).toBe(0)
  })

  it('keeps its record, so that a ban survives the instance (M10)', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    a.execute({ kind: 'override', refs: [ref('a')], disable: true })
    tell(a, b)
    a.deregister('a', 5)
    tell(a, b)
    passes(3 * RETENTION_MS, a, b)
    b.register({ incarnation: 9 })
    expect(b.shown()).toBe('disabled operator')
  })

  it('that was cleared and forgotten does not come back after a later write', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5, liveness: 'static' })
    a.execute({ kind: 'override', refs: [ref('a')], drain: true })
    const old = said(a)
    a.execute({ kind: 'clearOverrides', refs: [ref('a')] })
    a.run(RETENTION_MS + 100)
    expect(a.record()?.override).toBeUndefined()
    a.execute({ kind: 'override', refs: [ref('a')], weight: 7 })
    a.node.learn(old, a.now)
    expect(a.record()?.override?.value).toEqual({ weight: { value: 7, incarnation: 5 } })
    tell(a, b)
    b.node.learn(old, b.now)
    expect(b.shown()).toBe('up')
  })

  it('that was cleared wins over its replicas while it is remembered, also at a node that never had it', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.register({ incarnation: 5 })
    a.execute({ kind: 'override', refs: [ref('a')], drain: true })
    const old = said(a)
    a.execute({ kind: 'clearOverrides', refs: [ref('a')] })
    tell(a, b)
    b.node.learn(old, b.now)
    expect(b.shown()).toBe('up')
  })
})

describe('a declaration', () => {
  it('that was taken back and forgotten does not come back after a later write', () => {
    const [a] = nodes('n1') as [Simulation]
    const { node: registry } = a
    a.execute({ kind: 'freeze', namespace: '*', by: 'ann' })
    a.execute({
      kind: 'declareService',
      namespace: 'default',
      service: 'orders',
      settings: { groups: ['old'] },
    })
    a.execute({ kind: 'declareNamespace', namespace: 'prod', settings: { allow: ['10.0.0.1'] } })
    const old = said(a)
    a.execute({ kind: 'unfreeze', namespace: '*' })
    a.execute({ kind: 'declareService', namespace: 'default', service: 'orders', settings: null })
    a.execute({ kind: 'declareNamespace', namespace: 'prod', settings: null })
    a.run(RETENTION_MS + 100)
    expect(said(a)).toEqual([])
    a.execute({ kind: 'freeze', namespace: '*', by: 'bob' })
    a.execute({ kind: 'unfreeze', namespace: '*' })
    a.execute({
      kind: 'declareService',
      namespace: 'default',
      service: 'orders',
      settings: { groups: ['new'] },
    })
    a.execute({ kind: 'declareNamespace', namespace: 'prod', settings: { allow: ['10.0.0.2'] } })
    registry.learn(old, a.now)
    expect(registry.directory.freezes.size).toBe(0)
    expect(registry.directory.find('default', 'orders')?.settings).toEqual({ groups: ['new'] })
    expect(a.read.namespaceSettings('prod')).toEqual({ allow: ['10.0.0.2'] })
  })

  it('of the configuration is not overruled by what is learnt, which is passed on all the same', () => {
    const a = node('n1')
    const b = node('n2', { namespaces: { prod: { allow: ['10.9.0.0/16'] } } })
    const c = node('n3')
    a.execute({ kind: 'declareNamespace', namespace: 'prod', settings: { allow: ['10.0.0.1'] } })
    tell(a, b)
    expect(b.read.namespaceSettings('prod')).toEqual({ allow: ['10.9.0.0/16'] })
    tell(b, c)
    expect(c.read.namespaceSettings('prod')).toEqual({ allow: ['10.0.0.1'] })
  })

  it('has the same effect at every node: freeze, groups, lists', () => {
    const [a, b] = nodes('n1', 'n2') as [Simulation, Simulation]
    a.execute({ kind: 'freeze', namespace: 'default', why: 'work' })
    a.execute({
      kind: 'declareService',
      namespace: 'default',
      service: 'orders',
      settings: { groups: ['blue'], metadata: { team: 'x' } },
    })
    tell(a, b)
    expect(b.node.directory.freezes.covers('default')).toBe(true)
    expect(b.read.services({})).toEqual(a.read.services({}))
  })
})
