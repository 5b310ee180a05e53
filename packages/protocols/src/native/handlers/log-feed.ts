/** The event log over HTTP: as one answer, or followed as server-sent events. */
import type { Caller, Elsewhere, EventsQuery, Queries, Registry } from '@rollcall/core'
import { DEFAULTS, type EventsResponse, RegistryError } from '@rollcall/wire'
import { EVENTS_LIMIT, type ParametersOf } from '@rollcall/wire/schemas'
import { bodyChunk, type EventFeed, type EventStreams } from '../../http/event-stream.js'
import type { Exchange } from '../../http/exchange.js'
import type { Outlet } from '../../http/outlet.js'
import { eventsQueryOf } from '../queries.js'
import type { Handler, HandlerDeps } from './deps.js'

/** Events written at a time. A reader holds its place in the log, so a slow one holds no memory for what is to come. */
const PAGE = 100

/** Builds the handler of GET /api/v1/events. */
export function createEvents(
  { registry, clock, node }: Pick<HandlerDeps, 'registry' | 'clock' | 'node'>,
  streams: EventStreams,
): Handler<ParametersOf<'listEvents'>> {
  return (exchange, parameters) => {
    const query = eventsQueryOf(parameters, clock.wallNow())
    const { caller } = exchange
    const read = registry.read(caller)
    if (parameters.nodes === 'all')
      return eventsOfAll(exchange, node.elsewhere, query, read, parameters.follow)
    if (!follows(exchange, parameters.follow)) return exchange.json(200, read.events(query))
    const after = startOf(read, query, exchange.headers.lastEventId)
    streams.open(exchange, (outlet) => feedOf(registry, caller, outlet, query, after))
  }
}

/** Each node counts its own events: those of all can be asked for, but neither followed nor read on from a number. */
function eventsOfAll(
  exchange: Exchange,
  elsewhere: Elsewhere | undefined,
  { namespace = DEFAULTS.namespace, service, after, limit = EVENTS_LIMIT.default, ...rest }: EventsQuery,
  read: Queries,
  follow: boolean | undefined,
): void | Promise<void> {
  const fault = (field: string, message: string): RegistryError =>
    new RegistryError('invalid_argument', `${field} ${message}`, { field })
  if (service === undefined) throw fault('service', 'must be named with nodes=all')
  if (after !== undefined || follows(exchange, follow))
    throw fault('nodes', 'cannot be combined with after or follow')
  const query = { namespace, service, limit, ...rest }
  const own = read.events(query)
  if (elsewhere === undefined) return exchange.json(200, own)
  return elsewhere.events(query, own).then((all) => exchange.json(200, all))
}

function follows({ headers, req }: Exchange, follow = false): boolean {
  if (req.method !== 'GET') return false
  return follow || headers.accept?.toLowerCase().includes('text/event-stream') === true
}

function feedOf(
  registry: Registry,
  caller: Caller,
  outlet: Outlet,
  query: EventsQuery,
  start: number,
): EventFeed {
  const read = registry.read(caller)
  let after = start
  let unfollow = (): void => {}
  const pump = (): void => {
    for (;;) {
      if (outlet.stalled) return
      const page = read.events({ ...query, after, limit: PAGE })
      const idle = page.next === after
      after = page.next
      for (const chunk of chunksOf(page)) outlet.write(chunk)
      if (idle || page.events.length < PAGE) return
    }
  }
  return {
    start() {
      unfollow = registry.follow(pump, caller)
      pump()
    },
    stalled() {},
    drained: pump,
    ended: () => unfollow(),
  }
}

/** Where a reader begins: behind what it has seen of this node, at `after`, or with what is still to come. */
function startOf(read: Queries, query: EventsQuery, lastEventId?: string): number {
  const newest = read.events({ limit: 1 })
  const match = /^(.+):(\d{1,15})$/.exec(lastEventId ?? '')
  if (match !== null) return match[1] === newest.node ? Number(match[2]) : 0
  return query.after ?? newest.next
}

function* chunksOf({ node, events, lost }: EventsResponse): IterableIterator<Buffer> {
  if (lost !== undefined) yield bodyChunk(`event: lost\ndata: ${JSON.stringify({ node, lost })}\n\n`)
  for (const event of events) {
    yield bodyChunk(`id: ${node}:${event.seq}\ndata: ${JSON.stringify(event)}\n\n`)
  }
}
