/** One cluster of the world: its nodes, what joins them, and what is registered there. */
import type { ViewName } from '@rollcall/wire'
import { Balancer } from './balancer.js'
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

  get obituaries(): readonly Obituary[] {
    const { obituaries, sides } = this.world
    return sides.length === 1
      ? obituaries
      : obituaries.filter(({ endpoint }) => endpoint.cluster === this.cluster)
  }
}
