/** Overrides: drain, disable, weight, and how long. */
import { OPERATOR_LIMITS } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import type { OverrideCommand } from '../commands.js'
import { keyOf, ref, Simulation, WALL_START } from '../simulated-node.fixture.js'

function set(
  sim: Simulation,
  wishes: Omit<OverrideCommand, 'refs'>,
  ...refs: ReturnType<typeof ref>[]
): unknown {
  return sim.execute({ kind: 'override', refs: refs.length === 0 ? [ref('a')] : refs, ...wishes })
}

function clear(sim: Simulation, id = 'a'): unknown {
  return sim.execute({ kind: 'clearOverrides', refs: [ref(id)], by: 'ops', why: 'done' })
}

/** A node that starts from what another one kept. */
function restarted(before: Simulation): Simulation {
  const after = new Simulation({ nodeId: 'node-2' })
  after.node.load(JSON.parse(JSON.stringify([...before.node.snapshot()])) as never, after.now)
  return after
}

describe('an override', () => {
  it('is shown at once, with who and why, and taken back at once', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    const named = { namespace: 'default', service: 'orders', group: 'default', id: 'a', incarnation: 5 }
    expect(set(sim, { drain: true, by: 'ops', why: 'kernel update' })).toEqual([
      { ok: true, ...named, state: 'draining' },
    ])
    expect(sim.shown()).toBe('draining kernel update')
    expect(set(sim, { disable: true })).toEqual([{ ok: true, ...named, state: 'disabled' }])
    expect(sim.shown()).toBe('disabled operator')
    expect(clear(sim)).toEqual([{ ok: true, ...named, state: 'up' }])
    expect(sim.shown()).toBe('up')
  })

  it('replaces the one before as a whole, under a higher counter', () => {
    const sim = new Simulation()
    sim.register()
    set(sim, { drain: true, weight: 7 })
    set(sim, { disable: true })
    expect(sim.record()?.override).toEqual({
      counter: WALL_START + 1,
      node: 'node-1',
      value: { disable: true },
    })
  })

  it('stays as a value when it is taken back, so that it wins over what it took back', () => {
    const sim = new Simulation()
    sim.register()
    set(sim, { drain: true })
    const before = sim.record()
    clear(sim)
    if (before !== undefined) sim.node.directory.propose(before, { kind: 'learnt' }, sim.now)
    expect(sim.record()?.override).toEqual({
      counter: WALL_START + 1,
      node: 'node-1',
      value: null,
      by: 'ops',
      why: 'done',
    })
    expect(sim.shown()).toBe('up')
  })

  it('writes nothing when there is nothing to take back', () => {
    const sim = new Simulation()
    sim.register()
    sim.mark()
    expect(clear(sim)).toMatchObject([{ ok: true, state: 'up' }])
    expect(sim.entries).toEqual([])
  })

  it('of drain and disable binds to the id: an instance that registers anew has it, also after a deregistration', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 1 })
    set(sim, { disable: true })
    sim.register({ incarnation: 2, host: '10.0.0.9' })
    expect(sim.shown()).toBe('disabled operator')
    sim.deregister('a', 2)
    expect(sim.shown()).toBeUndefined()
    sim.register({ incarnation: 3 })
    expect(sim.shown()).toBe('disabled operator')
  })

  it('of weight binds to the incarnation and is ignored under another', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 1 })
    const sign = sim.read.services({}).sign
    set(sim, { weight: 7 })
    expect(sim.record()?.override?.value?.weight).toEqual({ value: 7, incarnation: 1 })
    expect(sim.read.services({}).sign).not.toBe(sign)
    sim.register({ incarnation: 2 })
    const plain = new Simulation()
    plain.register({ incarnation: 2 })
    expect(sim.read.services({}).sign).toBe(plain.read.services({}).sign)
  })

  it('of drain or disable keeps a record from being forgotten until it is taken back', () => {
    const sim = new Simulation({ liveness: { retentionMs: 60_000 } })
    sim.register({ incarnation: 1 })
    set(sim, { disable: true })
    sim.deregister('a', 1)
    sim.run(600_000)
    expect(sim.record()).toBeDefined()
    clear(sim)
    sim.run(130_000)
    expect(sim.record()).toBeUndefined()
    expect(sim.node.overrides.size).toBe(0)
  })

  it('can be put on an id that was deregistered, as a ban', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 1 })
    sim.deregister('a', 1)
    expect(set(sim, { disable: true })).toMatchObject([{ ok: true, incarnation: 1 }])
    sim.register({ incarnation: 2 })
    expect(sim.shown()).toBe('disabled operator')
  })
})

