/** Offers a node's operator commands to protocol adapters: each call is one step, then its effects. */
import type { OperatorApi, OperatorWrite, OverrideOutcome, RegistryNode } from '@rollcall/core'
import type { Durability, ErrorBody, ViewName } from '@rollcall/wire'
import type { EventFollowers } from './event-followers.js'
import { demand, refuse } from './refusals.js'

export interface OperatorDriverDeps {
  readonly followers: EventFollowers
  readonly node: RegistryNode
  readonly now: () => number
  /** Runs the effects of a step and resolves when its entries are as durable as they get. */
  readonly commit: (options?: OperatorWrite) => Promise<Durability>
}

/** Makes the operators' side of a driver. It keeps nothing. */
export function createOperatorDriver({ node, now, commit, followers }: OperatorDriverDeps): OperatorApi {
  const overridden = async (
    outcomes: readonly OverrideOutcome[] | ErrorBody,
    options: OperatorWrite | undefined,
  ): ReturnType<OperatorApi['override']> => {
    const results = demand(outcomes)
    const durability = await commit(options)
    return results.map((result) => (result.ok ? { ...result, durability } : result))
  }
  return {
    override: async (command, { peer }, options) => overridden(node.override(command, now(), peer), options),
    clearOverrides: async (clearance, { peer }, options) =>
      overridden(node.clearOverrides(clearance, now(), peer), options),
    async freeze(namespace, signature, { peer }) {
      refuse(node.freeze(namespace, signature, now(), peer))
      return commit()
    },
    async unfreeze(namespace, signature, { peer }) {
      if (!node.unfreeze(namespace, signature, now(), peer)) return false
      await commit()
      return true
    },
    events: (query) => node.events.query(query),
    follow: (listener) => followers.follow(listener),
    async restore(command, { peer }, options) {
      const outcome = demand(node.restore(command, now(), peer))
      return { ...outcome, durability: await commit(options) }
    },
    audience(name, query) {
      const views = viewsOf(node, name)
      if (views === undefined) return undefined
      const { pollers } = node.publisher
      const count = node.publisher.audience(views, query.seq)
      const pollersMs = Math.round(pollers.waitMs(serviceKey(name), query.ageMs ?? 0, now()))
      return { ...count, pollersMs, settled: count.acknowledged === count.subscribers && pollersMs === 0 }
    },
    polled: (name, everyMs) => node.publisher.pollers.noted(serviceKey(name), everyMs, now()),
    explain: (key) => node.explain(key, now()),
    freezes: () => node.directory.freezes.list(now()),
    overrides: (query) => node.overrides.list(query, now()),
  }
}

function serviceKey({ namespace, service }: ViewName): string {
  return `${namespace}/${service}`
}

/** The views in which a change of a service, or of one group of it, is seen. */
function viewsOf(node: RegistryNode, { namespace, service, group }: ViewName): ViewName[] | undefined {
  const known = node.directory.find(namespace, service)
  if (known === undefined) return undefined
  const groups = group === undefined ? [...known.groups.keys()] : [group]
  return [{ namespace, service }, ...groups.map((each) => ({ namespace, service, group: each }))]
}
