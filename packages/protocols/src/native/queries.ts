/** Reading of query parameters and conditional headers. Pure; every fault names its parameter. */
import type { EventsQuery, ServicesQuery } from '@rollcall/core'
import {
  DEFAULTS,
  EVENT_KINDS,
  RegistryError,
  STATES,
  type Durability,
  type EventKind,
  type Instance,
  type State,
  type ViewName,
} from '@rollcall/wire'
import { EVENTS_LIMIT, SERVICES_LIMIT } from '@rollcall/wire/schemas'
import type { Query } from '../http/exchange.js'
import { checkName, checkSign, toViewName } from './mapping.js'

function invalid(field: string, message: string): RegistryError {
  return new RegistryError('invalid_argument', `${field} ${message}`, { field })
}

/** A parameter that may be given once. The empty text counts as absent. */
export function one(query: Query, name: string): string | undefined {
  const value = query[name]
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string') throw invalid(name, 'may be given only once')
  return value
}

/** A parameter that must be given, once. */
export function required(query: Query, name: string): string {
  const value = one(query, name)
  if (value === undefined) throw invalid(name, 'is missing')
  return value
}

/** The namespace of a request. */
export function namespaceOf(query: Query): string {
  return one(query, 'namespace') ?? DEFAULTS.namespace
}

/** Nobody is waited for any longer. */
const EVERY_MS_MAX = 600_000

const DURABILITIES: readonly Durability[] = ['memory', 'disk', 'replicated']

/** The durability a write demands. */
export function durabilityOf(query: Query): Durability | undefined {
  const text = one(query, 'durability')
  if (text === undefined) return undefined
  const durability = DURABILITIES.find((each) => each === text)
  if (durability === undefined) throw invalid('durability', `must be one of ${DURABILITIES.join(', ')}`)
  return durability
}

/** Milliseconds of `500ms`, `30s` or a number of seconds. `name` is the parameter they are given in. */
export function parseSpan(text: string, spanMsMax: number, name: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s)?$/.exec(text)
  if (match === null) throw invalid(name, 'must be a time such as 500ms or 30s; a bare number counts seconds')
  const ms = Number(match[1]) * (match[2] === 'ms' ? 1 : 1_000)
  if (ms > spanMsMax) throw invalid(name, `must be at most ${spanMsMax / 1_000}s`)
  return ms
}

/** Which instances of a view a lookup wants to see. */
export interface Filter {
  readonly states: ReadonlySet<State> | undefined
  readonly zone: string | undefined
}

/** A lookup as its query asks for it. */
export interface LookupQuery {
  readonly name: ViewName
  readonly since: string | undefined
  /** Undefined = answer at once. */
  readonly waitMs: number | undefined
  readonly filter: Filter | undefined
  /** How often the caller asks, if it says so. */
  readonly everyMs: number | undefined
}

/** Reads the query of a lookup. `tag` is the sign in If-None-Match, if there is one. */
export function lookupQueryOf(
  service: string,
  query: Query,
  tag: string | undefined,
  waitMsMax: number,
): LookupQuery {
  const group = one(query, 'group')
  const name = toViewName({ service, ...(group === undefined ? {} : { group }) }, namespaceOf(query))
  const since = one(query, 'since')
  if (since !== undefined) checkSign(since, 'since')
  const wait = one(query, 'wait')
  const filter = filterOf(query)
  if (filter !== undefined && (since !== undefined || wait !== undefined)) {
    const field = filter.states === undefined ? 'zone' : 'state'
    throw invalid(field, 'cannot be combined with since or wait: changes are told of whole lists')
  }
  const every = one(query, 'every')
  const everyMs = every === undefined ? undefined : parseSpan(every, EVERY_MS_MAX, 'every')
  return { name, since, waitMs: waitOf(wait, since ?? tag, waitMsMax), filter, everyMs }
}

function waitOf(wait: string | undefined, sign: string | undefined, waitMsMax: number): number | undefined {
  if (wait === undefined) return undefined
  const ms = parseSpan(wait, waitMsMax, 'wait')
  if (sign === undefined)
    throw invalid('wait', 'needs since or If-None-Match: it waits until that sign is no longer true')
  return ms
}

function filterOf(query: Query): Filter | undefined {
  const text = one(query, 'state')
  const zone = one(query, 'zone')
  if (text === undefined && zone === undefined) return undefined
  if (zone !== undefined) checkName(zone, 'zone')
  const states = text?.split(',').map((name) => {
    const state = STATES.find((each) => each === name)
    if (state === undefined)
      throw invalid('state', `must be some of ${STATES.join(', ')}, separated by commas`)
    return state
  })
  return { states: states === undefined ? undefined : new Set(states), zone }
}