describe('items of one command', () => {
  it('are judged one by one', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    sim.register({ id: 'gone', incarnation: 1 })
    sim.deregister('gone', 1)
    const refs = [ref('a', 5), ref('a', 4), ref('a', 6), ref('stranger'), ref('gone')]
    expect(set(sim, { weight: 3 }, ...refs)).toMatchObject([
      { ok: true },
      { ok: false, error: { code: 'superseded', field: 'instances[1]', details: { incarnation: 5 } } },
      { ok: false, error: { code: 'superseded', field: 'instances[2]' } },
      { ok: false, error: { code: 'unknown_instance', field: 'instances[3]' } },
      { ok: false, error: { code: 'unknown_instance', field: 'instances[4]' } },
    ])
  })

  it.each<[string, Omit<OverrideCommand, 'refs'>]>([
    ['drain', {}],
    ['drain', { drain: false, disable: false }],
    ['weight', { weight: -1 }],
    ['weight', { weight: 65_536 }],
    ['weight', { weight: 1.5 }],
    ['durationMs', { drain: true, durationMs: 999 }],
    ['durationMs', { drain: true, durationMs: OPERATOR_LIMITS.durationMsMax + 1 }],
    ['by', { drain: true, by: 'x'.repeat(257) }],
    ['why', { drain: true, why: 'x'.repeat(1_025) }],
  ])('with a bad %s change nothing at all', (field, wishes) => {
    const sim = new Simulation()
    sim.register()
    sim.mark()
    expect(set(sim, wishes)).toMatchObject({ code: 'invalid_argument', field })
    expect(sim.entries).toEqual([])
  })
})

describe('an override with a duration', () => {
  it('ends by itself, with a write', () => {
    const sim = new Simulation()
    sim.register({ liveness: 'static' })
    set(sim, { drain: true, durationMs: 10_000 })
    sim.mark()
    sim.run(9_900)
    expect(sim.shown()).toBe('draining operator')
    sim.run(200)
    expect(sim.shown()).toBe('up')
    expect(sim.entries).toHaveLength(1)
    expect(sim.record()?.override).toEqual({
      counter: WALL_START + 10_000,
      node: 'node-1',
      value: null,
      why: 'its time was over',
    })
  })

  it('that was replaced or taken back does not end what came after it', () => {
    const sim = new Simulation()
    sim.register({ liveness: 'static' })
    set(sim, { drain: true, durationMs: 10_000 })
    set(sim, { disable: true })
    sim.register({ id: 'b', liveness: 'static' })
    set(sim, { drain: true, durationMs: 10_000 }, ref('b'))
    clear(sim, 'b')
    set(sim, { drain: true, durationMs: 30_000 }, ref('b'))
    sim.run(20_000)
    expect(sim.shown('a')).toBe('disabled operator')
    expect(sim.shown('b')).toBe('draining operator')
    sim.run(10_100)
    expect(sim.shown('b')).toBe('up')
  })

  it('goes on counting whatever else happens to the record', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 1, liveness: 'static' })
    set(sim, { drain: true, durationMs: 10_000 })
    sim.run(9_000)
    sim.register({ incarnation: 2, liveness: 'static' })
    sim.run(1_100)
    expect(sim.shown()).toBe('up')
  })

  it('starts again after a restart of the node', () => {
    const sim = new Simulation()
    sim.register({ liveness: 'static' })
    set(sim, { drain: true, durationMs: 10_000, by: 'ops' })
    sim.run(9_000)
    const after = restarted(sim)
    expect(after.shown()).toBe('draining operator')
    after.run(9_000)
    expect(after.shown()).toBe('draining operator')
    after.run(1_100)
    expect(after.shown()).toBe('up')
    expect(after.record()?.override).toMatchObject({ counter: WALL_START + 10_000, node: 'node-2' })
  })
})

