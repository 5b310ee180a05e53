/** What a removal by host would take, and why it may not be done. Changes nothing. */
import { ALL_NAMESPACES, type ErrorBody, errorBody, type ResolvedRef } from '@rollcall/wire'
import { sameHost } from '../address.js'
import type { HostRemoval } from '../commands.js'
import type { Directory } from '../directory/directory.js'
import { isLive } from '../records/state.js'

/** A call that would take at least half and at least this many instances of a service needs confirmation. */
const CONFIRM_MIN = 5

/** What is to be taken out, or why not: an operator froze it, or it is so much that it needs confirming. */
export function planHostRemoval(
  directory: Directory,
  request: HostRemoval,
): readonly ResolvedRef[] | ErrorBody {
  const { refs, heavy } = onHost(directory, request)
  const frozen = [...new Set(refs.map(({ namespace }) => namespace))].filter((name) =>
    directory.freezes.covers(name),
  )
  if (frozen.length > 0) {
    return errorBody('frozen', `an operator froze ${frozen.join(', ')}`, 'namespace', { namespaces: frozen })
  }
  if (heavy.length === 0 || request.confirm) return refs
  return errorBody(
    'needs_confirmation',
    `this takes ${refs.length} instances, among them at least half of: ${heavy.join(', ')}`,
    'confirm',
    { services: heavy, instances: refs },
  )
}

/** Everything on the host that was not deregistered, the expired included: they would come back with it. */
function onHost(
  directory: Directory,
  { namespace, host }: HostRemoval,
): { refs: ResolvedRef[]; heavy: string[] } {
  const refs: ResolvedRef[] = []
  const heavy: string[] = []
  const isHost = sameHost(host)
  const names = namespace === ALL_NAMESPACES ? [...directory.namespaceNames()] : [namespace]
  for (const name of names) {
    for (const service of directory.servicesOf(name)) {
      let listed = 0
      for (const { record, state } of service.entries.values()) {
        if (!isLive(record) || !isHost(record.content.host)) continue
        if (state !== null) listed++
        const { group, id, incarnation } = record
        refs.push({ namespace: name, service: service.service, group, id, incarnation })
      }
      if (listed >= CONFIRM_MIN && listed * 2 >= service.total) heavy.push(`${name}/${service.service}`)
    }
  }
  return { refs, heavy }
}
