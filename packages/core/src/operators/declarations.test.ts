/** Declarations as registers: versions, removals, how long these are remembered, and how many. */
import { describe, expect, it } from 'vitest'
import { Simulation, WALL_START } from '../simulated-node.fixture.js'

const RETENTION_MS = 3_600_000

function held(sim: Simulation): string[] {
  return [...sim.node.directory.declarations()].map(
    ({ kind, namespace, register }) => `${kind} ${namespace} ${JSON.stringify(register.value)}`,
  )
}

describe('a declaration', () => {
  it('is a register: each write has a higher counter, whatever the wall clock says', () => {
    const sim = new Simulation()
    sim.execute({ kind: 'declareNamespace', namespace: 'prod', settings: { allow: ['10.0.0.1'] } })
    sim.execute({ kind: 'declareNamespace', namespace: 'prod', settings: { allow: ['10.0.0.2'] } })
    sim.execute({ kind: 'freeze', namespace: 'prod', by: 'ops', why: 'work' })
    expect(sim.entries).toEqual([
      {
        kind: 'namespace',
        namespace: 'prod',
        register: { counter: WALL_START, node: 'node-1', value: { allow: ['10.0.0.1'] } },
      },
      {
        kind: 'namespace',
        namespace: 'prod',
        register: { counter: WALL_START + 1, node: 'node-1', value: { allow: ['10.0.0.2'] } },
      },
      {
        kind: 'freeze',
        namespace: 'prod',
        register: { counter: WALL_START, node: 'node-1', value: true, by: 'ops', why: 'work' },
      },
    ])
  })

  it('that was taken back has no effect at once, is remembered for the retention, then forgotten', () => {
    const sim = new Simulation()
    sim.execute({
      kind: 'declareService',
      namespace: 'default',
      service: 'orders',
      settings: { groups: ['a'] },
    })
    sim.execute({ kind: 'declareNamespace', namespace: 'prod', settings: {} })
    sim.execute({ kind: 'freeze', namespace: 'prod' })
    sim.execute({ kind: 'declareService', namespace: 'default', service: 'orders', settings: null })
    sim.execute({ kind: 'declareNamespace', namespace: 'prod', settings: null })
    sim.execute({ kind: 'unfreeze', namespace: 'prod' })
    expect(sim.node.directory.services).toBe(0)
    expect(sim.read.namespaceSettings('prod')).toBeUndefined()
    expect(sim.node.directory.freezes.size).toBe(0)
    const removed = ['service default null', 'namespace prod null', 'freeze prod null']
    expect(held(sim)).toEqual(removed)
    expect([...sim.node.snapshot()]).toHaveLength(3)
    sim.mark()
    sim.run(RETENTION_MS - 100)
    expect(held(sim)).toEqual(removed)
    sim.run(200)
    expect(held(sim)).toEqual([])
    expect(sim.entries).toEqual([])
  })

  it('that is made anew is not forgotten', () => {
    const sim = new Simulation()
    sim.execute({ kind: 'freeze', namespace: 'prod' })
    sim.execute({ kind: 'unfreeze', namespace: 'prod' })
    sim.run(RETENTION_MS / 2)
    sim.execute({ kind: 'freeze', namespace: 'prod' })
    sim.run(RETENTION_MS)
    expect(held(sim)).toEqual(['freeze prod true'])
  })
})

describe('removals', () => {
  it('have a budget of their own, as large as that of what stands: the oldest is forgotten early', () => {
    const sim = new Simulation({ servicesMax: 3, namespacesMax: 3 })
    for (let n = 0; n < 5; n++) {
      sim.execute({ kind: 'declareNamespace', namespace: `n${n}`, settings: {} })
      sim.execute({ kind: 'declareNamespace', namespace: `n${n}`, settings: null })
    }
    for (const namespace of ['a', 'b', 'c'])
      expect(sim.execute({ kind: 'declareNamespace', namespace: namespace, settings: {} })).toEqual({
        existed: false,
      })
    expect(sim.execute({ kind: 'declareNamespace', namespace: 'd', settings: {} })).toMatchObject({
      code: 'limit_exceeded',
      details: { quota: 'namespacesMax', max: 3, over: 'node' },
    })
    sim.run(100)
    expect(held(sim)).toEqual([
      'namespace n2 null',
      'namespace n3 null',
      'namespace n4 null',
      'namespace a {}',
      'namespace b {}',
      'namespace c {}',
    ])
  })
})
