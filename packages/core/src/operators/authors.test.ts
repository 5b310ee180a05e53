/** What a registration is told of an operator's word, and whom events name for a removal. */
import { describe, expect, it } from 'vitest'
import { keyOf, ref, Simulation } from '../simulated-node.fixture.js'

describe('the answer to a registration', () => {
  it.each([
    [{ disable: true }, 'disabled'],
    [{ drain: true }, 'draining'],
  ])('says that an operator asked for %j', (wish, state) => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    sim.execute({ kind: 'override', refs: [keyOf('a')], ...wish, why: 'broken disk' })
    const told = { ok: true, state, reason: 'broken disk' }
    expect(sim.register({ incarnation: 5, rev: 2 })).toMatchObject(told)
    sim.deregister('a', 5)
    expect(sim.register({ incarnation: 6 })).toMatchObject(told)
    sim.execute({ kind: 'clearOverrides', refs: [keyOf('a')] })
    expect(sim.register({ incarnation: 6 })).not.toHaveProperty('state')
  })

  it('says nothing where it is what was asked for', () => {
    const sim = new Simulation()
    for (const intent of ['starting', 'up', 'draining'] as const)
      expect(sim.register({ intent })).not.toHaveProperty('state')
  })
})

describe('the author of a removal', () => {
  const byOf = (sim: Simulation): unknown =>
    sim.node.events.query({ kinds: ['deregistered'] }).events.map(({ by, why }) => [by, why])

  it('is who signed it', () => {
    const sim = new Simulation()
    for (const id of ['a', 'b', 'c', 'd'])
      sim.register({ id, incarnation: 5, ...(id === 'd' ? {} : { host: '10.0.0.2' }) })
    sim.execute({ kind: 'deregister', refs: [ref('a', 5)], by: 'ann', why: 'zombie' })
    sim.execute({ kind: 'deregister', refs: [ref('b', 5)] })
    sim.execute({ kind: 'deregisterHost', namespace: '*', host: '10.0.0.2', confirm: true, by: 'bob' })
    sim.execute({ kind: 'deregisterHost', namespace: '*', host: '10.0.0.1', confirm: true })
    expect(byOf(sim)).toEqual([
      ['ann', 'zombie'],
      ['provider', undefined],
      ['bob', undefined],
      ['host', undefined],
    ])
    expect(sim.record('a')?.content).toMatchObject({ by: 'operator' })
  })

  it('needs no number of what it signs for, and can have it back', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    expect(sim.deregister('a').superseded).toHaveLength(1)
    expect(sim.done({ kind: 'deregister', refs: [ref('a')], by: 'ann' }).removed).toHaveLength(1)
    const restored = sim.done({ kind: 'restore', namespace: 'default', service: 'orders' })
    expect(restored).toMatchObject({ results: [{ ok: true, id: 'a' }] })
  })

  it('is held against its bounds', () => {
    const sim = new Simulation()
    sim.register({ incarnation: 5 })
    const by = 'x'.repeat(10_000)
    const bad = { code: 'invalid_argument', field: 'by' }
    expect(sim.execute({ kind: 'deregister', refs: [ref('a', 5)], by })).toMatchObject(bad)
    const everything = {
      kind: 'deregisterHost',
      namespace: '*',
      host: '10.0.0.1',
      confirm: true,
      by,
    } as const
    expect(sim.execute(everything)).toMatchObject(bad)
    expect(sim.shown()).toBe('up')
  })
})
