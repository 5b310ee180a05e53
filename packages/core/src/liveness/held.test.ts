/** What is asked of an instance whose death by silence is held back. */
import { expect, it } from 'vitest'
import { Simulation } from '../simulated-node.fixture.js'
import { LIVENESS_DEFAULTS } from './options.js'

it('is asked again while the breaker of its service holds it: once its port refuses, it is dead', () => {
  const sim = new Simulation({ liveness: LIVENESS_DEFAULTS })
  let alive = true
  // So many others are heard that the node trusts its ears.
  for (let index = 0; index < 100; index++) {
    const isDoomed = index < 6
    const session = sim.openSession({ onSilent: () => session.close() })
    const service = isDoomed ? 'orders' : 'others'
    sim.register({ service, id: `i${index}`, incarnation: 1, host: `10.0.0.${index}` }, session)
    sim.every(3_000, () => {
      if (alive || !isDoomed) session.heard()
    })
  }
  const states = (): Record<string, number> =>
    Object.fromEntries(Object.entries(sim.node.directory.states).filter(([, count]) => count > 0))
  sim.run(20_000)
  // The processes die, while no packet of theirs comes or goes.
  alive = false
  sim.network = () => 'silence'
  sim.run(120_000)
  expect(states()).toEqual({ up: 94, suspect: 5, down: 1 })
  // The way is back, and their ports refuse.
  sim.network = () => 'refused'
  sim.run(60_000)
  expect(states()).not.toHaveProperty('suspect')
})
