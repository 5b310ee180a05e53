/** Server-sent events: one subscription per request, each publication encoded once for all readers. */
import type { Clock, RegistryApi, Meter, Subscription, Update } from '@rollcall/core'
import { RegistryError, type ViewName } from '@rollcall/wire'
import {
  eventEndChunk,
  openEventChunk,
  bodyChunk,
  parseEventId,
  signAfter,
  soleEventChunk,
  viewOf,
} from '../codec.js'
import type { Exchange } from '../http.js'
import { viewKey } from '../mapping.js'
import type { ResolvedOptions } from '../options.js'
import { createOutlet, type Outlet } from '../outlet.js'
import { watchedOf } from '../queries.js'
import type { Handler } from './deps.js'
import { requireLoaded } from './operations.js'

/** All event streams of a node. */
export interface EventStreams {
  readonly open: Handler
  readonly size: number
  /** Unsent bytes of all readers. */
  bytes(): number
  /** Ends all of them; readers come back by themselves, here or elsewhere. */
  close(): void
}

export interface EventStreamsDeps {
  readonly registry: RegistryApi
  readonly clock: Clock
  readonly meter: Meter
}

const COMMENT = bodyChunk(': still here\n\n')
/** EventSource waits this long before it comes back. */
const HEAD = bodyChunk('retry: 1000\n\n')

interface Reader {
  readonly outlet: Outlet
  end(): void
}

/** Builds the handler of GET /api/v1/watch. */
export function createEventStreams(deps: EventStreamsDeps, options: ResolvedOptions): EventStreams {
  const readers = new Set<Reader>()
  const count = (): void => deps.meter.set('rollcall_sse_subscribers', readers.size)
  return {
    open(exchange) {
      requireLoaded(deps.registry)
      const views = watchedOf(exchange.query, options.eventWatchesMax)
      check(exchange, readers.size, options.eventStreamsMax)
      const reader = openReader(deps, options, exchange, views, () => {
        readers.delete(reader)
        count()
      })
      readers.add(reader)
      count()
    },
    get size() {
      return readers.size
    },
    bytes() {
      let bytes = 0
      for (const reader of readers) bytes += reader.outlet.bytes
      return bytes
    },
    close() {
      for (const reader of readers) reader.end()
    },
  }
}

function check({ req, res }: Exchange, size: number, eventStreamsMax: number): void {
  if (req.httpVersion === '1.0') throw new RegistryError('protocol', 'an event stream needs HTTP/1.1')
  // Pipelined behind an answer that is not finished: the connection is not ours to write to.
  if (res.socket === null)
    throw new RegistryError('protocol', 'open an event stream on a connection of its own')
  if (size < eventStreamsMax) return
  throw new RegistryError('limit_exceeded', 'the node has as many event streams as it may', {
    details: { eventStreamsMax },
  })
}

function openReader(
  deps: EventStreamsDeps,
  options: ResolvedOptions,
  exchange: Exchange,
  views: readonly ViewName[],
  ended: () => void,
): Reader {
  const { clock, registry } = deps
  const { res } = exchange
  const socket = res.socket
  if (socket === null) throw new Error('checked before')
  const signs = [...parseEventId(exchange.headers.lastEventId, views.length)]
  const places = new Map(views.map((name, place) => [viewKey(name), place]))
  let cancelComment = (): void => {}

  exchange.opened(200)
  res.writeHead(200, [
    'Content-Type', 'text/event-stream; charset=utf-8',
    'Cache-Control', 'no-store',
    'Transfer-Encoding', 'chunked',
    'X-Accel-Buffering', 'no',
  ]) // prettier-ignore
  res.flushHeaders()

  const deliver = (update: Update): void => {
    const place = places.get(viewKey(viewOf(update)))
    if (place !== undefined) signs[place] = signAfter(update)
    // Readers say nothing: what was handed to the network counts as applied.
    const sent = (): void => subscription.ack(update.seq)
    if (views.length === 1) outlet.write(soleEventChunk(update), sent)
    else outlet.writePair(openEventChunk(update), eventEndChunk(signs), sent)
  }
  const subscription: Subscription = registry.subscribe({ deliver })
  const outlet = createOutlet(socket, clock, options, {
    stalled: () => subscription.stalled(),
    drained: () => subscription.drained(),
    expired: () => socket.destroy(),
  })
  const finish = (): void => {
    cancelComment()
    outlet.close()
    subscription.close()
    ended()
  }
  const comment = (): void => {
    // A comment on top of a full buffer tells nobody anything.
    if (!outlet.stalled) outlet.write(COMMENT)
    cancelComment = clock.setTimer(options.commentMs, comment)
  }
  res.once('close', finish)
  outlet.write(HEAD)
  try {
    subscription.watch(views.map((name, place) => withSign(name, signs[place])))
  } catch (error) {
    // The head is out already; the reader comes back and asks again.
    socket.destroy()
    throw error
  }
  cancelComment = clock.setTimer(options.commentMs, comment)
  const end = (): void => {
    if (outlet.stalled) socket.destroy()
    else res.end()
  }
  return { outlet, end }
}

function withSign(name: ViewName, sign: string | undefined): ViewName & { readonly sign?: string } {
  return sign === undefined ? name : { ...name, sign }
}
