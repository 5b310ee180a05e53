/** What an invariant sees of a world: everything, from the side of one node. */
import type { Invariant } from '../invariants/invariant.js'
import type { SdkProgram } from '../programs/sdk-program.js'
import type { Scenario } from '../scenario.js'
import type { Endpoint, Obituary } from './endpoint.js'
import type { SimEngine } from './engine.js'
import type { EventQueue } from '@rollcall/testkit/time'
import type { Network } from './network.js'
import type { SimRegistry } from './registry.js'
import type { ViewBook } from './view-book.js'

/**
 * The side of one node. Registry and book are its own; endpoints and obituaries are those of its cluster; consumers watch
 * all clusters, each by one of its nodes.
 */
export interface Scene {
  readonly cluster: number
  /** Number of the node within its cluster. */
  readonly node: number
  /** All nodes of its cluster, this one included. */
  readonly nodes: readonly Scene[]
  readonly scenario: Scenario
  readonly queue: EventQueue
  readonly network: Network
  readonly registry: SimRegistry
  readonly book: ViewBook
  /** What joins its nodes. */
  readonly engine: SimEngine | undefined
  readonly endpoints: readonly Endpoint[]
  readonly obituaries: readonly Obituary[]
  readonly consumers: readonly SdkProgram[]
  /** Ends the run. */
  violated(invariant: Invariant, message: string): never
}

/** Whether the node has peers, and an engine that joins it with them. */
export function isJoined({ nodes }: Scene): boolean {
  return nodes.length > 1
}

/** Whether nothing disturbs the node. */
export function isCalm({ registry, queue }: Scene): boolean {
  const { process, trouble } = registry
  return process.alive && !process.paused && queue.now >= trouble.calmFrom
}

/** Whether nothing disturbs any node of the cluster, nor what joins them. */
export function isTogether({ nodes, queue }: Scene): boolean {
  return nodes.every((each) => isCalm(each) && queue.now >= each.registry.apart.calmFrom)
}

/** When something last disturbed a node of the cluster, or what joins them. */
export function unrestAt({ nodes, queue }: Scene): number {
  return Math.max(
    ...nodes.flatMap(({ registry }) => [
      registry.process.startedAt,
      registry.trouble.lastAt(queue.now),
      registry.apart.lastAt(queue.now),
    ]),
  )
}

/** Whether this is the node from which a consumer has its lists, and has had for so long; of a single node: always. */
export function serves(scene: Scene, consumer: SdkProgram, ms: number): boolean {
  if (!isJoined(scene)) return true
  const { registry, queue, cluster } = scene
  const seat = consumer.seatIn(cluster)
  return seat?.registry === registry && queue.now >= Math.max(seat.since + ms, registry.deaf.calmFrom)
}
