/** The event log over HTTP: as one answer, or followed as server-sent events. */
import type { Clock, EventsQuery, OperatorApi } from '@rollcall/core'
import { RegistryError, type EventsResponse } from '@rollcall/wire'
import { bodyChunk } from '../codec.js'
import type { Exchange } from '../http.js'
import type { ResolvedOptions } from '../options.js'
import { createOutlet, type Outlet } from '../outlet.js'
import { eventsQueryOf, one } from '../queries.js'
import type { Handler } from './deps.js'

/** All who follow the event log. */
export interface EventLogFeeds {
  readonly open: Handler
  readonly size: number
  /** Unsent bytes of all readers. */
  bytes(): number
  /** Ends all of them. */
  close(): void
}

export interface EventLogDeps {
  readonly registry: { readonly operators: Pick<OperatorApi, 'events' | 'follow'> }
  readonly clock: Clock
}

const COMMENT = bodyChunk(': still here\n\n')
const HEAD = bodyChunk('retry: 1000\n\n')
/** Events written at a time. A reader holds its place in the log, so a slow one holds no memory for what is to come. */
const PAGE = 100

interface Feed {
  readonly outlet: Outlet
  end(): void
}

/** Builds the handler of GET /api/v1/events. */
export function createEventLogFeeds(deps: EventLogDeps, options: ResolvedOptions): EventLogFeeds {
  const feeds = new Set<Feed>()
  return {
    open(exchange) {
      const query = eventsQueryOf(exchange.query)
      if (!follows(exchange)) return exchange.json(200, deps.registry.operators.events(query))
      const { eventLogFeedsMax } = options
      if (exchange.req.httpVersion === '1.0' || exchange.res.socket === null) {
        throw new RegistryError('protocol', 'following needs HTTP/1.1 and a connection of its own')
      }
      if (feeds.size >= eventLogFeedsMax) {
        throw new RegistryError('limit_exceeded', 'as many follow the event log as may', {
          details: { eventLogFeedsMax },
        })
      }
      const feed = openFeed(deps, options, exchange, query, () => feeds.delete(feed))
      feeds.add(feed)
    },
    get size() {
      return feeds.size
    },
    bytes() {
      let bytes = 0
      for (const { outlet } of feeds) bytes += outlet.bytes
      return bytes
    },
    close() {
      for (const feed of feeds) feed.end()
    },
  }
}

function follows({ headers, query, req }: Exchange): boolean {
  if (req.method !== 'GET') return false
  const follow = one(query, 'follow')
  if (follow !== undefined && follow !== 'true' && follow !== 'false') {
    throw new RegistryError('invalid_argument', 'follow must be true or false', { field: 'follow' })
  }
  return follow === 'true' || headers.accept?.toLowerCase().includes('text/event-stream') === true
}

function openFeed(
  deps: EventLogDeps,
  options: ResolvedOptions,
  exchange: Exchange,
  query: EventsQuery,
  ended: () => void,
): Feed {
  const { clock } = deps
  const { operators } = deps.registry
  const { res } = exchange
  const socket = res.socket
  if (socket === null) throw new Error('checked before')
  exchange.opened(200)
  res.writeHead(200, [
    'Content-Type', 'text/event-stream; charset=utf-8',
    'Cache-Control', 'no-store',
    'Transfer-Encoding', 'chunked',
    'X-Accel-Buffering', 'no',
  ]) // prettier-ignore
  res.flushHeaders()

  let after = startOf(operators, query, exchange.headers.lastEventId)
  const pump = (): void => {
    for (;;) {
      if (outlet.stalled) return
      const page = operators.events({ ...query, after, limit: PAGE })
      const idle = page.next === after
      after = page.next
      for (const chunk of chunksOf(page)) outlet.write(chunk)
      if (idle || page.events.length < PAGE) return
    }
  }
  const outlet = createOutlet(socket, clock, options, {
    stalled: () => {},
    drained: pump,
    expired: () => socket.destroy(),
  })
  let cancelComment = (): void => {}
  const comment = (): void => {
    if (!outlet.stalled) outlet.write(COMMENT)
    cancelComment = clock.setTimer(options.commentMs, comment)
  }
  const unfollow = operators.follow(pump)
  res.once('close', () => {
    cancelComment()
    unfollow()
    outlet.close()
    ended()
  })
  outlet.write(HEAD)
  pump()
  cancelComment = clock.setTimer(options.commentMs, comment)
  const end = (): void => {
    if (outlet.stalled) socket.destroy()
    else res.end()
  }
  return { outlet, end }
}

/** Where a reader begins: behind what it has seen of this node, at `after`, or with what is still to come. */
function startOf(
  operators: EventLogDeps['registry']['operators'],
  query: EventsQuery,
  lastEventId?: string,
): number {
  const newest = operators.events({ limit: 1 })
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
