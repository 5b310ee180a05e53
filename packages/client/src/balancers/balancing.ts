/** The balancer of a service, made of its options. */
import { hostname } from 'node:os'
import { asked } from '../machine/asked.js'
import { invalid } from '../machine/errors.js'
import type { Balancer, BalancerFactory, BalancerTools } from './balancer.js'
import type { LeastLoadedOptions } from './least-loaded.js'
import { createLeastLoaded } from './least-loaded.js'
import { createRoundRobin } from './round-robin.js'
import { createSlowStart } from './slow-start.js'
import type { HashOptions } from './consistent-hash.js'
import { createConsistentHash } from './consistent-hash.js'
import type { SubsetOptions } from './subset.js'
import { createSubset } from './subset.js'
import { createWeighted } from './weighted.js'
import { createZoneFirst } from './zone-first.js'

/** How the instances of a service share its calls. */
export interface BalancingOptions {
  /**
   * By name, by name with options, or your own. Default `weighted`, which is round robin while all weights are equal.
   * `least-loaded` where calls differ much in cost, `hash` where the same key should meet the same instance.
   */
  readonly balancer?: BalancerName | BalancerChoice | BalancerFactory
  /**
   * The zone of this process: instances in it come first, as far as they carry the callers of the zone. Default
   * that of `connect`; without one zones do not count.
   */
  readonly zone?: string
  /**
   * Calls only this many instances, for services so large that connections count; with `zone`, as many of each
   * zone. Default all.
   */
  readonly subset?: number | SubsetOptions
  /**
   * Milliseconds in which an instance that this client sees for the first time, or again after as long, comes to
   * its full share of calls. Default 0: at once.
   */
  readonly slowStartMs?: number
  /**
   * When less than this share of all that are `up` or `suspect` can be called, because the others failed here or are
   * doubted by the registry, calls are spread over all of them again: better some calls that fail over than a few
   * instances under the load of all. 0 to 1. Default 0, never: the registry doubts mass silence itself.
   */
  readonly panicThreshold?: number
}

/** Name of a balancer. */
export type BalancerName = 'weighted' | 'round-robin' | 'least-loaded' | 'hash'

/** A balancer by name, with its options. */
export type BalancerChoice =
  | { readonly type: 'weighted' | 'round-robin' }
  | ({ readonly type: 'least-loaded' } & LeastLoadedOptions)
  | ({ readonly type: 'hash' } & HashOptions)

/** What `service` needs to choose. */
export interface Balancing {
  readonly balancer: Balancer
  readonly panicThreshold: number
}

/** Makes the balancer of a service; throws `invalid_argument`. */
export function createBalancing(options: BalancingOptions, tools: BalancerTools): Balancing {
  const { balancer = 'weighted', zone, subset, slowStartMs = 0, panicThreshold = 0 } = options
  if (!(panicThreshold >= 0 && panicThreshold <= 1))
    throw invalid('the panic threshold is a share, 0 to 1', 'panicThreshold')
  if (!(slowStartMs >= 0 && slowStartMs < Infinity))
    throw invalid('the slow start is a time in milliseconds', 'slowStartMs')
  const basic = typeof balancer === 'function' ? guarded(balancer) : factoryOf(balancer)
  const part = subset === undefined ? undefined : subsetOf(subset)
  const parted: BalancerFactory = part === undefined ? basic : (inner) => createSubset(basic(inner), part)
  const chosen = zone === undefined ? parted(tools) : createZoneFirst(parted, tools, zone)
  return {
    balancer: slowStartMs === 0 ? chosen : createSlowStart(chosen, tools, slowStartMs),
    panicThreshold,
  }
}

function factoryOf(given: BalancerName | BalancerChoice): BalancerFactory {
  const choice: BalancerChoice = typeof given === 'string' ? { type: given } : given
  switch (choice.type) {
    case 'weighted':
      return ({ random }) => createWeighted(random)
    case 'round-robin':
      return ({ random }) => createRoundRobin(random)
    case 'least-loaded':
      return (tools) => createLeastLoaded(tools, choice)
    case 'hash':
      return (tools) => createConsistentHash(tools, choice)
    default: {
      const unknown: { readonly type: string } = choice
      throw invalid(`${unknown.type} is no balancer`, 'balancer')
    }
  }
}

/**
 * A foreign balancer that throws is an uncaught exception, never a broken client; but for `pick`, whose caller
 * hears of it.
 */
function guarded(factory: BalancerFactory): BalancerFactory {
  return (tools) => {
    const inner = factory(tools)
    return {
      update: (candidates) => apart(() => inner.update(candidates)),
      pick: (key) => inner.pick(key),
      began: (instance) => apart(() => inner.began?.(instance)),
      ended: (instance, report) => apart(() => inner.ended?.(instance, report)),
    }
  }
}

/** Runs a step; what it throws is thrown where no step is half done. */
function apart(step: () => void): void {
  try {
    step()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function subsetOf(given: number | SubsetOptions): Required<SubsetOptions> {
  const { size, client = `${asked(hostname) ?? 'host'}/${process.pid}` } =
    typeof given === 'number' ? { size: given } : given
  if (!Number.isInteger(size) || size < 1) throw invalid('a subset has at least one instance', 'subset')
  return { size, client }
}
