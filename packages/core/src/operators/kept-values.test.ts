/** What clients of other protocols have the registry keep: bounded, numbered, learnt and forgotten like every declaration. */
import { describe, expect, it } from 'vitest'
import { decodeDeclaration, encodeDeclaration } from '../cluster/codec.js'
import { isLearnable } from '../cluster/checks.js'
import { VALUE_CHARS_MAX, VALUES_MAX } from '../directory/kept-values.js'
import { type Declaration, declarationKey } from '../records/declaration.js'
import { Simulation } from '../simulated-node.fixture.js'

const NAME = { namespace: 'default', protocol: 'consul', key: 'fabio/config' } as const

const keep = (sim: Simulation, document: string | null, more: object = {}): unknown =>
  sim.execute({ kind: 'keepValue', ...NAME, document, ...more })

const declarationsOf = (sim: Simulation): readonly Declaration[] =>
  [...sim.node.snapshot()].filter((entry) => entry.kind === 'value')

describe('a value', () => {
  it('is kept under its key, with a number above all before, and under a condition only where that holds', () => {
    const sim = new Simulation()
    expect(keep(sim, 'one')).toEqual({ kept: true })
    const first = sim.read.value(NAME)
    expect(first).toMatchObject({ key: 'fabio/config', document: 'one' })
    expect(keep(sim, 'two', { expected: 0 })).toEqual({ kept: false })
    expect(keep(sim, 'two', { expected: first?.counter })).toEqual({ kept: true })
    expect(keep(sim, 'other', { key: 'b' })).toEqual({ kept: true })
    const [other, second] = sim.read.valuesBelow({ ...NAME, key: '' })
    expect([other?.key, second?.document]).toEqual(['b', 'two'])
    expect(other?.counter).toBeGreaterThan(second?.counter ?? Infinity)
    expect(keep(sim, null)).toEqual({ kept: true })
    expect([sim.read.value(NAME), keep(sim, null)]).toEqual([undefined, { kept: true }])
  })

  it('tells what changed since an index, or that this is no longer known', () => {
    const sim = new Simulation()
    keep(sim, 'one')
    const { index } = sim.read.valuesSince(0)
    expect(sim.read.valuesSince(index)).toEqual({ index, keys: [] })
    keep(sim, 'two')
    keep(sim, 'three', { key: 'b' })
    keep(sim, null)
    expect(sim.read.valuesSince(index).keys).toEqual(['fabio/config', 'b'])
    for (let n = 0; n < 1_024; n++) keep(sim, String(n))
    expect(sim.read.valuesSince(index).keys).toBe('all')
  })

  it('is journalled, learnt by other nodes, and refused where it is none', () => {
    const [one, two] = [new Simulation(), new Simulation({ nodeId: 'two' })]
    keep(one, 'one')
    const [declaration] = declarationsOf(one)
    if (declaration === undefined) throw new Error('it is in the snapshot')
    expect(one.entries.at(-1)).toEqual(declaration)
    expect(decodeDeclaration(declarationKey(declaration), encodeDeclaration(declaration))).toEqual(
      declaration,
    )
    two.node.learn([declaration], two.now)
    expect(two.read.value(NAME)).toEqual(one.read.value(NAME))
    keep(two, null)
    one.node.learn(declarationsOf(two), one.now)
    expect(one.read.value(NAME)).toBeUndefined()
    for (const wrong of [
      { key: 7 },
      { key: 'x'.repeat(513) },
      { protocol: 'a/b' },
      { register: { counter: 1, node: 'n', value: {} } },
      { register: { counter: 1, node: 'n', value: 'x'.repeat(VALUE_CHARS_MAX + 1) } },
    ])
      expect(isLearnable({ ...declaration, ...wrong })).toBe(false)
  })

  it('is an event, and no change of what is listed', () => {
    const sim = new Simulation()
    const before = sim.read.index({ namespace: 'default' })
    keep(sim, 'one')
    expect(sim.read.index({ namespace: 'default' })).toBe(before)
    expect(sim.read.events({}).events.at(-1)).toMatchObject({
      kind: 'declared',
      namespace: 'default',
      reason: 'consul fabio/config',
    })
  })

  it('is refused where it is too large, or one too many; what was taken back makes room after the retention', () => {
    const sim = new Simulation({ liveness: { retentionMs: 60_000 } })
    expect(keep(sim, 'x'.repeat(VALUE_CHARS_MAX + 1))).toMatchObject({ code: 'limit_exceeded' })
    expect(keep(sim, 'x', { key: '' })).toMatchObject({ code: 'invalid_argument' })
    for (let n = 0; n < VALUES_MAX; n++) keep(sim, 'x', { key: `k${n}` })
    expect(keep(sim, 'x')).toMatchObject({ code: 'limit_exceeded' })
    keep(sim, null, { key: 'k0' })
    expect(keep(sim, 'x')).toEqual({ kept: true })
    sim.run(61_000)
    expect(declarationsOf(sim)).toHaveLength(VALUES_MAX)
  })
})
