/** `/v1/agent`, as far as it is read: the agent, and what was registered with it. */
import { createHash } from 'node:crypto'
import type { BookEntry } from '../book.js'
import { viaConsul } from '../caller.js'
import { parseDuration } from '../durations.js'
import { refusal } from '../errors.js'
import { serviceKey, type ShownService, toShown } from '../mapping.js'
import { OF_ALL } from '../reading.js'
import { agentServiceShape, aggregateOf, checkShape, memberShape, selfShape } from '../shapes.js'
import { answerInPieces } from '../../http/pieces.js'
import {
  type Call,
  filterOf,
  type ConsulHandlerDeps,
  type HandlerRoutes,
  members,
  requireReady,
  scopeOf,
} from './deps.js'

export function createAgent(deps: ConsulHandlerDeps): HandlerRoutes {
  return {
    '/v1/agent/self': { GET: ({ exchange }) => exchange.json(200, selfShape(deps.node())) },
    '/v1/agent/members': { GET: ({ exchange }) => exchange.json(200, [memberShape(deps.node())]) },
    '/v1/agent/services': { GET: (call) => services(deps, call) },
    '/v1/agent/service/*': { GET: (call) => service(deps, call) },
    '/v1/agent/checks': { GET: (call) => allChecks(deps, call) },
    '/v1/agent/health/service/id/*': { GET: (call) => healthById(deps, call) },
    '/v1/agent/health/service/name/*': { GET: (call) => healthByName(deps, call) },
  }
}

/** An entry as it is shown; undefined while it is hidden. */
function shownOf(
  { registry }: ConsulHandlerDeps,
  { exchange }: Call,
  { key }: BookEntry,
): ShownService | undefined {
  const offer = registry.read(viaConsul(exchange.caller)).offer(key)
  return offer === undefined ? undefined : toShown(offer)
}

function services(deps: ConsulHandlerDeps, call: Call): void {
  requireReady(deps)
  const filter = filterOf(call.query, 'agentServices')
  const node = deps.node()
  function* pairs(): Generator<readonly [string, string] | undefined> {
    for (const entry of deps.checks.book.all()) {
      const shown = shownOf(deps, call, entry)
      const shape = shown === undefined ? undefined : agentServiceShape(node, shown)
      yield shape !== undefined && filter(shape) ? [entry.id, JSON.stringify(shape)] : undefined
    }
  }
  answerInPieces(call.exchange, members(pairs()))
}

function allChecks(deps: ConsulHandlerDeps, call: Call): void {
  requireReady(deps)
  const filter = filterOf(call.query, 'checks')
  const node = deps.node()
  function* pairs(): Generator<readonly [string, string] | undefined> {
    for (const entry of deps.checks.book.all()) {
      const shown = shownOf(deps, call, entry)
      yield undefined
      for (const check of shown?.checks ?? []) {
        const row = checkShape(node, shown as ShownService, check)
        yield filter(row) ? [check.id, JSON.stringify(row)] : undefined
      }
    }
  }
  answerInPieces(call.exchange, members(pairs()))
}

/** One service; with the hash of an earlier answer it waits until that is another one. */
function service(deps: ConsulHandlerDeps, call: Call): void | Promise<void> {
  requireReady(deps)
  const { exchange, rest, query } = call
  const node = deps.node()
  const make = (): { readonly body: string; readonly hash: string } => {
    const entry = deps.checks.book.byId(rest)
    const shown = entry === undefined ? undefined : shownOf(deps, call, entry)
    if (shown === undefined) throw refusal(404, `unknown service ID: ${rest}`)
    const shape = agentServiceShape(node, shown)
    const hash = createHash('sha256').update(JSON.stringify(shape)).digest('hex').slice(0, 16)
    return { body: JSON.stringify({ ...shape, ContentHash: hash }), hash }
  }
  const answer = (): void => {
    const { body, hash } = make()
    exchange.more = [...OF_ALL, 'X-Consul-ContentHash', hash]
    exchange.text(200, body)
  }
  const wait = query.get('wait') ?? ''
  const asked = wait === '' ? 0 : parseDuration(wait)
  if (asked === undefined) throw refusal(400, 'Invalid wait time')
  if (query.get('hash') !== make().hash) return answer()
  const scope = scopeOf(deps, deps.checks.book.byId(rest)?.key.service)
  const waitMs = Math.min(asked <= 0 ? deps.options.waitMs : asked, deps.options.waitMsMax)
  return deps.waits.hold(exchange, () => scope.wait(waitMs), answer)
}

const STATUS_OF = { passing: 200, warning: 429, critical: 503, maintenance: 503 } as const

type Aggregate = keyof typeof STATUS_OF

function healthById(deps: ConsulHandlerDeps, call: Call): void {
  requireReady(deps)
  const entry = deps.checks.book.byId(call.rest)
  const shown = entry === undefined ? undefined : shownOf(deps, call, entry)
  if (shown === undefined) throw refusal(404, `ServiceId ${call.rest} not found`)
  answerHealth(call, aggregateOf(shown), () => healthOf(deps, shown))
}

/** Instances of one name that are looked at: each is a part of one answer. */
const NAMED_MAX = 1_000

function healthByName(deps: ConsulHandlerDeps, call: Call): void {
  requireReady(deps)
  const found: ShownService[] = []
  const name = serviceKey(call.rest)
  // What came by another protocol is not this agent's. Names that differ only in case share a service.
  let looked = 0
  for (const entry of name === undefined ? [] : deps.checks.book.tally(name).entries) {
    if (looked++ === NAMED_MAX) break
    const shown = entry.name === call.rest ? shownOf(deps, call, entry) : undefined
    if (shown !== undefined) found.push(shown)
  }
  if (found.length === 0) throw refusal(404, `ServiceName ${call.rest} Not Found`)
  const worst = (['maintenance', 'critical', 'warning'] as const).find((each) =>
    found.some((shown) => aggregateOf(shown) === each),
  )
  answerHealth(call, worst ?? 'passing', () => found.map((shown) => healthOf(deps, shown)))
}

function healthOf(deps: ConsulHandlerDeps, shown: ShownService): object {
  const node = deps.node()
  return {
    AggregatedStatus: aggregateOf(shown),
    Service: agentServiceShape(node, shown),
    Checks: shown.checks.map((check) => checkShape(node, shown, check)),
  }
}

function answerHealth({ exchange, query }: Call, aggregate: Aggregate, make: () => unknown): void {
  if (query.get('format') === 'text')
    exchange.bytes(STATUS_OF[aggregate], 'text/plain; charset=utf-8', Buffer.from(aggregate))
  else exchange.json(STATUS_OF[aggregate], make())
}
