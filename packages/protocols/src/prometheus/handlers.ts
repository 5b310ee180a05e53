/** The targets as the registry has them now: the only file of this adapter that asks it. */
import type { RegistryApi } from '@rollcall/core'
import { defined, RegistryError, type Instance } from '@rollcall/wire'
import type { TargetsQuery } from './codec.js'
import { toTargetGroup, type TargetGroup } from './mapping.js'

/** What the adapter needs of the registry. */
export type TargetSource = Pick<RegistryApi, 'readiness' | 'namespaces' | 'services' | 'view'>

/**
 * All targets in an order that changes do not shift: by namespace, service, group and id. Services are read one after
 * the other while the answer is sent; each is as it is at that moment.
 */
export function* targetsOf(
  registry: TargetSource,
  query: TargetsQuery,
  servicesMax: number,
): Generator<TargetGroup> {
  for (const name of servicesOf(registry, query, servicesMax)) {
    const instances = registry.view(name)?.instances ?? []
    for (const instance of instances.toSorted(byGroupAndId)) {
      if (query.states === undefined || query.states.has(instance.state)) yield toTargetGroup(instance)
    }
  }
}

/** Throws unless the node knows what it should know: an empty list would take all targets from Prometheus. */
export function requireTargets(registry: TargetSource): void {
  const readiness = registry.readiness()
  if (!readiness.ready && readiness.reason === 'loading')
    throw new RegistryError('not_ready', 'the node is still loading')
}

type ServiceName = Pick<Instance, 'namespace' | 'service'>

function* servicesOf(
  registry: TargetSource,
  { namespace, service }: TargetsQuery,
  servicesMax: number,
): Generator<ServiceName> {
  if (service !== undefined) {
    const namespaces = namespace === undefined ? registry.namespaces() : [{ namespace }]
    for (const each of namespaces) yield { namespace: each.namespace, service }
    return
  }
  let after: string | undefined
  do {
    const page = registry.services({ limit: servicesMax, ...defined({ namespace, after }) })
    yield* page.services
    after = page.next
  } while (after !== undefined)
}

function byGroupAndId(a: Instance, b: Instance): number {
  return compare(a.group, b.group) || compare(a.id, b.id)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
