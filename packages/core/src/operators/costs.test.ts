/** What operators ask for costs what they are answered, however much there is beside it. */
import { describe, expect, it } from 'vitest'
import { command, ref, Simulation } from '../simulated-node.fixture.js'

const MANY = 3_000

/** Counts how often a record of the node is looked at from now on. */
function looks(sim: Simulation): { count: number } {
  const looked = { count: 0 }
  for (const entry of sim.node.directory.entries()) {
    let { record } = entry
    Object.defineProperty(entry, 'record', {
      get() {
        looked.count++
        return record
      },
      set(next: typeof record) {
        record = next
      },
    })
  }
  return looked
}

function ids(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${prefix}-${n}`)
}

/** Registers ids, and takes them out on behalf of an operator. */
function removed(sim: Simulation, all: readonly string[]): void {
  sim.done({ kind: 'register', items: all.map((id) => command({ id, incarnation: 1 })) })
  sim.done({ kind: 'deregister', refs: all.map((id) => ref(id, 1)), by: 'ops' })
}

describe('a restoration', () => {
  const service = { namespace: 'default', service: 'orders' }

  function mistaken(): Simulation {
    const sim = new Simulation()
    removed(sim, ids('old', MANY))
    sim.run(60_000)
    removed(sim, ids('new', 10))
    return sim
  }

  it('of the named looks at these', () => {
    const sim = mistaken()
    const looked = looks(sim)
    const { results } = sim.done({ kind: 'restore', ...service, ids: ['old-7', 'new-1'] })
    expect(results.map(({ ok }) => ok)).toEqual([true, true])
    expect(looked.count).toBeLessThan(200)
  })

  it('of what left lately looks no further back', () => {
    const sim = mistaken()
    const looked = looks(sim)
    const { results } = sim.done({ kind: 'restore', ...service, sinceMs: 10_000, dryRun: true })
    expect(results).toHaveLength(10)
    expect(looked.count).toBeLessThan(1_000)
  })

  it('finds what was gone before and is gone anew', () => {
    const sim = mistaken()
    sim.done({ kind: 'deregister', refs: [ref('old-0', 5)], by: 'ops' })
    sim.done({ kind: 'register', items: [command({ id: 'last', incarnation: 1 })] })
    sim.run(20_000)
    sim.done({ kind: 'deregister', refs: [ref('old-1', 5)] })
    removed(sim, ['last'])
    sim.done({ kind: 'deregister', refs: [ref('old-2', 5)] })
    const { departed } = sim.node.directory.find('default', 'orders') ?? {}
    const since = [...(departed ?? [])].map((entry) => entry.since)
    expect(since).toEqual(since.toSorted((a, b) => a - b))
  })
})

describe('the list of overrides', () => {
  it('looks at a page', () => {
    const sim = new Simulation()
    const all = ids('i', MANY)
    sim.done({ kind: 'register', items: all.map((id) => command({ id, incarnation: 1 })) })
    sim.done({ kind: 'override', refs: all.map((id) => ref(id)), drain: true })
    const looked = looks(sim)
    const first = sim.node.overrides.list({ limit: 10 }, sim.now)
    const second = sim.node.overrides.list({ limit: 10, after: first.next ?? '' }, sim.now)
    const told = [...first.overrides, ...second.overrides].map(({ id }) => id)
    expect(told).toEqual(all.toSorted().slice(0, 20))
    expect(looked.count).toBeLessThan(300)
    expect(sim.node.overrides.size).toBe(MANY)
  })
})
