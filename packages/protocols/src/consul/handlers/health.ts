/** `/v1/health`: instances with their checks, and checks by themselves. */
import { refusal } from '../errors.js'
import { passingOf } from '../reading.js'
import { serviceKey, type ShownService } from '../mapping.js'
import { checkShape, healthShape, OWN_SERVICE, serfHealth } from '../shapes.js'
import {
  answerRead,
  type Call,
  filterOf,
  type ConsulHandlerDeps,
  type HandlerRoutes,
  list,
  readFor,
  scopeOf,
} from './deps.js'
import { allShown, shownOf } from './shown.js'

export function createHealth(deps: ConsulHandlerDeps): HandlerRoutes {
  return {
    '/v1/health/service/*': { GET: (call) => instances(deps, call) },
    '/v1/health/checks/*': { GET: (call) => checksOfService(deps, call) },
    '/v1/health/node/*': { GET: (call) => checksOfNode(deps, call) },
    '/v1/health/state/*': { GET: (call) => checksInState(deps, call) },
  }
}

/** Whether all tags of the query are there, in any case of letters, and no metadata of the node is asked for: it has none. */
export function wantedBy(query: URLSearchParams): (service: ShownService) => boolean {
  const tags = query.getAll('tag').map((tag) => tag.toLowerCase())
  const meta = query.getAll('node-meta').filter((pair) => pair !== '')
  return (service) => {
    if (meta.length > 0) return false
    if (tags.length === 0) return true
    const own = new Set(service.tags.map((tag) => tag.toLowerCase()))
    return tags.every((tag) => own.has(tag))
  }
}

/** The key of the service that a path names; one that no instance can have names none. */
export function serviceOf({ rest }: Call): string | undefined {
  if (rest === '') throw refusal(400, 'Missing service name')
  return serviceKey(rest)
}

function instances(deps: ConsulHandlerDeps, call: Call): void | Promise<void> {
  const key = serviceOf(call)
  const passing = passingOf(call.query)
  const filter = filterOf(call.query, 'health')
  const wanted = wantedBy(call.query)
  const node = deps.node()
  function* entries(): Generator<object | undefined> {
    if (call.rest === OWN_SERVICE.name) yield healthShape(node, OWN_SERVICE)
    if (key === undefined) return
    for (const shown of shownOf(readFor(deps, call), key)) {
      const all = passing && shown?.checks.some(({ status }) => status !== 'passing') === true
      const entry = shown === undefined || all || !wanted(shown) ? undefined : healthShape(node, shown)
      yield entry !== undefined && filter(entry) ? entry : undefined
    }
  }
  return answerRead(deps, call, scopeOf(deps, key ?? ''), () => list(entries()))
}

function checksOfService(deps: ConsulHandlerDeps, call: Call): void | Promise<void> {
  const key = serviceOf(call)
  const filter = filterOf(call.query, 'checks')
  function* checks(): Generator<object | undefined> {
    if (key === undefined) return
    for (const shown of shownOf(readFor(deps, call), key)) yield* rows(deps, shown, filter)
  }
  return answerRead(deps, call, scopeOf(deps, key ?? ''), () => list(checks()))
}

function* rows(
  deps: ConsulHandlerDeps,
  shown: ShownService | undefined,
  passes: (row: unknown) => boolean,
): Generator<object | undefined> {
  if (shown === undefined) {
    yield undefined
    return
  }
  const node = deps.node()
  for (const check of shown.checks) {
    const row = checkShape(node, shown, check)
    yield passes(row) ? row : undefined
  }
}

function checksOfNode(deps: ConsulHandlerDeps, call: Call): void | Promise<void> {
  if (call.rest === '') throw refusal(400, 'Missing node name')
  const filter = filterOf(call.query, 'checks')
  const isOwn = call.rest === deps.node().name
  return answerRead(deps, call, scopeOf(deps), () => list(isOwn ? allChecks(deps, call, filter) : []))
}

const STATES: ReadonlySet<string> = new Set(['any', 'passing', 'warning', 'critical'])

function checksInState(deps: ConsulHandlerDeps, call: Call): void | Promise<void> {
  const { rest: state, query } = call
  if (state === '') throw refusal(400, 'Missing check state')
  const filter = filterOf(query, 'checks')
  const isAsked = (row: unknown): boolean =>
    (state === 'any' || (row as { readonly Status: string }).Status === state) && filter(row)
  const isKnown = STATES.has(state) && query.getAll('node-meta').every((pair) => pair === '')
  return answerRead(deps, call, scopeOf(deps), () => list(isKnown ? allChecks(deps, call, isAsked) : []))
}

function* allChecks(
  deps: ConsulHandlerDeps,
  call: Call,
  passes: (row: unknown) => boolean,
): Generator<object | undefined> {
  const own = serfHealth(deps.node())
  yield passes(own) ? own : undefined
  for (const shown of allShown(readFor(deps, call))) yield* rows(deps, shown, passes)
}
