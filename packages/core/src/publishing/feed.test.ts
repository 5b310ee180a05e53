// What the feed tells, and what it gives up where it is too small.
import { ALL_NAMESPACES } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { Simulation, WALL_START } from '../simulated-node.fixture.js'
import { CHANGE_BYTES } from './feed.js'

const ORDERS = { namespace: 'default', service: 'orders' }

/** A node whose feed has a reader and remembers this many changes. */
function setUp(remembered: number): Simulation {
  const sim = new Simulation({ historyBytesMax: 4 * remembered * CHANGE_BYTES })
  sim.node.feed.open()
  return sim
}

describe('the feed', () => {
  it('counts without a reader, and remembers from the first one on', () => {
    const sim = new Simulation({ historyBytesMax: 400 * CHANGE_BYTES })
    const { feed } = sim.node
    const begin = feed.index
    sim.register({ id: 'a', incarnation: 1 })
    const { index } = feed
    expect(index).toBeGreaterThan(begin)
    expect(feed.bytes).toBe(0)
    expect(feed.since('default', begin, 100)).toEqual({ kind: 'lost', next: index })
    sim.register({ id: 'b', incarnation: 1 })
    expect(feed.since('default', index, 100)).toMatchObject({
      kind: 'changes',
      changes: [{ kind: 'added', id: 'b' }],
      next: feed.index,
    })
    expect(feed.since('default', begin, 100)).toMatchObject({ kind: 'lost' })
  })

  it('names what came, changed and left, why, and under which incarnation', () => {
    const sim = setUp(100)
    const begin = sim.node.feed.index
    sim.register({ id: 'a', incarnation: 1 })
    sim.register({ id: 'b', incarnation: 1 })
    sim.register({ id: 'b', incarnation: 1, rev: 2, intent: 'draining' })
    const middle = sim.node.feed.index
    sim.register({ id: 'a', incarnation: 2, port: 4_000 })
    sim.deregister('b', 1)
    const key = { ...ORDERS, group: 'default' }
    expect(sim.node.feed.since('default', begin, 100)).toEqual({
      kind: 'changes',
      changes: [
        { kind: 'added', index: begin + 4, ...key, id: 'a', incarnation: 2 },
        { kind: 'removed', index: begin + 5, ...key, id: 'b', incarnation: 1, reason: 'deregistered' },
      ],
      next: begin + 5,
      more: false,
    })
    expect(sim.node.feed.since('default', middle, 100)).toMatchObject({
      changes: [{ kind: 'changed', id: 'a' }, { kind: 'removed' }],
    })
  })

  it('names services that are declared, and namespaces that are set or frozen', () => {
    const sim = setUp(100)
    const begin = sim.node.feed.index
    sim.execute({ kind: 'declareService', namespace: 'default', service: 'empty', settings: {} })
    sim.execute({ kind: 'declareNamespace', namespace: 'default', settings: { allow: ['10.0.0.0/8'] } })
    sim.execute({ kind: 'freeze', namespace: ALL_NAMESPACES })
    expect(sim.node.feed.since('default', begin, 100)).toMatchObject({
      changes: [
        { kind: 'service', service: 'empty' },
        { kind: 'namespace', namespace: 'default' },
        { kind: 'namespace', namespace: ALL_NAMESPACES },
      ],
    })
    expect(sim.node.feed.since('another', begin, 100)).toMatchObject({
      changes: [{ namespace: ALL_NAMESPACES }],
    })
    expect(sim.node.feed.indexOf({ namespace: 'another' })).toBe(begin + 3)
    expect(sim.node.feed.indexOf({ namespace: 'default', service: 'empty' })).toBe(begin + 1)
  })

  it('has nothing to say of beats, renewals and records that stay hidden', () => {
    const sim = setUp(100)
    sim.register({ id: 'a', incarnation: 1 })
    const { index } = sim.node.feed
    sim.beat('a', 1)
    sim.register({ id: 'a', incarnation: 1 })
    sim.deregister('unknown', 1)
    expect(sim.node.feed.index).toBe(index)
  })

  it('begins with the date of the boot, and knows indices that it has not given out', () => {
    const sim = setUp(100)
    const { feed } = sim.node
    expect(feed.index).toBe(WALL_START * 1_000)
    sim.register({ id: 'a', incarnation: 1 })
    expect(feed.since('default', feed.index + 1, 100)).toEqual({ kind: 'lost', next: feed.index })
    expect(feed.since('default', WALL_START * 1_000 - 1, 100)).toEqual({ kind: 'lost', next: feed.index })
    expect(feed.since(undefined, 0, 100)).toEqual({ kind: 'lost', next: feed.index })
    expect(sim.counted.get('rollcall_feed_lost_total')).toBe(3)
  })

  it('takes an index from before the journal was loaded for lost', () => {
    const sim = setUp(100)
    sim.register({ id: 'a', incarnation: 1 })
    const other = setUp(100)
    const { index } = other.node.feed
    other.node.load(sim.entries, other.now)
    expect(other.node.feed.since('default', index, 100)).toMatchObject({ kind: 'lost' })
    expect(other.node.feed.indexOf(ORDERS)).toBeGreaterThan(index)
  })

  it('drops the oldest change of any namespace, and loses only readers that need it', () => {
    const sim = setUp(3)
    const { feed } = sim.node
    sim.register({ namespace: 'quiet', id: 'a', incarnation: 1 })
    const quiet = feed.index
    for (let incarnation = 1; incarnation <= 4; incarnation++)
      sim.register({ id: 'b', port: incarnation, incarnation })
    expect(feed.bytes).toBe(3 * CHANGE_BYTES)
    expect(feed.indexOf({ namespace: 'quiet' })).toBe(quiet)
    expect(feed.since('quiet', quiet, 100)).toEqual({
      kind: 'changes',
      changes: [],
      next: feed.index,
      more: false,
    })
    expect(feed.since('quiet', quiet - 1, 100)).toMatchObject({ kind: 'lost' })
    expect(feed.since('default', quiet, 100)).toMatchObject({ kind: 'lost' })
    expect(feed.since('default', quiet + 1, 100)).toMatchObject({ kind: 'changes' })
  })

  it('keeps the index of a service that left and comes back hidden', () => {
    const sim = setUp(100)
    const { feed } = sim.node
    sim.register({ id: 'a', incarnation: 1 })
    sim.deregister('a', 1)
    const left = feed.indexOf(ORDERS)
    const group = { ...ORDERS, group: 'default' }
    sim.run(2 * 3_600_000)
    expect(sim.node.directory.find('default', 'orders')).toBeUndefined()
    expect(feed.indexOf(ORDERS)).toBe(left)
    expect(feed.indexOf({ ...ORDERS, service: 'never' })).toBe(left)
    sim.deregister('b', 1)
    expect(sim.node.directory.find('default', 'orders')).toBeDefined()
    expect([feed.indexOf(ORDERS), feed.indexOf(group)]).toEqual([left, left])
    expect(feed.index).toBe(left)
  })

  it('does not disturb a quiet namespace when another one vanishes', () => {
    const sim = setUp(1)
    const { feed } = sim.node
    sim.register({ namespace: 'quiet', id: 'a', incarnation: 1, liveness: 'static' })
    const quiet = feed.index
    sim.register({ namespace: 'other', id: 'a', incarnation: 1 })
    const ref = { namespace: 'other', service: 'orders', group: 'default', id: 'a', incarnation: 1 }
    sim.execute({ kind: 'deregister', refs: [ref] })
    const other = feed.index
    sim.run(2 * 3_600_000)
    sim.register({ id: 'b', incarnation: 1 })
    expect(sim.node.directory.hasNamespace('other')).toBe(false)
    expect(feed.indexOf({ namespace: 'quiet' })).toBe(quiet)
    expect(feed.indexOf({ namespace: 'other' })).toBe(other)
    expect(feed.since('quiet', quiet, 100)).toMatchObject({ kind: 'changes', changes: [] })
  })
})
