/** What a client of another registry's protocol said travels with its record, and only there. */
import { ANONYMOUS } from './caller.js'
import { describe, expect, it } from 'vitest'
import { isLearnable } from './cluster/checks.js'
import { decodeRecord, encodeRecord } from './cluster/codec.js'
import { Nodes } from './cluster/nodes.fixture.js'
import { node, passes, said, tell } from './learn.fixture.js'
import { LIVENESS_DEFAULTS } from './liveness/options.js'
import { contentDigest } from './records/digest.js'
import { FOREIGN_BYTES_MAX } from './records/record.js'
import { recordBytes } from './records/size.js'
import { command, keyOf, Simulation } from './simulated-node.fixture.js'

const EUREKA = { protocol: 'eureka', document: '{"app":"ORDERS","vip":"orders,ORDERS"}' }

describe('what another protocol said', () => {
  it('is shown natively by its name only, and to its adapter as it came', () => {
    const sim = new Simulation()
    sim.register({ foreign: EUREKA })
    const instance = sim.read.instance(keyOf('a'))
    expect(instance).toMatchObject({ via: 'eureka' })
    expect(JSON.stringify(instance)).not.toContain('ORDERS')
    expect(sim.read.offer(keyOf('a'))).toMatchObject({ instance, content: { foreign: EUREKA } })
    sim.register({ id: 'native' })
    expect(sim.read.instance(keyOf('native'))).not.toHaveProperty('via')
    expect(sim.read.offer(keyOf('unknown'))).toBeUndefined()
  })

  it('is part of the digest, where it is there', () => {
    const content = { host: '10.0.0.1', port: 80, metadata: {} }
    const plain = contentDigest(keyOf('a'), 1, content)
    const digests = [
      contentDigest(keyOf('a'), 1, { ...content, foreign: EUREKA }),
      contentDigest(keyOf('a'), 1, { ...content, foreign: { ...EUREKA, document: '{}' } }),
      contentDigest(keyOf('a'), 1, { ...content, foreign: { ...EUREKA, protocol: 'consul' } }),
      contentDigest(keyOf('a'), 1, { ...content, metadata: { [EUREKA.protocol]: EUREKA.document } }),
    ]
    expect(new Set([plain, ...digests]).size).toBe(5)
  })

  it('counts as a change, and is renewed where it is the same', () => {
    const sim = new Simulation()
    sim.register({ foreign: EUREKA })
    const before = sim.read.sign(keyOf('a'))
    sim.register({ foreign: { ...EUREKA } })
    expect([sim.read.sign(keyOf('a')), sim.record()?.content.rev]).toEqual([before, 1])
    sim.register({ foreign: { ...EUREKA, document: '{"app":"ORDERS"}' } })
    expect(sim.read.sign(keyOf('a'))).not.toBe(before)
    expect(sim.record()?.content.rev).toBe(2)
  })

  it('is bounded in bytes, and charged for', () => {
    const sim = new Simulation()
    const fits = 'é'.repeat(FOREIGN_BYTES_MAX / 2)
    expect(sim.register({ id: 'small' })).toMatchObject({ ok: true })
    expect(sim.register({ id: 'large', foreign: { protocol: 'eureka', document: fits } })).toMatchObject({
      ok: true,
    })
    const [small, large] = ['small', 'large'].map((id) => recordBytes(sim.record(id) as never))
    expect((large ?? 0) - (small ?? 0)).toBeGreaterThan(fits.length)
    expect(sim.register({ id: 'b', foreign: { protocol: 'eureka', document: `${fits}x` } })).toMatchObject({
      ok: false,
      error: { field: 'foreign.document' },
    })
    expect(sim.register({ id: 'b', foreign: { protocol: 'a b', document: '' } })).toMatchObject({
      ok: false,
      error: { field: 'foreign.protocol' },
    })
  })

  it('is told by explanation and events, with the protocol of each caller', () => {
    const sim = new Simulation()
    const caller = { principal: ANONYMOUS, peer: '10.0.0.1', via: 'eureka' }
    const step = { caller, now: sim.now, wallNow: 1_700_000_000_000 }
    sim.node.execute({ kind: 'register', items: [command({ foreign: EUREKA })] }, step)
    expect(sim.read.explain(keyOf('a'))).toMatchObject({
      content: { via: 'eureka' },
      events: [{ kind: 'registered', via: 'eureka', peer: '10.0.0.1' }],
    })
    sim.deregister()
    const { events } = sim.read.events({})
    expect(events.at(-1)).toMatchObject({ kind: 'deregistered' })
    expect(events.at(-1)).not.toHaveProperty('via')
  })

  it('is learnt by other nodes, kept by the engine, and refused where it is none', () => {
    const [first, second] = [node('first'), node('second')]
    first.register({ foreign: EUREKA })
    passes(1_000, first, second)
    tell(first, second)
    expect(second.read.offer(keyOf('a'))?.content.foreign).toEqual(EUREKA)
    const record = first.record()
    if (record === undefined) throw new Error('it was registered')
    expect(decodeRecord(keyOf('a'), encodeRecord(record))).toEqual(record)
    for (const foreign of [
      null,
      'eureka',
      {},
      { protocol: 'eureka' },
      { protocol: 'a b', document: '' },
      { protocol: 'eureka', document: {} },
      { protocol: 'eureka', document: 'x'.repeat(FOREIGN_BYTES_MAX + 1) },
    ])
      expect(
        isLearnable({ kind: 'record', record: { ...record, content: { ...record.content, foreign } } }),
      ).toBe(false)
  })
})

