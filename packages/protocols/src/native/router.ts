/** From method and path to handler, by the route table of wire: document and router cannot disagree. */
import { RegistryError } from '@rollcall/wire'
import { ROUTES, type OperationId } from '@rollcall/wire/schemas'
import findMyWay, { type HTTPMethod } from 'find-my-way'
import type { Query } from '../http/exchange.js'
import type { Handler } from './handlers/deps.js'

/** A handler for every operation of the route table. */
export type Handlers = Readonly<Record<OperationId, Handler>>

/** What a path leads to. */
export interface Destination {
  readonly id: OperationId
  readonly handler: Handler
  readonly params: Readonly<Record<string, string | undefined>>
  readonly query: Query
}

export interface Router {
  /** Throws `unknown_path` or `method_not_allowed`; the latter with `details.allow`. */
  find(method: string, url: string): Destination
}

/** Destinations that are remembered: callers ask for the same few again and again. Past it all are forgotten. */
const REMEMBERED_MAX = 4_096
const URL_CHARS_MAX = 256

/** Streams have no HEAD: there would be nothing to end the answer. */
const WITHOUT_HEAD: ReadonlySet<OperationId> = new Set(['watch', 'stream'])

/** Builds the router. */
export function createRouter(handlers: Handlers): Router {
  const trie = findMyWay({ maxParamLength: 1_024, onBadUrl: () => {} })
  const noop = (): void => {}
  const methods = new Set<HTTPMethod>()
  for (const { id, method, path } of ROUTES) {
    const all: HTTPMethod[] = method === 'GET' && !WITHOUT_HEAD.has(id) ? ['GET', 'HEAD'] : [method]
    for (const each of all) methods.add(each)
    trie.on(all, path.replaceAll(/\{(\w+)\}/g, ':$1'), noop, { id, handler: handlers[id] })
  }
  const remembered = new Map<string, Map<string, Destination>>([...methods].map((each) => [each, new Map()]))
  const look = (method: string, url: string): Destination | undefined => {
    const found = trie.find(method as HTTPMethod, url)
    // `/services/` is no service without a name.
    if (found === null || !isStore(found.store) || Object.values(found.params).includes('')) return undefined
    const { id, handler } = found.store
    return { id, handler, params: found.params, query: found.searchParams }
  }
  return {
    find(method, url) {
      const known = remembered.get(method)
      const hit = known?.get(url)
      if (hit !== undefined) return hit
      const found = look(method, url)
      if (found !== undefined) {
        if (known !== undefined && url.length <= URL_CHARS_MAX) {
          if (known.size >= REMEMBERED_MAX) known.clear()
          known.set(url, found)
        }
        return found
      }
      const allow = [...methods].filter((each) => look(each, url) !== undefined)
      if (allow.length === 0) throw new RegistryError('unknown_path', 'there is nothing at this path')
      throw new RegistryError('method_not_allowed', `${method} is not possible here`, { details: { allow } })
    },
  }
}

function isStore(store: unknown): store is { readonly id: OperationId; readonly handler: Handler } {
  return typeof store === 'object' && store !== null && 'handler' in store
}
