/** What a removal by host would take, and why it may not be done. Changes nothing. */
import {
  ALL_NAMESPACES,
  type ErrorBody,
  errorBody,
  formFault,
  NAME_PATTERN,
  NAME_WORDS,
  type ResolvedRef,
} from '@rollcall/wire'
import type { HostRemoval } from '../commands.js'
import type { Directory, ServiceNode } from '../directory/directory.js'
import type { Hosts } from './hosts.js'

export interface HostRemovalDeps {
  readonly directory: Directory
  readonly hosts: Hosts
}

/** A call that would take at least half and at least this many instances of a service needs confirmation. */
const CONFIRM_MIN = 5

/** What is to be taken out, or why not: an operator froze it, or it is so much that it needs confirming. */
export function planHostRemoval(
  deps: HostRemovalDeps,
  request: HostRemoval,
): readonly ResolvedRef[] | ErrorBody {
  const host = /^\[(.*)\]$/.exec(request.host)?.[1] ?? request.host
  const error = refusal(request.namespace, host)
  if (error !== undefined) return error
  const { refs, heavy } = onHost(deps, { ...request, host })
  const frozen = [...new Set(refs.map(({ namespace }) => namespace))].filter((name) =>
    deps.directory.freezes.covers(name),
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

/** What a removal takes, and the services of which it takes at least half. */
function onHost(
  { hosts }: HostRemovalDeps,
  { namespace, host }: HostRemoval,
): { refs: ResolvedRef[]; heavy: string[] } {
  const refs: ResolvedRef[] = []
  const listed = new Map<ServiceNode, number>()
  for (const { record, state, service } of hosts.on(host)) {
    if (namespace !== ALL_NAMESPACES && record.namespace !== namespace) continue
    const { group, id, incarnation } = record
    refs.push({ namespace: record.namespace, service: record.service, group, id, incarnation })
    if (state !== null) listed.set(service, (listed.get(service) ?? 0) + 1)
  }
  const heavy = [...listed].filter(([{ total }, count]) => count >= CONFIRM_MIN && count * 2 >= total)
  return { refs, heavy: heavy.map(([service]) => `${service.namespace}/${service.service}`) }
}
