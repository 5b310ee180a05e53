/** The status of a node: it is right after whatever operators and providers did, and costs no walk. */
import { describe, expect, it } from 'vitest'
import { Simulation } from './simulated-node.fixture.js'

const ref = (id: string): object => ({ namespace: 'default', service: 'orders', group: 'default', id })

function setUp(count = 3): Simulation {
  const sim = new Simulation()
  for (let at = 0; at < count; at++) sim.register({ id: `i${at}` })
  return sim
}

describe('the status counts', () => {
  it('what is listed, by state', () => {
    const sim = setUp()
    sim.register({ id: 'far', namespace: 'far', intent: 'starting' })
    expect(sim.read.status().registry).toMatchObject({
      namespaces: 2,
      services: 2,
      instances: { up: 3, starting: 1, draining: 0, suspect: 0, down: 0, disabled: 0 },
    })
  })

  it('what overrides want, however they come and go', () => {
    const sim = setUp()
    const put = (ids: readonly string[], wishes: object): unknown =>
      sim.execute({ kind: 'override', refs: ids.map(ref), ...wishes } as never)
    const clear = (id: string): unknown => sim.execute({ kind: 'clearOverrides', refs: [ref(id)] } as never)
    const counted = (): object => sim.read.status().overrides
    put(['i0', 'i1'], { drain: true })
    put(['i2'], { disable: true, weight: 5 })
    expect(counted()).toEqual({ total: 3, drain: 2, disable: 1, weight: 1 })
    put(['i0'], { disable: true, durationMs: 5_000 })
    expect(counted()).toEqual({ total: 3, drain: 1, disable: 2, weight: 1 })
    clear('i2')
    clear('i2')
    expect(counted()).toEqual({ total: 2, drain: 1, disable: 1, weight: 0 })
    sim.run(6_000)
    expect(counted()).toEqual({ total: 1, drain: 1, disable: 0, weight: 0 })
  })

  it('freezes, and tells of the oldest ten', () => {
    const sim = setUp()
    for (let at = 0; at < 12; at++) {
      sim.execute({ kind: 'freeze', namespace: `n${11 - at}`, by: 'ann', why: 'work' } as never)
      sim.run(1_000)
    }
    const { total, oldest } = sim.read.status().freezes
    expect([total, oldest.length]).toEqual([12, 10])
    expect(oldest[0]).toEqual({ namespace: 'n11', by: 'ann', why: 'work', ageMs: 12_000 })
  })

  it('every budget but the heap, which stands apart', () => {
    const { budgets, heapBytesMax } = setUp().read.status().memory
    expect(budgets.map(({ quota }) => quota)).toEqual([
      ...['instancesMax', 'recordBytesMax', 'tombstoneBytesMax', 'strayBytesMax', 'declarationBytesMax'],
      ...['watchesMax', 'watchBytesMax'],
    ])
    expect(budgets[0]?.used).toBe(3)
    expect(heapBytesMax).toBeGreaterThan(0)
  })
})
