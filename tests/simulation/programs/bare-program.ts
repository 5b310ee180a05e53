/** Programs without the SDK that do nothing by themselves. */
import type { Done } from '@rollcall/core'
import { callerAt } from '../world/callers.js'
import type { Endpoint } from '../world/endpoint.js'
import { commandOf, REQUEST_TIMEOUT_MS } from './http-program.js'
import type { SimProcess } from '../world/process.js'
import { Program, type ProgramDeps } from './program.js'

/** What a bare program is made of. */
export interface BareProgramDeps extends ProgramDeps {
  /** The process that registers it. */
  readonly registrant: SimProcess
}

/**
 * A program that knows nothing of the registry: another process registers its endpoints, once, to be probed or to be
 * believed, and never looks back.
 */
export class BareProgram extends Program {
  private readonly registrant: SimProcess

  constructor(deps: BareProgramDeps) {
    super(deps)
    this.registrant = deps.registrant
  }

  protected begin(): void {
    for (const endpoint of this.endpoints) {
      endpoint.owedFrom = Infinity
      this.register(endpoint)
    }
  }

  protected farewell(exit: () => void): void {
    exit()
  }

  private register(endpoint: Endpoint): void {
    const { world, registrant, process } = this
    const { life } = process
    const command = commandOf(endpoint)
    const registry = world.balanced(registrant.host)
    world.network.request<Done<'register'>>(
      registrant,
      registry.address,
      (answer) => {
        void registry.api
          ?.execute({ kind: 'register', items: [command] }, callerAt(endpoint.host))
          .then(answer)
      },
      (result) => {
        if (process.life !== life) return
        const accepted = result?.answer[0]
        if (result === undefined || accepted?.ok !== true) {
          registrant.clock.setTimer(1_000, () => {
            if (process.life === life) this.register(endpoint)
          })
          return
        }
        endpoint.incarnation = accepted.incarnation
        // A node that had not heard of it yet took the registration for a renewal: it goes with what it renewed.
        if (accepted.incarnation === endpoint.dismissedAs) endpoint.wanted = false
        // This registration is not repeated: what was only in memory, or with one of several nodes, may be lost with that node.
        const kept = world.clusters[endpoint.cluster]!.length > 1 ? ['replicated'] : ['disk', 'replicated']
        if (kept.includes(result.durability)) endpoint.owedFrom = world.queue.now + endpoint.leaseMs
      },
      REQUEST_TIMEOUT_MS,
    )
  }
}
