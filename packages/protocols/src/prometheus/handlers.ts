/** The targets as the registry has them now: the only file of this adapter that asks it. */
import type { Queries, ViewCapture } from '@rollcall/core'
import { defined, type Instance } from '@rollcall/wire'
import { sortedInSteps } from '../http/sorted.js'
import type { TargetsQuery } from './codec.js'
import { toTargetGroup, type TargetGroup } from './mapping.js'

/**
 * All targets in an order that changes do not shift: by namespace, service, group and id. Services are read one after
 * the other while the answer is sent; each is as it is at that moment. A service, an instance that is looked at to find
 * the order, and one that is not asked for, is a step without a target, so that their reader can pause in between.
 */
export function* targetsOf(
  read: Queries,
  query: TargetsQuery,
  servicesMax: number,
): Generator<TargetGroup | undefined> {
  for (const name of servicesOf(read, query, servicesMax)) {
    yield undefined
    for (const instance of sortedInSteps(instancesOf(read.capture(name)), byGroupAndId)) {
      const asked = instance !== undefined && (query.states?.has(instance.state) ?? true)
      yield asked ? toTargetGroup(instance) : undefined
    }
  }
}

function* instancesOf(captured: ViewCapture): Generator<Instance> {
  for (let place = 0; place < captured.size; place++) yield captured.instance(place)
}

type ServiceName = Pick<Instance, 'namespace' | 'service'>

function* servicesOf(
  read: Queries,
  { namespace, service }: TargetsQuery,
  servicesMax: number,
): Generator<ServiceName> {
  if (service !== undefined) {
    const namespaces = namespace === undefined ? namespacesOf(read, servicesMax) : [namespace]
    for (const each of namespaces) yield { namespace: each, service }
    return
  }
  let after: string | undefined
  do {
    const page = read.services({ limit: servicesMax, ...defined({ namespace, after }) })
    yield* page.services
    after = page.next
  } while (after !== undefined)
}

function* namespacesOf(read: Queries, limit: number): Generator<string> {
  let after: string | undefined
  do {
    const page = read.namespaces({ limit, ...defined({ after }) })
    for (const { namespace } of page.namespaces) yield namespace
    after = page.next
  } while (after !== undefined)
}

function byGroupAndId(a: Instance, b: Instance): number {
  return compare(a.group, b.group) || compare(a.id, b.id)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
