/** The load balancer before the nodes of a cluster, for programs that know one address. */
import type { Network } from './network.js'
import type { SimRegistry } from './registry.js'

/** A node that stands still is taken out of the rotation after this: checks of health fail. */
const NOTICED_MS = 2_000

/** Gives each request to the next node that is ready and can be reached; without one, to the next that lives. */
export class Balancer {
  private readonly registries: readonly SimRegistry[]
  private readonly network: Network
  private turn = 0

  constructor(registries: readonly SimRegistry[], network: Network) {
    this.registries = registries
    this.network = network
  }

  /** The node that serves the next request of a host. */
  next(host: string): SimRegistry {
    const { registries } = this
    if (registries.length === 1) return registries[0]!
    const ordered = registries.map((_, index) => registries[(this.turn + index) % registries.length]!)
    const chosen =
      ordered.find((each) => this.reaches(host, each) && each.ready) ??
      ordered.find((each) => this.reaches(host, each)) ??
      ordered[0]!
    this.turn = registries.indexOf(chosen) + 1
    return chosen
  }

  private reaches(host: string, { process, address }: SimRegistry): boolean {
    const stands = process.paused && this.network.queue.now - process.standsSince > NOTICED_MS
    return !stands && this.network.port(host, address.host, address.port) === 'accepts'
  }
}
