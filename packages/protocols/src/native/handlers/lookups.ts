/** Lists of services, views, instances and signs over HTTP: conditional, incremental, waiting. */
import type { InstanceKey, RegistryApi, Resume } from '@rollcall/core'
import { EMPTY_SIGN, RegistryError, type View, type ViewName } from '@rollcall/wire'
import { readSigns } from '@rollcall/wire/schemas'
import { DEFAULTS } from '@rollcall/wire'
import type { Exchange } from '../../http/exchange.js'
import { emptyView, type ViewBody } from '../../http/view-bodies.js'
import { toSignItems } from '../mapping.js'
import {
  instanceKeyOf,
  listQueryOf,
  lookupQueryOf,
  passes,
  signOfTag,
  tagOf,
  type Filter,
  type LookupQuery,
} from '../queries.js'
import { readBody, type HandlerDeps, type Handlers } from './deps.js'
import { requireLoaded } from './operations.js'

type Lookups = 'listServices' | 'getService' | 'getInstance' | 'compareSigns'

/** Handlers of the routes that read. */
export function createLookups(deps: HandlerDeps): Handlers<Lookups> {
  const { registry, options, waits } = deps
  const { batchItemsMax } = options.limits
  return {
    getService(exchange, parameters) {
      requireLoaded(registry)
      const tag = signOfTag(exchange.headers.ifNoneMatch)
      const query = lookupQueryOf(parameters, tag)
      const { name, since, waitMs, everyMs } = query
      registry.operators.polled(name, everyMs)
      if (waitMs === undefined) {
        if (!registry.knows(name)) throw unknownService(name)
        answerLookup(deps, exchange, query, tag)
        return undefined
      }
      const sign = since ?? tag ?? EMPTY_SIGN
      return waits.hold(
        exchange,
        () => registry.waitForChange(name, sign, waitMs),
        () => answerLookup(deps, exchange, query, tag),
      )
    },

    listServices(exchange, parameters) {
      requireLoaded(registry)
      const tag = signOfTag(exchange.headers.ifNoneMatch)
      const [query, waitMs] = listQueryOf(parameters, tag)
      const answer = (): void => {
        const { sign, ...page } = registry.services(query)
        if (sign === tag) exchange.unchanged(tagOf(sign))
        else exchange.text(200, JSON.stringify(page), tagOf(sign))
      }
      if (waitMs === undefined || tag === undefined) return answer()
      return waits.hold(exchange, () => registry.waitForServices(query, tag, waitMs), answer)
    },

    getInstance(exchange, parameters) {
      requireLoaded(registry)
      const key = instanceKeyOf(parameters)
      const instance = registry.instance(key)
      if (instance !== undefined) return exchange.json(200, instance)
      throw unknownInstance(registry, key)
    },

    compareSigns(exchange, parameters) {
      readBody(exchange, parameters, (body) => {
        requireLoaded(registry)
        const { value, warnings } = readSigns(body, batchItemsMax)
        const answer = registry.compareSigns(
          toSignItems(value.services, value.namespace ?? DEFAULTS.namespace),
        )
        exchange.json(200, warnings === undefined ? answer : { ...answer, warnings })
      })
    },
  }
}

/** The answer a lookup gets now; a service that is gone (or never was) is the empty view. */
function answerLookup(
  deps: HandlerDeps,
  exchange: Exchange,
  query: LookupQuery,
  tag: string | undefined,
): void {
  const { registry } = deps
  const { name, since, filter } = query
  const sign = registry.sign(name)
  if (tag === sign) return exchange.unchanged(tagOf(sign))
  if (filter !== undefined) return answerFiltered(exchange, registry.view(name) ?? emptyView(name), filter)
  if (since === undefined) return answerView(exchange, deps.views.current(registry, name))
  answerResume(deps, exchange, name, registry.resume(name, since))
}

function answerFiltered(exchange: Exchange, view: View, filter: Filter): void {
  const instances = view.instances.filter((instance) => passes(filter, instance))
  exchange.text(200, JSON.stringify({ ...view, instances }), tagOf(view.sign))
}

function answerView(exchange: Exchange, { sign, body }: ViewBody): void {
  exchange.text(200, body, tagOf(sign))
}

function answerResume(deps: HandlerDeps, exchange: Exchange, name: ViewName, resume: Resume): void {
  if (resume.kind === 'view') return answerView(exchange, deps.views.keep(resume.view))
  const delta =
    resume.kind === 'delta'
      ? resume.delta
      : { ...name, from: resume.sign, to: resume.sign, upserts: [], removes: [] }
  exchange.text(200, JSON.stringify(delta), tagOf(delta.to))
}

/** The error for an instance that is not there: its service may not be either. */
export function unknownInstance(registry: RegistryApi, key: InstanceKey): RegistryError {
  const { namespace, service, group, id } = key
  if (!registry.knows({ namespace, service })) return unknownService({ namespace, service })
  return new RegistryError('unknown_instance', `${service} has no instance ${id} in group ${group}`)
}

/** The error for a service, or a group of it, that nobody registered or declared. */
export function unknownService(name: ViewName): RegistryError {
  const { namespace, service, group } = name
  const what = group === undefined ? service : `group ${group} of ${service}`
  return new RegistryError(
    'unknown_service',
    `nobody registered or declared ${what} in namespace ${namespace}`,
  )
}
