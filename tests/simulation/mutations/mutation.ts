/** What a planted bug is, and how it gets in: by names that the compiler knows. */
import type { RegistryNode } from '@rollcall/core'
import type { Directory, LivenessRules, Publisher, Registrar } from '#core/internal'
import type { NodeDriver } from '@rollcall/server'
import type { Sabotage } from '../world/sabotage.js'

/** A bug to plant: a rule of the design that does not hold. */
export interface Mutation {
  readonly name: string
  /** The rule that it switches off, as the design has it. */
  readonly rule: string
  readonly sabotage: Sabotage
}

/** A bug in the node. */
export function node(name: string, rule: string, plant: (driver: NodeDriver) => void): Mutation {
  return { name, rule, sabotage: { node: plant } }
}

/** A bug wherever the code runs, most often in the client. */
export function client(name: string, rule: string, everywhere: () => () => void): Mutation {
  return { name, rule, sabotage: { everywhere } }
}

/** The parts of the node that a driver runs. */
export function partsOf(driver: NodeDriver): {
  readonly directory: Directory
  readonly registrar: Registrar
  readonly liveness: LivenessRules
  readonly publisher: Publisher
} {
  const inner: RegistryNode = driver['node']
  const { directory, liveness, publisher } = inner
  return { directory, registrar: inner['registrar'], liveness, publisher }
}