describe('what the registry found out for the clients of another protocol', () => {
  const found = (document: string): object => ({
    foreign: { protocol: 'consul', document },
    finding: true as const,
  })

  it('is written on what is registered, is a change like any other, and no evidence of life', () => {
    const sim = new Simulation()
    sim.network = () => 'failed'
    sim.register({ foreign: { protocol: 'consul', document: '{}' } })
    sim.run(7_000)
    const before = sim.read.index({ namespace: 'default', service: 'orders' })
    expect(sim.register(found('{"found":1}'))).toMatchObject({ ok: true })
    expect(sim.read.offer(keyOf('a'))?.content.foreign?.document).toBe('{"found":1}')
    expect(sim.read.index({ namespace: 'default', service: 'orders' })).toBeGreaterThan(before)
    sim.run(1_000)
    expect(sim.shown()).toBe('suspect silence')
  })

  it('brings nothing back, and nothing in', () => {
    const sim = new Simulation()
    sim.network = () => 'refused'
    const refused = { ok: false, error: { code: 'unknown_instance' } }
    expect(sim.register(found('{}'))).toMatchObject(refused)
    sim.register({ foreign: { protocol: 'consul', document: '{}' } })
    expect(sim.register({ ...found('{}'), port: 4_000 })).toMatchObject(refused)
    sim.run(200_000)
    expect(sim.shown()).toBeUndefined()
    sim.register(found('{"found":1}'))
    expect(sim.shown()).toBeUndefined()
    sim.deregister()
    expect(sim.register(found('{}'))).toMatchObject(refused)
  })

  it('leaves what an operator brought back for its provider to take up', () => {
    const sim = new Simulation()
    sim.register({ foreign: { protocol: 'consul', document: '{}' } })
    sim.deregister()
    sim.done({ kind: 'restore', namespace: 'default', service: 'orders' })
    sim.register(found('{"found":1}'))
    expect(sim.read.explain(keyOf('a'))?.content.restored).toBe(true)
  })
})

