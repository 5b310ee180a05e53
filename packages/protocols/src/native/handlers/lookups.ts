/** Lists of services, views, instances and signs over HTTP: conditional, incremental, waiting. */
import type { Queries, Resume } from '@rollcall/core'
import { EMPTY_SIGN, type View, type ViewName } from '@rollcall/wire'
import type { Exchange } from '../../http/exchange.js'
import { type ViewBody, viewOf } from '../../http/view-bodies.js'
import {
  listQueryOf,
  lookupQueryOf,
  passes,
  signOfTag,
  tagOf,
  type Filter,
  type LookupQuery,
} from '../queries.js'
import { requireLoaded } from '../../http/loaded.js'
import type { HandlerDeps, Handlers } from './deps.js'
import { unknownService } from './unknown.js'

/** Handlers of the routes that list services and instances. */
export function createLookups(deps: HandlerDeps): Handlers<'listServices' | 'getService'> {
  const { registry, node, waits } = deps
  return {
    getService(exchange, parameters) {
      requireLoaded(node)
      const tag = signOfTag(exchange.headers.ifNoneMatch)
      const query = lookupQueryOf(parameters, tag)
      const { name, since, waitMs, everyMs } = query
      const { caller } = exchange
      const read = registry.read(caller)
      registry.report({ kind: 'polls', name, everyMs }, caller)
      if (waitMs === undefined) {
        if (!read.knows(name)) throw unknownService(name)
        answerLookup(deps, read, exchange, query, tag)
        return undefined
      }
      const sign = since ?? tag ?? EMPTY_SIGN
      return waits.hold(
        exchange,
        () => registry.wait(name, sign, waitMs, caller),
        () => answerLookup(deps, read, exchange, query, tag),
      )
    },

    listServices(exchange, parameters) {
      requireLoaded(node)
      const tag = signOfTag(exchange.headers.ifNoneMatch)
      const [query, waitMs] = listQueryOf(parameters, tag)
      const { caller } = exchange
      const answer = (): void => {
        const read = registry.read(caller)
        if (tag !== undefined && read.servicesSign(query) === tag) return exchange.unchanged(tagOf(tag))
        const { sign, ...page } = read.services(query)
        exchange.text(200, JSON.stringify(page), tagOf(sign))
      }
      if (waitMs === undefined || tag === undefined) return answer()
      return waits.hold(exchange, () => registry.wait(query, tag, waitMs, caller), answer)
    },
  }
}

/** The answer a lookup gets now; a service that is gone (or never was) is the empty view. */
function answerLookup(
  deps: HandlerDeps,
  read: Queries,
  exchange: Exchange,
  query: LookupQuery,
  tag: string | undefined,
): void {
  const { name, since, filter } = query
  const sign = read.sign(name)
  if (tag === sign) return exchange.unchanged(tagOf(sign))
  if (filter !== undefined) return answerFiltered(exchange, viewOf(read, name), filter)
  if (since === undefined) return answerView(exchange, deps.views.current(read, name))
  answerResume(deps, exchange, name, read.resume(name, since))
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
