/**
 * From method and URL to handler and parameters, by the route table of wire: what the document says of a path or of a
 * parameter is what is found and read here.
 */
import { RegistryError, type Limits } from '@rollcall/wire'
import { readParameters, ROUTES, type OperationId, type Route } from '@rollcall/wire/schemas'
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

interface Place {
  readonly route: Route
  readonly handler: Handler
}

/** A path of the table, and what each method does there. */
interface Way {
  /** Its parts between slashes; `{name}` stands for any that is not empty. */
  readonly segments: readonly string[]
  readonly places: Map<string, Place>
}

/** Builds the router of a node with these limits. */
export function createRouter(handlers: Handlers, limits: Limits): Router {
  const ways = waysOf(handlers)
  const methods = new Set(ways.flatMap(({ places }) => [...places.keys()]))
  const remembered = new Map<string, Map<string, Destination>>([...methods].map((each) => [each, new Map()]))
  return {
    find(method, url) {
      const known = remembered.get(method)
      const hit = known?.get(url)
      if (hit !== undefined) return hit
      const { way, values } = wayAt(ways, url)
      const place = way.places.get(method)
      if (place === undefined) throw notPossible(method, [...way.places.keys()])
      const { route, handler } = place
      const parameters = readParameters(route.parameters, values, queryOf(url), limits)
      const destination = { id: route.id, handler, parameters }
      if (known !== undefined && url.length <= URL_CHARS_MAX) {
        if (known.size >= REMEMBERED_MAX) known.clear()
        known.set(url, destination)
      }
      return destination
    },
  }
}

function waysOf(handlers: Handlers): readonly Way[] {
  const ways = new Map<string, Way>()
  for (const route of ROUTES) {
    const { id, method, path } = route
    const way = ways.get(path) ?? { segments: path.split('/'), places: new Map<string, Place>() }
    ways.set(path, way)
    const place: Place = { route, handler: handlers[id] as Handler }
    way.places.set(method, place)
    if (method === 'GET' && !WITHOUT_HEAD.has(id)) way.places.set('HEAD', place)
  }
  return [...ways.values()]
}

/** The way that a URL goes, and the values of what its path leaves open. Throws `unknown_path` where it goes none. */
function wayAt(ways: readonly Way[], url: string): { way: Way; values: Readonly<Record<string, string>> } {
  const given = segmentsOf(url)
  for (const way of ways) {
    const values = match(way.segments, given)
    if (values !== undefined) return { way, values }
  }
  throw new RegistryError('unknown_path', 'there is nothing at this path; GET /api says what there is')
}

/** The decoded parts of the path; none that leads anywhere where they cannot be decoded. */
function segmentsOf(url: string): readonly string[] {
  try {
    return url.split(/[?#]/, 1).join().split('/').map(decodeURIComponent)
  } catch {
    return []
  }
}

function match(segments: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  if (segments.length !== given.length) return undefined
  const values: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    const value = given[index] as string
    if (!segment.startsWith('{')) {
      if (segment !== value) return undefined
    } else if (value === '') return undefined
    else values[segment.slice(1, -1)] = value
  }
  return values
}

/** The values of each key, in the order of the query; one alone stands for itself. */
function queryOf(url: string): Readonly<Record<string, string | readonly string[]>> {
  const start = url.indexOf('?')
  if (start < 0) return {}
  const all: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>
  for (const [key, value] of new URLSearchParams(url.slice(start).split('#', 1)[0])) {
    const before = all[key]
    if (before === undefined) all[key] = value
    else if (typeof before === 'string') all[key] = [before, value]
    else before.push(value)
  }
  return all
}

function notPossible(method: string, allow: readonly string[]): RegistryError {
  return new RegistryError('method_not_allowed', `${method} is not possible here`, { details: { allow } })
}
