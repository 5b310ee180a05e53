/** The instances of the registry as Consul's clients see them: the only file that lists them. */
import type { Queries } from '@rollcall/core'
import type { Instance } from '@rollcall/wire'
import { sortedInSteps } from '../../http/sorted.js'
import { NAMESPACE, type ShownService, toShown } from '../mapping.js'

/** Services that are read at a time. */
const PAGE = 1_000

/** The instances of a service of ours in a stable order; undefined for a step that came to nothing. */
export function* shownOf(read: Queries, service: string): Generator<ShownService | undefined> {
  const captured = read.capture({ namespace: NAMESPACE, service })
  for (const instance of sortedInSteps(instancesOf(captured), byGroupAndId)) {
    if (instance === undefined) {
      yield undefined
      continue
    }
    const { namespace, group, id } = instance
    // It may have left since; what it is now is what is shown.
    const offer = read.offer({ namespace, service, group, id })
    yield offer === undefined ? undefined : toShown(offer)
  }
}

/** All services of ours that list an instance. */
export function* servicesOf(read: Queries): Generator<string> {
  let after: string | undefined
  do {
    const page = read.services({
      namespace: NAMESPACE,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    })
    for (const { service } of page.services) yield service
    after = page.next
  } while (after !== undefined)
}

/** The instances of all services. */
export function* allShown(read: Queries): Generator<ShownService | undefined> {
  for (const service of servicesOf(read)) {
    yield undefined
    yield* shownOf(read, service)
  }
}

function* instancesOf(captured: ReturnType<Queries['capture']>): Generator<Instance> {
  for (let place = 0; place < captured.size; place++) yield captured.instance(place)
}

function byGroupAndId(a: Instance, b: Instance): number {
  return compare(a.group, b.group) || compare(a.id, b.id)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
