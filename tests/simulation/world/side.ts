/** One cluster of the world: its nodes, what joins them, and what is registered there. */
import type { ViewName } from '@rollcall/wire'
import { Balancer } from './balancer.js'
import { beginUnjoined } from '../faults/node-effects.js'
import type { Endpoint, Obituary } from './endpoint.js'
import { SimEngine } from './engine.js'
import { NodeSide } from './node-side.js'
import type { SimRegistry } from './registry.js'
import type { Sabotage } from './sabotage.js'
import { Archive } from './view-book.js'
import type { World } from './world.js'

/** The side of one cluster. */
export class Side {
  readonly cluster: number
  readonly nodes: readonly NodeSide[]
  readonly registries: readonly SimRegistry[]
  readonly balancer: Balancer
  /** What joins several nodes. */
  readonly engine: SimEngine | undefined
  private readonly world: World
  private own: readonly Endpoint[] | undefined
  /** When each history of the engine last had the key of each boot of a node that had joined it, and was followed by it. */
  private readonly keyAt = new Map<string, number>()
  /** Ends the trouble of each node that is not joined. */
  private readonly unjoined = new Map<SimRegistry, () => void>()

  constructor(
    world: World,
    cluster: number,
    views: readonly ViewName[],
    sabotage: Sabotage['node'] | undefined,
  ) {
    this.world = world
    this.cluster = cluster
    this.engine =
      world.scenario.nodes > 1 ? new SimEngine(world.queue, world.chanceOf(`engine ${cluster}`)) : undefined
    const archive = new Archive(views)
    this.nodes = Array.from(
      { length: world.scenario.nodes },
      (_, node) => new NodeSide({ world, side: this, node, archive, sabotage }),
    )
    this.registries = this.nodes.map(({ registry }) => registry)
    this.balancer = new Balancer(this.registries, world.network)
  }

  get endpoints(): readonly Endpoint[] {
    this.own ??= this.world.endpoints.filter(({ cluster }) => cluster === this.cluster)
    return this.own
  }

  /**
   * Looks at which nodes run without having joined the history that the engine has: the secret by which nodes know each other stands
   * there, and the key by which each is known. They have no links, and hear their clients and nothing else; so does an island
   * among nodes that have started since.
   */
  look(): void {
    const epoch = this.engine?.epoch
    if (epoch === undefined) return
    for (const registry of this.registries) {
      const isUnjoined = registry.process.alive && this.isUnknown(registry, epoch)
      if (isUnjoined === this.unjoined.has(registry)) continue
      if (isUnjoined) this.unjoined.set(registry, beginUnjoined(this.world, registry))
      else {
        this.unjoined.get(registry)?.()
        this.unjoined.delete(registry)
      }
    }
  }

  private isUnknown(registry: SimRegistry, epoch: string): boolean {
    const { member, nodeId } = registry
    const boot = `${nodeId} ${epoch}`
    const { epoch: joined, engine } = member?.cluster() ?? {}
    if (this.engine?.hasNode(nodeId) === true && joined === epoch && engine?.state === 'connected')
      this.keyAt.set(boot, this.world.queue.now)
    const keyAt = this.keyAt.get(boot)
    if (keyAt === undefined) return true
    return this.registries.some(({ process }) => process.alive && process.startedAt > keyAt)
  }

  get obituaries(): readonly Obituary[] {
    const { obituaries, sides } = this.world
    return sides.length === 1
      ? obituaries
      : obituaries.filter(({ endpoint }) => endpoint.cluster === this.cluster)
  }
}