describe('the silence of an instance, as an adapter learns it', () => {
  it('counts for the only one of a service too, and not while the namespace is frozen', () => {
    const sim = new Simulation({ liveness: LIVENESS_DEFAULTS })
    sim.network = () => 'silence'
    expect(sim.read.silence(keyOf('a'))).toBeUndefined()
    sim.register()
    sim.run(20_000)
    expect(sim.shown()).toBe('suspect silence')
    const silence = { silentMs: 20_000, isCounted: false, isDoubted: false }
    expect(sim.read.silence(keyOf('a'))).toEqual(silence)
    sim.execute({ kind: 'freeze', namespace: 'default' })
    // At once, not when a verdict would be due that the freeze holds back.
    expect(sim.read.silence(keyOf('a'))).toEqual({ ...silence, isDoubted: true })
  })

  it('tells one that was never heard after its registration', () => {
    const sim = new Simulation()
    sim.register()
    expect(sim.read.silence(keyOf('a'))).toMatchObject({ isCounted: false })
    sim.run(1_000)
    sim.beat()
    expect(sim.read.silence(keyOf('a'))).toMatchObject({ silentMs: 0, isCounted: true })
  })

  it('is doubted while the node doubts its ears', () => {
    const sim = new Simulation({ liveness: LIVENESS_DEFAULTS })
    sim.network = () => 'silence'
    for (let at = 0; at < 10; at++) sim.register({ id: `i${at}` })
    sim.run(40_000)
    expect(sim.read.silence(keyOf('i0'))).toMatchObject({ silentMs: 40_000, isDoubted: true })
  })

  it('says nothing after a restart, before it was heard', () => {
    const first = node('first')
    first.register()
    const second = node('first')
    second.node.load(said(first), second.now)
    second.run(60_000)
    expect([second.shown(), second.read.silence(keyOf('a'))]).toEqual(['suspect unheard', undefined])
  })

  it('of what another node judges is that of its verdict, whatever was heard here long before', () => {
    const nodes = new Nodes(['judge', 'other'])
    const [judge, other] = [nodes.get('judge'), nodes.get('other')]
    nodes.network(() => 'failed')
    nodes.register('judge')
    nodes.run(1_000)
    other.beat('a', 5)
    nodes.every(5_000, 60_000, () => judge.beat('a', 5))
    // Up at its judge: that it was not heard here says nothing.
    expect(other.read.silence(keyOf('a'))).toBeUndefined()
    nodes.run(9_000)
    expect(nodes.seen()).toEqual(['suspect silence judge.1', 'suspect silence judge.1'])
    const here = judge.read.silence(keyOf('a'))
    const there = other.read.silence(keyOf('a'))
    expect(there).toMatchObject({ isCounted: true, isDoubted: false })
    expect(there?.silentMs).toBeLessThanOrEqual(here?.silentMs ?? 0)
    expect(there?.silentMs).toBeGreaterThan((here?.silentMs ?? 0) - 1_000)
  })

  it('at a node that took over begins no sooner than that', () => {
    const [judge, other] = [node('judge'), node('other')]
    judge.register()
    tell(judge, other)
    other.beat()
    passes(40_000, judge, other)
    judge.beat()
    tell(judge, other)
    const entry = other.node.directory.entry(keyOf('a'))
    if (entry === undefined) throw new Error('it was told')
    other.node.liveness.adopt(entry, other.now, other.now)
    passes(10_000, other)
    expect(other.read.silence(keyOf('a'))).toMatchObject({ silentMs: 10_000, isCounted: true })
  })
})

it('an adapter follows what changes by the feed', () => {
  const sim = new Simulation()
  const begin = sim.read.index({ namespace: 'default' })
  expect(sim.read.changes('default', begin, 10)).toMatchObject({ kind: 'changes', changes: [] })
  sim.register()
  sim.deregister()
  sim.register({ id: 'b' })
  expect(sim.read.changes('default', begin, 10)).toMatchObject({
    kind: 'changes',
    changes: [
      { kind: 'removed', id: 'a' },
      { kind: 'added', id: 'b' },
    ],
    more: false,
    next: sim.read.index({ namespace: 'default' }),
  })
})
