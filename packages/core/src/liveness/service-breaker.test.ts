/** What the breaker of a service says of itself: of many, of one, and of the only one. */
import { describe, expect, it } from 'vitest'
import { keyOf, Simulation } from '../simulated-node.fixture.js'
import { LIVENESS_DEFAULTS } from './options.js'

/** Instances that beat, all of which fall silent. */
function silent(...ids: readonly string[]): Simulation {
  const sim = new Simulation({ liveness: LIVENESS_DEFAULTS })
  for (const id of ids) sim.register({ id, incarnation: 1 })
  sim.network = () => 'silence'
  sim.run(60_000)
  return sim
}

const guard = (sim: Simulation): object =>
  sim.node.liveness.guardOf(sim.node.directory.find('default', 'orders'))
const told = (sim: Simulation): string[] =>
  sim.node.events.query({ kinds: ['guard_tripped', 'guard_released'] }).events.map(({ kind }) => kind)
const summary = (sim: Simulation, id: string): string | undefined => sim.read.explain(keyOf(id))?.summary

describe('the only instance of a service', () => {
  it('that falls silent is kept as suspect, and that is no alarm', () => {
    const sim = silent('a')
    expect(sim.shown('a')).toBe('suspect silence')
    expect(guard(sim)).toEqual({ tripped: false, kept: 1 })
    expect(sim.node.liveness.guards.doubts()).toEqual({ services: 0, kept: 0, zones: 0 })
    expect(told(sim)).toEqual([])
    expect(summary(sim, 'a')).toContain(
      'It is silent, but the only instance of its service, so it is kept as suspect.',
    )
  })

  it('goes down once it is not the only one any more, without a word of the guard', () => {
    const sim = silent('a')
    sim.register({ id: 'b', incarnation: 1 })
    sim.run(1_000)
    expect([sim.shown('a'), sim.shown('b')]).toEqual(['down silence', 'up'])
    expect(guard(sim)).toEqual({ tripped: false, kept: 0 })
    expect(told(sim)).toEqual([])
  })

  it('that is the last of those which the guard keeps is kept as well, and the guard released', () => {
    const sim = silent('a', 'b')
    expect([sim.shown('a'), sim.shown('b')].toSorted((a = '', b = '') => a.localeCompare(b))).toEqual([
      'down silence',
      'suspect silence',
    ])
    const [down, kept] = sim.shown('a') === 'down silence' ? ['a', 'b'] : ['b', 'a']
    expect(guard(sim)).toEqual({ tripped: true, kept: 1 })
    expect(summary(sim, kept)).toContain('the guard keeps 1 silent instance of this service.')
    sim.deregister(down, 1)
    expect(guard(sim)).toEqual({ tripped: false, kept: 1 })
    expect(told(sim)).toEqual(['guard_tripped', 'guard_released'])
    expect(sim.shown(kept)).toBe('suspect silence')
  })
})

describe('several instances', () => {
  it('that the guard keeps are several in its words', () => {
    const sim = silent('a', 'b', 'c')
    const kept = ['a', 'b', 'c'].find((id) => sim.shown(id) === 'suspect silence')
    expect(guard(sim)).toEqual({ tripped: true, kept: 2 })
    expect(summary(sim, kept ?? '')).toContain('the guard keeps 2 silent instances of this service.')
    expect(told(sim)).toEqual(['guard_tripped'])
  })
})
