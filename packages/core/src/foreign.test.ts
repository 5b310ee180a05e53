/** What a client of another registry's protocol said travels with its record, and only there. */
import { ANONYMOUS } from './caller.js'
import { describe, expect, it } from 'vitest'
import { isLearnable } from './cluster/checks.js'
import { decodeRecord, encodeRecord } from './cluster/codec.js'
import { node, passes, tell } from './learn.fixture.js'
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

it('an adapter learns how long an instance is silent, and whether that is believed', () => {
  const sim = new Simulation({ liveness: LIVENESS_DEFAULTS })
  sim.network = () => 'silence'
  expect(sim.read.silence(keyOf('a'))).toBeUndefined()
  sim.register()
  sim.run(20_000)
  // That it is the only one holds the verdict back, and is no doubt.
  expect(sim.shown()).toBe('suspect silence')
  expect(sim.read.silence(keyOf('a'))).toEqual({ silentMs: 20_000, isDoubted: false })
  sim.execute({ kind: 'freeze', namespace: 'default' })
  sim.run(5_000)
  expect(sim.read.silence(keyOf('a'))).toMatchObject({ isDoubted: true })
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