/** Whether an instance passes. */
export function passes(filter: Filter, instance: Instance): boolean {
  if (filter.states !== undefined && !filter.states.has(instance.state)) return false
  return filter.zone === undefined || instance.zone === filter.zone
}

/** The query of a list of services, from parameters or from a stream message. */
export function servicesQueryOf(parts: {
  readonly namespace?: string | undefined
  readonly prefix?: string | undefined
  readonly after?: string | undefined
  readonly limit?: number | undefined
}): ServicesQuery {
  const { namespace, prefix, after, limit } = parts
  if (namespace !== undefined) checkName(namespace, 'namespace')
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= SERVICES_LIMIT.max)) {
    throw invalid('limit', `must be an integer from 1 to ${SERVICES_LIMIT.max}`)
  }
  return {
    limit: limit ?? SERVICES_LIMIT.default,
    ...(namespace === undefined ? {} : { namespace }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(after === undefined ? {} : { after }),
  }
}

/** The query of GET /api/v1/services. */
export function listQueryOf(
  query: Query,
  tag: string | undefined,
  waitMsMax: number,
): [ServicesQuery, number | undefined] {
  const services = servicesQueryOf({
    namespace: one(query, 'namespace'),
    prefix: one(query, 'prefix'),
    after: one(query, 'after'),
    limit: integerOf(query, 'limit'),
  })
  return [services, waitOf(one(query, 'wait'), tag, waitMsMax)]
}

/** One page of a list that may be narrowed to a namespace and a service. */
export function pageOf(query: Query): ServicesQuery & { readonly service?: string } {
  const service = one(query, 'service')
  const limit = integerOf(query, 'limit')
  const page = servicesQueryOf({ namespace: one(query, 'namespace'), after: one(query, 'after'), limit })
  return service === undefined ? page : { ...page, service: checkName(service, 'service') }
}

/** A parameter that is a whole number; NaN where it is something else. */
export function integerOf(query: Query, name: string): number | undefined {
  const text = one(query, name)
  if (text === undefined) return undefined
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
}

/** Which events are asked for. */
export function eventsQueryOf(query: Query): EventsQuery {
  const { namespace, service, group, id } = {
    namespace: one(query, 'namespace'),
    service: one(query, 'service'),
    group: one(query, 'group'),
    id: one(query, 'id'),
  }
  const kinds = one(query, 'kind')?.split(',').map(kindOf)
  const after = countOf(query, 'after')
  const limit = integerOf(query, 'limit') ?? EVENTS_LIMIT.default
  if (!(limit >= 1 && limit <= EVENTS_LIMIT.max)) {
    throw invalid('limit', `must be an integer from 1 to ${EVENTS_LIMIT.max}`)
  }
  return {
    limit,
    ...(namespace === undefined ? {} : { namespace }),
    ...(service === undefined ? {} : { service }),
    ...(group === undefined ? {} : { group }),
    ...(id === undefined ? {} : { id }),
    ...(kinds === undefined ? {} : { kinds }),
    ...(after === undefined ? {} : { after }),
  }
}

function kindOf(name: string): EventKind {
  const kind = EVENT_KINDS.find((each) => each === name)
  if (kind === undefined)
    throw invalid('kind', `must be some of ${EVENT_KINDS.join(', ')}, separated by commas`)
  return kind
}

/** A parameter that is a whole number, or an error that names it. */
export function countOf(query: Query, name: string): number | undefined {
  const value = integerOf(query, name)
  if (Number.isNaN(value)) throw invalid(name, 'must be a whole number')
  return value
}

/** The services of an event stream: `NAME` or `NAME:GROUP`, each once. */
export function watchedOf(query: Query, watchesMax: number): readonly ViewName[] {
  const value = query['service']
  const texts = value === undefined ? [] : typeof value === 'string' ? [value] : value
  if (texts.length === 0) throw invalid('service', 'is missing: name at least one service to watch')
  if (texts.length > watchesMax) {
    throw new RegistryError(
      'limit_exceeded',
      `an event stream watches at most ${watchesMax} services; the stream takes more`,
      {
        field: 'service',
        details: { watchesMax },
      },
    )
  }
  const namespace = namespaceOf(query)
  return [...new Set(texts)].map((text) => {
    const colon = text.indexOf(':')
    return colon < 0
      ? toViewName({ service: text }, namespace)
      : toViewName({ service: text.slice(0, colon), group: text.slice(colon + 1) }, namespace)
  })
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
