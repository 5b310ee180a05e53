/** What the parameters of an operation mean together. Pure; every fault names its parameter. */
import {
  type EventsQuery,
  type InstanceKey,
  limitError,
  type Meter,
  type ServicesQuery,
  type ViewFilter,
} from '@rollcall/core'
import { DEFAULTS, defined, type Moment, RegistryError, type ViewName } from '@rollcall/wire'
import { EVENTS_LIMIT, SERVICES_LIMIT, type ParametersOf } from '@rollcall/wire/schemas'
import { checkName } from './mapping.js'

function invalid(field: string, message: string): RegistryError {
  return new RegistryError('invalid_argument', `${field} ${message}`, { field })
}

/** A lookup as its parameters ask for it. */
export interface LookupQuery {
  readonly name: ViewName
  readonly since: string | undefined
  /** Undefined = answer at once. */
  readonly waitMs: number | undefined
  readonly filter: ViewFilter | undefined
  /** How often the caller asks, if it says so. */
  readonly everyMs: number | undefined
}

/** The service or group that parameters name. */
export function viewNameOf(parameters: {
  readonly namespace?: string
  readonly service: string
  readonly group?: string
}): ViewName {
  const { namespace = DEFAULTS.namespace, service, group } = parameters
  return group === undefined ? { namespace, service } : { namespace, service, group }
}

/** The instance that parameters name. */
export function instanceKeyOf(parameters: ParametersOf<'getInstance'>): InstanceKey {
  return { namespace: DEFAULTS.namespace, group: DEFAULTS.group, ...parameters }
}

/** The query of a lookup. `tag` is the sign in If-None-Match, if there is one. */
export function lookupQueryOf(parameters: ParametersOf<'getService'>, tag: string | undefined): LookupQuery {
  const { state, zone, since, wait, every } = parameters
  const filter = state === undefined && zone === undefined ? undefined : { states: state, zone }
  if (filter !== undefined && (since !== undefined || wait !== undefined)) {
    const field = state === undefined ? 'zone' : 'state'
    throw invalid(field, 'cannot be combined with since or wait: changes are told of whole lists')
  }
  checkWait(wait, since ?? tag)
  return { name: viewNameOf(parameters), since, waitMs: wait, filter, everyMs: every }
}

function checkWait(wait: number | undefined, sign: string | undefined): void {
  if (wait === undefined || sign !== undefined) return
  throw invalid('wait', 'needs since or If-None-Match: it waits until that sign is no longer true')
}

/** The query of a list of services, from a stream message. */
export function servicesQueryOf(parts: {
  readonly namespace?: string
  readonly prefix?: string
  readonly after?: string
  readonly limit?: number
}): ServicesQuery {
  const { namespace, limit } = parts
  if (namespace !== undefined) checkName(namespace, 'namespace')
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= SERVICES_LIMIT.max)) {
    throw invalid('limit', `must be an integer from 1 to ${SERVICES_LIMIT.max}`)
  }
  return { ...parts, limit: limit ?? SERVICES_LIMIT.default }
}

/** The query of a page of services, and how long it waits. */
export function listQueryOf(
  { wait, ...page }: ParametersOf<'listServices'>,
  tag: string | undefined,
): [ServicesQuery, number | undefined] {
  checkWait(wait, tag)
  return [{ limit: SERVICES_LIMIT.default, ...page }, wait]
}

/** Which events are asked for, at a time of the node's wall clock. */
export function eventsQueryOf(parameters: ParametersOf<'listEvents'>, wallNow: number): EventsQuery {
  const { namespace, service, group, id, kind: kinds, after, limit = EVENTS_LIMIT.default } = parameters
  const { since, until } = parameters
  const [sinceMs, untilMs] = [since, until].map((moment) => momentMs(moment, wallNow))
  return { limit, ...defined({ namespace, service, group, id, kinds, after, sinceMs, untilMs }) }
}

function momentMs(moment: Moment | undefined, wallNow: number): number | undefined {
  if (moment === undefined) return undefined
  return 'atMs' in moment ? moment.atMs : wallNow - moment.agoMs
}

/** The services of an event stream, each once. Throws `limit_exceeded`, counted, where they are too many. */
export function watchedOf(
  { service: items, namespace = DEFAULTS.namespace }: ParametersOf<'watch'>,
  watchesMax: number,
  meter: Meter,
): readonly ViewName[] {
  if (items.length > watchesMax) {
    throw limitError(meter, {
      quota: 'eventWatchesMax',
      max: watchesMax,
      over: 'subscriber',
      message: `an event stream watches at most ${watchesMax} services; the stream takes more`,
      field: 'service',
    })
  }
  const names = items.map((item) => ({ namespace, ...item }))
  return [...new Map(names.map((name) => [`${name.service}:${name.group ?? ''}`, name])).values()]
}

/** The body with the namespace of the query, where it names none itself. The body becomes this function's. */
export function inNamespace(body: unknown, namespace: string | undefined): unknown {
  if (namespace === undefined || typeof body !== 'object' || body === null || Array.isArray(body)) return body
  const own = (body as { readonly namespace?: unknown }).namespace
  if (own !== undefined && own !== namespace)
    throw invalid('namespace', `is ${namespace} in the query and another one in the body`)
  return Object.assign(body, { namespace })
}

/**
 * The sign in If-None-Match. Tags of other forms and lists of several are ignored, as if they had not been sent:
 * the answer is then complete, which is always right.
 */
export function signOfTag(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  return /^\s*(?:W\/)?"([0-9a-f]{16})"\s*$/.exec(header)?.[1]
}

/** The tag of an answer with this sign. Weak, because ages in the body change without it. */
export function tagOf(sign: string): string {
  return `W/"${sign}"`
}
