/** What an invariant sees of a world: everything, from the side of one cluster. */
import type { Invariant } from '../invariants/invariant.js'
import type { SdkProgram } from '../programs/sdk-program.js'
import type { Scenario } from '../scenario.js'
import type { Endpoint, Obituary } from './endpoint.js'
import type { EventQueue } from '@rollcall/testkit/time'
import type { Network } from './network.js'
import type { SimRegistry } from './registry.js'
import type { ViewBook } from './view-book.js'

/** The side of one cluster. Registry, book, endpoints and obituaries are its own; consumers watch all clusters. */
export interface Scene {
  readonly cluster: number
  readonly scenario: Scenario
  readonly queue: EventQueue
  readonly network: Network
  readonly registry: SimRegistry
  readonly book: ViewBook
  readonly endpoints: readonly Endpoint[]
  readonly obituaries: readonly Obituary[]
  readonly consumers: readonly SdkProgram[]
  /** Ends the run. */
  violated(invariant: Invariant, message: string): never
}

/** Whether nothing disturbs the registry of a cluster. */
export function isCalm({ registry, queue }: Scene): boolean {
  const { process, trouble } = registry
  return process.alive && !process.paused && queue.now >= trouble.calmFrom
}
