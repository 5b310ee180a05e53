/**
 * From method and URL to handler and parameters, by the route table of wire: what the document says of a path or of a
 * parameter is what is found and read here.
 */
import { RegistryError, type Limits } from '@rollcall/wire'
import { readParameters, ROUTES, type OperationId, type Route } from '@rollcall/wire/schemas'
import findMyWay, { type HTTPMethod } from 'find-my-way'
import type { Handler, Handlers } from './handlers/deps.js'

/** What a URL leads to. */
export interface Destination {
  readonly id: OperationId
  readonly handler: Handler
  /** The values of the parameters that the operation declares, as its handler takes them. */
  readonly parameters: Readonly<Record<string, unknown>>
}

export interface Router {
  /**
   * Throws `unknown_path`, `method_not_allowed` with `details.allow`, or `invalid_argument` for a parameter.
   */
  find(method: string, url: string): Destination
}

/** Destinations that are remembered: callers ask for the same few again and again. Past it all are forgotten. */
const REMEMBERED_MAX = 4_096
const URL_CHARS_MAX = 256

/** Streams have no HEAD: there would be nothing to end the answer. */
const WITHOUT_HEAD: ReadonlySet<OperationId> = new Set(['watch', 'stream'])

/** What the trie keeps for a path. */
interface Place {
  readonly route: Route
  readonly handler: Handler
}

/** A place, and the parts of the URL that led there. */
interface Found extends Place {
  readonly path: Readonly<Record<string, string | undefined>>
  readonly query: Readonly<Record<string, string | readonly string[]>>
}

/** Builds the router of a node with these limits. */
export function createRouter(handlers: Handlers, limits: Limits): Router {
  const trie = findMyWay({ maxParamLength: 1_024, onBadUrl: () => {} })
  const noop = (): void => {}
  const methods = new Set<HTTPMethod>()
  for (const route of ROUTES) {
    const { id, method, path } = route
    const all: HTTPMethod[] = method === 'GET' && !WITHOUT_HEAD.has(id) ? ['GET', 'HEAD'] : [method]
    for (const each of all) methods.add(each)
    const place: Place = { route, handler: handlers[id] as Handler }
    trie.on(all, path.replaceAll(/\{(\w+)\}/g, ':$1'), noop, place)
  }
  const remembered = new Map<string, Map<string, Destination>>([...methods].map((each) => [each, new Map()]))
  const look = (method: string, url: string): Found | undefined => {
    const found = trie.find(method as HTTPMethod, url)
    // `/services/` is no service without a name.
    if (found === null || !isPlace(found.store) || Object.values(found.params).includes('')) return undefined
    return { ...found.store, path: found.params, query: found.searchParams }
  }
  return {
    find(method, url) {
      const known = remembered.get(method)
      const hit = known?.get(url)
      if (hit !== undefined) return hit
      const found = look(method, url)
      if (found === undefined)
        throw astray(
          [...methods].filter((each) => look(each, url) !== undefined),
          method,
        )
      const { route, handler, path, query } = found
      const parameters = readParameters(route.parameters, path, query, limits)
      const destination = { id: route.id, handler, parameters }
      if (known !== undefined && url.length <= URL_CHARS_MAX) {
        if (known.size >= REMEMBERED_MAX) known.clear()
        known.set(url, destination)
      }
      return destination
    },
  }
}

/** The error for a URL that leads nowhere, or not with this method. */
function astray(allow: readonly string[], method: string): RegistryError {
  if (allow.length === 0)
    return new RegistryError('unknown_path', 'there is nothing at this path; GET /api says what there is')
  return new RegistryError('method_not_allowed', `${method} is not possible here`, { details: { allow } })
}

function isPlace(store: unknown): store is Place {
  return typeof store === 'object' && store !== null && 'route' in store
}
