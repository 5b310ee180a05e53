/** What all programs of a world have. */
import type { Endpoint } from '../world/endpoint.js'
import type { SimProcess } from '../world/process.js'
import type { Chance } from '../world/random.js'
import { CONFLICT_MS, RECOVERY_MS, type Surroundings } from '../world/surroundings.js'

/** What a program is made of. */
export interface ProgramDeps {
  readonly world: Surroundings
  readonly process: SimProcess
  readonly endpoints: readonly Endpoint[]
  readonly chance: Chance
  /** Ports change with every start, ids stay. */
  readonly moves: boolean
}

/** From one port to the next of an endpoint that moves: no other process listens there. */
const PORT_STEP = 1_000

/** What a process says of itself is of its life: what was said in another one is not taken for it. */
export function metadataIn({ name, life }: SimProcess): Readonly<Record<string, string>> {
  return { program: name, life: String(life) }
}

export function weightIn({ life }: SimProcess): number {
  return 100 + life
}

/** A program that offers endpoints: what all kinds have in common. */
export abstract class Program {
  readonly process: SimProcess
  readonly endpoints: readonly Endpoint[]
  protected readonly world: Surroundings
  protected readonly chance: Chance
  private readonly moves: boolean
  private leaving = false

  constructor(deps: ProgramDeps) {
    this.process = deps.process
    this.endpoints = deps.endpoints
    this.world = deps.world
    this.chance = deps.chance
    this.moves = deps.moves
  }

  /** Those that are registered in one cluster. */
  in(cluster: number): readonly Endpoint[] {
    return this.endpoints.filter((endpoint) => endpoint.cluster === cluster)
  }

  get name(): string {
    return this.process.name
  }

  /** Starts the process, listens, and registers. */
  boot(): void {
    const { process, world, endpoints } = this
    if (process.alive) return
    this.leaving = false
    process.start()
    world.note(this.name, () => `starts (life ${process.life})`)
    for (const endpoint of endpoints) {
      if (this.moves && process.life > 1) endpoint.port += PORT_STEP
      world.network.listen(endpoint.port, { process })
      world.revive(endpoint)
      endpoint.wanted = true
      endpoint.intent = 'up'
      endpoint.incarnation = undefined
      endpoint.owedFrom = world.queue.now + RECOVERY_MS
    }
    process.deliver(() => this.begin())
  }

  /** kill -9. */
  kill(): void {
    const { process, world, endpoints } = this
    if (!process.alive) return
    world.note(this.name, () => 'is killed')
    world.bury(process, endpoints, false)
    this.end()
  }

  /** Deregisters, then exits. */
  leave(): void {
    const { process, world, endpoints } = this
    if (!process.alive || process.paused || this.leaving) return
    this.leaving = true
    world.note(this.name, () => 'leaves')
    const beganAt = world.queue.now
    const known = endpoints.filter((endpoint) => endpoint.settled(beganAt))
    for (const endpoint of endpoints) endpoint.wanted = false
    const { life } = process
    const exit = (): void => {
      if (process.life !== life) return
      world.note(this.name, () => 'exits')
      world.left(this, known, world.queue.now - beganAt)
      world.bury(process, endpoints, false)
      this.end()
    }
    process.deliver(() => this.farewell(exit))
  }

  /** SIGSTOP: ports go on accepting. */
  hang(): void {
    const { process, world, endpoints } = this
    if (!process.alive || process.paused) return
    world.note(this.name, () => 'stops running')
    process.pause()
    world.bury(process, endpoints, true)
  }

  resume(): void {
    const { process, world, endpoints } = this
    if (!process.paused) return
    world.note(this.name, () => 'runs again')
    world.exhume(endpoints)
    process.resume()
  }

  /** The registry says that another process holds the id of an endpoint. */
  protected conflicts(endpoint: Endpoint): void {
    const { queue, network, clusters } = this.world
    const nodes = clusters[endpoint.cluster]!
    const { key, host, port } = endpoint
    const stranger = nodes.some(({ process, shown }) => {
      const holder = shown?.instance(key)
      const elsewhere = holder !== undefined && (holder.host !== host || holder.port !== port)
      // A stranger who answers where its predecessor was passes for him, for ten minutes.
      return elsewhere && network.port(process.host, holder.host, holder.port) === 'accepts'
    })
    const startedAt = Math.max(...nodes.map(({ process }) => process.startedAt))
    // Only the judge of its predecessor gives way to a lower number: the next attempt may come to another node.
    endpoint.conflicts(queue.now, stranger ? queue.now : startedAt, CONFLICT_MS * nodes.length)
  }

  /** Registers everything. */
  protected abstract begin(): void

  /** Takes everything back, then calls `exit`, at the latest after a few seconds. */
  protected abstract farewell(exit: () => void): void

  private end(): void {
    this.process.kill()
    this.world.network.ended(this.process)
    for (const endpoint of this.endpoints) endpoint.wanted = false
    this.ended()
  }

  /** The process is gone. */
  protected ended(): void {}
}
