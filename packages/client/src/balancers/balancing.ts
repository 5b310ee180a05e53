import { RegistryError } from '@rollcall/wire'
import type { Random } from '../random.js'
import type { Balancer, BalancerFactory, BalancerTools } from './balancer.js'
import { createRoundRobin } from './round-robin.js'
import { createWeighted } from './weighted.js'

/** How the instances of a service share its calls. */
export interface BalancingOptions {
  /** By name, or your own. Default `weighted`, which is round robin while all weights are equal. */
  readonly balancer?: BalancerName | BalancerFactory
  /**
   * When less than this share of all that are `up` or `suspect` can be called, because the others failed here or are
   * doubted by the registry, calls are spread over all of them again: better some calls that fail over than a few
   * instances under the load of all. 0 to 1. Default 0, never: the registry doubts mass silence itself.
   */
  readonly panicThreshold?: number
}

/** Name of a balancer. */
export type BalancerName = 'weighted' | 'round-robin'

/** Balancers by name. */
export const BALANCERS: Readonly<Record<BalancerName, (random: Random) => Balancer>> = {
  weighted: createWeighted,
  'round-robin': createRoundRobin,
}

/** Makes the balancer of a service; throws `invalid_argument`. */
export function createBalancing(
  options: BalancingOptions,
  tools: BalancerTools,
): { readonly balancer: Balancer; readonly panicThreshold: number } {
  const { balancer = 'weighted', panicThreshold = 0 } = options
  if (!(panicThreshold >= 0 && panicThreshold <= 1))
    throw invalid('the panic threshold is a share, 0 to 1', 'panicThreshold')
  if (typeof balancer === 'function') return { balancer: balancer(tools), panicThreshold }
  if (!Object.hasOwn(BALANCERS, balancer)) {
    const names = Object.keys(BALANCERS).join(', ')
    throw invalid(`${balancer} is no balancer (${names})`, 'balancer')
  }
  return { balancer: BALANCERS[balancer](tools.random), panicThreshold }
}

function invalid(message: string, field: string): RegistryError {
  return new RegistryError('invalid_argument', message, { field })
}
