/** What a removal by host would take, and why it may not be done. Changes nothing. */
import {
  ALL_NAMESPACES,
  type ErrorBody,
  errorBody,
  NAME_PATTERN,
  NAME_WORDS,
  type ResolvedRef,
} from '@rollcall/wire'
import { canonicalHost } from '../address.js'
import { formFault } from '../admission/host.js'
import type { HostRemoval } from '../commands.js'
import type { Directory } from '../directory/directory.js'
import { registered } from '../directory/nodes.js'
import { isLive } from '../records/state.js'

/** A call that would take at least half and at least this many instances of a service needs confirmation. */
const CONFIRM_MIN = 5

/** What is to be taken out, or why not: an operator froze it, or it is so much that it needs confirming. */
export function planHostRemoval(
  directory: Directory,
  request: HostRemoval,
): readonly ResolvedRef[] | ErrorBody {
  const host = /^\[(.*)\]$/.exec(request.host)?.[1] ?? request.host
  const error = refusal(request.namespace, host)
  if (error !== undefined) return error
  const { refs, heavy } = onHost(directory, { ...request, host })
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

/** What cannot be: nothing is there, and who is told so would look no further. */
function refusal(namespace: string, host: string): ErrorBody | undefined {
  if (namespace !== ALL_NAMESPACES && !NAME_PATTERN.test(namespace))
    return errorBody('invalid_argument', `namespace must be ${ALL_NAMESPACES} or ${NAME_WORDS}`, 'namespace')
  const fault = formFault(host)
  return fault === undefined ? undefined : errorBody('invalid_argument', fault, 'host')
}

/** Everything on the host that was not deregistered, the expired included: they would come back with it. */
function onHost(
  directory: Directory,
  { namespace, host }: HostRemoval,
): { refs: ResolvedRef[]; heavy: string[] } {
  const refs: ResolvedRef[] = []
  const heavy: string[] = []
  const wanted = canonicalHost(host)
  const names = namespace === ALL_NAMESPACES ? [...directory.namespaceNames()] : [namespace]
  for (const name of names) {
    for (const service of directory.servicesOf(name)) {
      let listed = 0
      for (const { record, state } of registered(service)) {
        if (!isLive(record) || canonicalHost(record.content.host) !== wanted) continue
        if (state !== null) listed++
        const { group, id, incarnation } = record
        refs.push({ namespace: name, service: service.service, group, id, incarnation })
      }
      if (listed >= CONFIRM_MIN && listed * 2 >= service.total) heavy.push(`${name}/${service.service}`)
    }
  }
  return { refs, heavy }
}