describe('the list of overrides', () => {
  it('shows what stands, in order and in pages', () => {
    const sim = new Simulation()
    const ids = ['c', 'a', 'b', 'd']
    for (const id of ids) sim.register({ id, incarnation: 1 })
    set(sim, { drain: true, by: 'ops', durationMs: 60_000 }, ...ids.map((id) => ref(id)))
    clear(sim, 'd')
    sim.run(1_000)
    const first = sim.node.overrides.list({ limit: 2 }, sim.now)
    expect(first.overrides.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(first.overrides[0]).toEqual({
      ...keyOf('a'),
      incarnation: 1,
      state: 'draining',
      counter: WALL_START,
      node: 'node-1',
      drain: true,
      by: 'ops',
      durationMs: 60_000,
      remainingMs: 59_000,
    })
    const second = sim.node.overrides.list(
      { limit: 2, ...(first.next === undefined ? {} : { after: first.next }) },
      sim.now,
    )
    expect(second.overrides.map(({ id }) => id)).toEqual(['c'])
    expect(second.next).toBeUndefined()
    expect(sim.node.overrides.list({ service: 'payments' }, sim.now).overrides).toEqual([])
    expect(sim.node.overrides.list({ namespace: 'other' }, sim.now).overrides).toEqual([])
  })

  it('holds what a restart brought back, and of a hidden record too', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 1 })
    set(sim, { disable: true })
    sim.deregister('a', 1)
    const { overrides } = restarted(sim).node.overrides.list({}, 0)
    expect(overrides).toMatchObject([{ id: 'a', disable: true }])
    expect(overrides[0]).not.toHaveProperty('state')
  })
})

describe('an override that was taken back', () => {
  const RETENTION_MS = 3_600_000

  it('is remembered for the retention, then forgotten without a write', () => {
    const sim = new Simulation()
    sim.register({ liveness: 'static' })
    set(sim, { drain: true })
    clear(sim)
    sim.mark()
    sim.run(RETENTION_MS - 100)
    expect(sim.record()?.override).toMatchObject({ value: null })
    sim.run(200)
    expect(sim.record()).toBeDefined()
    expect(sim.record()?.override).toBeUndefined()
    expect(sim.entries).toEqual([])
  })

  it('is forgotten then, however often its instance changed meanwhile', () => {
    const sim = new Simulation()
    sim.register({ liveness: 'static', incarnation: 1 })
    set(sim, { drain: true })
    clear(sim)
    sim.run(RETENTION_MS - 100)
    sim.register({ liveness: 'static', incarnation: 2 })
    sim.run(200)
    expect(sim.record()).toMatchObject({ incarnation: 2 })
    expect(sim.record()?.override).toBeUndefined()
  })

  it('is not forgotten once another one stands, and is remembered anew after that', () => {
    const sim = new Simulation()
    sim.register({ liveness: 'static' })
    set(sim, { drain: true })
    clear(sim)
    sim.run(RETENTION_MS / 2)
    set(sim, { disable: true })
    sim.run(RETENTION_MS)
    expect(sim.shown()).toBe('disabled operator')
    clear(sim)
    sim.run(RETENTION_MS - 100)
    expect(sim.record()?.override).toMatchObject({ value: null })
    sim.run(200)
    expect(sim.record()?.override).toBeUndefined()
  })

  it('keeps its record: a deregistered instance is forgotten no earlier than the removal of its ban', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 1 })
    set(sim, { disable: true })
    sim.deregister('a', 1)
    sim.run(2 * RETENTION_MS - 200)
    clear(sim)
    sim.run(RETENTION_MS - 100)
    expect(sim.record()?.override).toMatchObject({ value: null })
    sim.run(RETENTION_MS + 1_000)
    expect(sim.record()).toBeUndefined()
  })

  it('is remembered anew after a restart', () => {
    const before = new Simulation()
    before.register({ liveness: 'static' })
    set(before, { drain: true })
    clear(before)
    before.run(RETENTION_MS / 2)
    const after = restarted(before)
    after.run(RETENTION_MS - 100)
    expect(after.record()?.override).toMatchObject({ value: null })
    after.run(200)
    expect(after.record()?.override).toBeUndefined()
  })
})
