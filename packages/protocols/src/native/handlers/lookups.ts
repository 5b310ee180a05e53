/** Lists of services, views, instances and signs over HTTP: conditional, incremental, waiting. */
import type { Queries } from '@rollcall/core'
import { EMPTY_SIGN } from '@rollcall/wire'
import type { Exchange } from '../../http/exchange.js'
import type { ViewBody } from '../../http/view-bodies.js'
import { listQueryOf, lookupQueryOf, signOfTag, tagOf, type LookupQuery } from '../queries.js'
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
        if (!read.knows(name)) throw unknownService(read, name)
        return answerLookup(deps, read, exchange, query, tag)
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
  { views }: HandlerDeps,
  read: Queries,
  exchange: Exchange,
  { name, since, filter }: LookupQuery,
  tag: string | undefined,
): void | Promise<void> {
  const sign = read.sign(name)
  if (tag === sign) return exchange.unchanged(tagOf(sign))
  const body = since === undefined ? views.current(read, name, filter) : views.since(read, name, since)
  const answer = (made: ViewBody): void => exchange.text(200, made.body, tagOf(made.sign))
  return body instanceof Promise ? body.then(answer) : answer(body)
}
