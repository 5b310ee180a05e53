/** Several nodes in simulated time, and what they say to each other, carried by hand. */
import { expect } from 'vitest'
import type { Learnable } from './records/learnable.js'
import { Simulation, type SimulationOptions } from './simulated-node.fixture.js'

export const RETENTION_MS = 3_600_000

/** Two or three nodes of one registry; what they say to each other is carried by hand. */
export function nodes(...ids: readonly string[]): Simulation[] {
  return ids.map((nodeId) => node(nodeId))
}

export function node(nodeId: string, options: SimulationOptions = {}): Simulation {
  const sim = new Simulation({ nodeId, ...options })
  // No port answers: what is judged by silence is judged without help.
  sim.network = () => 'silence'
  return sim
}

/** Everything a node would tell a peer, as it arrives there. */
export function said(sim: Simulation): Learnable[] {
  return JSON.parse(JSON.stringify([...sim.node.snapshot()])) as Learnable[]
}

export function tell(from: Simulation, ...to: readonly Simulation[]): void {
  for (const sim of to) expect(sim.node.learn(said(from), sim.now)).toEqual([])
}

/** Until nothing is new to any of them. */
export function agree(...sims: readonly Simulation[]): void {
  for (let round = 0; round < 3; round++)
    for (const from of sims) tell(from, ...sims.filter((sim) => sim !== from))
  const [first] = sims.map((sim) => sim.record())
  for (const sim of sims) expect(sim.record()).toEqual(first)
}

export function passes(ms: number, ...sims: readonly Simulation[]): void {
  for (const sim of sims) sim.run(ms)
}

export function verdict(sim: Simulation): string {
  const { value, claim, node: judge } = sim.record()?.verdict ?? { value: 'none', claim: 0, node: '' }
  return `${value} ${claim} ${judge}`
}
