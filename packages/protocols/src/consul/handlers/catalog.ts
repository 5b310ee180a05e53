/** `/v1/catalog`: what there is, without checks. */
import type { Queries } from '@rollcall/core'
import { readName } from '../../foreign/names.js'
import { refusal } from '../errors.js'
import { catalogShape, nodeShape, OWN_SERVICE, serviceShape } from '../shapes.js'
import {
  answerRead,
  type Call,
  filterOf,
  type ConsulHandlerDeps,
  type HandlerRoutes,
  list,
  members,
  readFor,
  scopeOf,
} from './deps.js'
import { serviceOf, wantedBy } from './health.js'
import { allShown, servicesOf, shownOf } from './shown.js'

export function createCatalog(deps: ConsulHandlerDeps): HandlerRoutes {
  const tags = new TagLists(deps)
  return {
    '/v1/catalog/datacenters': { GET: ({ exchange }) => exchange.json(200, [deps.options.datacenter]) },
    '/v1/catalog/nodes': { GET: (call) => nodes(deps, call) },
    '/v1/catalog/services': { GET: (call) => services(deps, tags, call) },
    '/v1/catalog/service/*': { GET: (call) => instances(deps, call) },
    '/v1/catalog/node/*': { GET: (call) => node(deps, call, false) },
    '/v1/catalog/node-services/*': { GET: (call) => node(deps, call, true) },
  }
}

function nodes(deps: ConsulHandlerDeps, call: Call): void | Promise<void> {
  const filter = filterOf(call.query, 'nodes')
  const { query } = call
  return answerRead(deps, call, scopeOf(deps), () => {
    const own = nodeShape(deps.node())
    const isAsked = query.getAll('node-meta').every((pair) => pair === '') && filter(own)
    return list(isAsked ? [own] : [])
  })
}

function services(deps: ConsulHandlerDeps, tags: TagLists, call: Call): void | Promise<void> {
  const filter = filterOf(call.query, 'services')
  const isAsked = call.query.getAll('node-meta').every((pair) => pair === '')
  function* pairs(): Generator<readonly [string, string] | undefined> {
    if (!isAsked) return
    if (filter({ ServiceName: OWN_SERVICE.name, ServiceTags: [] })) yield [OWN_SERVICE.name, '[]']
    const read = readFor(deps, call)
    for (const key of servicesOf(read)) {
      const found = yield* tags.of(read, key)
      const name = readName(key)
      if (found === undefined || name === OWN_SERVICE.name) continue
      const passes = filter({ ServiceName: name, ServiceTags: found })
      yield passes ? [name, JSON.stringify(found)] : undefined
    }
  }
  return answerRead(deps, call, scopeOf(deps), () => members(pairs()))
}

function instances(deps: ConsulHandlerDeps, call: Call): void | Promise<void> {
  const key = serviceOf(call)
  const filter = filterOf(call.query, 'catalog')
  const wanted = wantedBy(call.query)
  const own = deps.node()
  function* rows(): Generator<object | undefined> {
    if (call.rest === OWN_SERVICE.name) yield catalogShape(own, OWN_SERVICE)
    if (key === undefined) return
    for (const shown of shownOf(readFor(deps, call), key)) {
      const row = shown === undefined || !wanted(shown) ? undefined : catalogShape(own, shown)
      yield row !== undefined && filter(row) ? row : undefined
    }
  }
  return answerRead(deps, call, scopeOf(deps, key ?? ''), () => list(rows()))
}

function node(deps: ConsulHandlerDeps, call: Call, asList: boolean): void | Promise<void> {
  if (call.rest === '') throw refusal(400, 'Missing node name')
  const own = deps.node()
  const isOwn = call.rest === own.name || call.rest === own.id
  return answerRead(deps, call, scopeOf(deps), () => nodePieces(deps, call, isOwn, asList))
}

function* nodePieces(
  deps: ConsulHandlerDeps,
  call: Call,
  isOwn: boolean,
  asList: boolean,
): Generator<string> {
  if (!isOwn) {
    yield asList ? JSON.stringify({ Node: null, Services: [] }) : 'null'
    return
  }
  yield `{"Node":${JSON.stringify(nodeShape(deps.node()))},"Services":`
  const all = allShown(readFor(deps, call))
  if (asList) yield* list(eachOf(all))
  else yield* members(pairsOf(all))
  yield '}'
}

type Shown = ReturnType<typeof allShown>

function* eachOf(all: Shown): Generator<object | undefined> {
  for (const shown of all) yield shown === undefined ? undefined : serviceShape(shown)
}

function* pairsOf(all: Shown): Generator<readonly [string, string] | undefined> {
  for (const shown of all)
    yield shown === undefined ? undefined : [shown.id, JSON.stringify(serviceShape(shown))]
}

/** Lists of tags that are remembered; past it all are made anew. */
const REMEMBERED_MAX = 50_000

/**
 * The tags of each service together. Every client asks for those of all services again and again: they are made once for each
 * change of a service.
 */
class TagLists {
  private readonly deps: ConsulHandlerDeps
  private readonly known = new Map<
    string,
    { readonly index: number; readonly tags: readonly string[] | undefined }
  >()

  constructor(deps: ConsulHandlerDeps) {
    this.deps = deps
  }

  /** Undefined for a service without instances; a step for each instance that has to be looked at. */
  *of(read: Queries, service: string): Generator<undefined, readonly string[] | undefined> {
    const index = this.deps.changes.index(service)
    const before = this.known.get(service)
    if (before?.index === index) return before.tags
    const tags = new Set<string>()
    let count = 0
    for (const shown of shownOf(read, service)) {
      yield undefined
      if (shown === undefined) continue
      count++
      for (const tag of shown.tags) tags.add(tag)
    }
    const found = count === 0 ? undefined : [...tags].sort()
    if (this.known.size >= REMEMBERED_MAX) this.known.clear()
    this.known.set(service, { index, tags: found })
    return found
  }
}
