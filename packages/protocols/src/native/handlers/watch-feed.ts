/** Server-sent events: one subscription per request, each publication encoded once for all readers. */
import type { Caller, Clock, Meter, Registry, Subscription, Update } from '@rollcall/core'
import type { ViewName } from '@rollcall/wire'
import type { ParametersOf } from '@rollcall/wire/schemas'
import { EventStreams, type EventFeed } from '../../http/event-stream.js'
import { InOrder, type Later, whenMade } from '../../http/in-order.js'
import type { Outlet } from '../../http/outlet.js'
import type { Unsent } from '../../http/unsent.js'
import {
  eventEndChunk,
  type LongViews,
  openEventChunk,
  parseEventId,
  signAfter,
  soleEventChunk,
  viewOf,
} from '../codec.js'
import { viewKey } from '../../http/view-bodies.js'
import type { ResolvedOptions } from '../options.js'
import { watchedOf } from '../queries.js'
import { requireLoaded } from '../../http/loaded.js'
import type { Handler, HandlerDeps } from './deps.js'

/** The event streams of views. */
export function createViewStreams(
  deps: { readonly clock: Clock; readonly unsent: Unsent; readonly meter: Meter },
  options: ResolvedOptions,
): EventStreams {
  const { eventStreamsMax } = options
  return new EventStreams(
    deps,
    { ...options, streamsMax: eventStreamsMax, limit: 'eventStreamsMax' },
    (size) => deps.meter.set('rollcall_sse_subscribers', size),
  )
}

/** Builds the handler of GET /api/v1/watch. */
export function createWatch(
  { registry, node, meter, options, views: lists }: HandlerDeps,
  streams: EventStreams,
): Handler<ParametersOf<'watch'>> {
  return (exchange, parameters) => {
    requireLoaded(node)
    const views = watchedOf(parameters, options.eventWatchesMax, meter)
    const signs = parseEventId(exchange.headers.lastEventId, views.length)
    const failed = (): void => void exchange.res.destroy()
    streams.open(exchange, (outlet) =>
      feedOf({ registry, lists, caller: exchange.caller, outlet, failed }, views, signs),
    )
  }
}

interface FeedDeps {
  readonly registry: Registry
  readonly lists: LongViews
  readonly caller: Caller
  readonly outlet: Outlet
  /** A publication could not be made: ends the connection, and the client comes back. */
  readonly failed: () => void
}

function feedOf(
  { registry, lists, caller, outlet, failed }: FeedDeps,
  views: readonly ViewName[],
  seen: readonly (string | undefined)[],
): EventFeed {
  const signs = [...seen]
  const places = new Map(views.map((name, place) => [viewKey(name), place]))
  const relieved = (): void => {
    if (!order.full && !outlet.stalled) subscription.drained()
  }
  const order = new InOrder({ full: () => subscription.stalled(), empty: relieved, failed })
  const send = (update: Update): Later<void> => {
    const place = places.get(viewKey(viewOf(update)))
    if (place !== undefined) signs[place] = signAfter(update)
    // Readers say nothing: what was handed to the network counts as applied.
    const sent = (): void => subscription.ack(update.seq)
    return views.length === 1
      ? whenMade(soleEventChunk(update, lists), (parts) => outlet.writeAll(parts, sent))
      : whenMade(openEventChunk(update, lists), (parts) =>
          outlet.writeAll([...parts, eventEndChunk(signs)], sent),
        )
  }
  const subscription: Subscription = registry.subscribe(
    { deliver: (update) => order.send(() => send(update)) },
    caller,
  )
  return {
    start: () => subscription.watch(views.map((name, place) => withSign(name, signs[place]))),
    stalled: () => subscription.stalled(),
    drained: relieved,
    ended: () => {
      order.close()
      subscription.close()
    },
  }
}

function withSign(name: ViewName, sign: string | undefined): ViewName & { readonly sign?: string } {
  return sign === undefined ? name : { ...name, sign }
}
