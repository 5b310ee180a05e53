/** Server-sent events: one subscription per request, each publication encoded once for all readers. */
import type { Caller, Clock, Meter, Registry, Subscription, Update } from '@rollcall/core'
import type { ViewName } from '@rollcall/wire'
import type { ParametersOf } from '@rollcall/wire/schemas'
import { EventStreams, type EventFeed } from '../../http/event-stream.js'
import type { Outlet } from '../../http/outlet.js'
import type { Unsent } from '../../http/unsent.js'
import { eventEndChunk, openEventChunk, parseEventId, signAfter, soleEventChunk, viewOf } from '../codec.js'
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
  { registry, node, options }: HandlerDeps,
  streams: EventStreams,
): Handler<ParametersOf<'watch'>> {
  return (exchange, parameters) => {
    requireLoaded(node)
    const views = watchedOf(parameters, options.eventWatchesMax)
    const signs = parseEventId(exchange.headers.lastEventId, views.length)
    streams.open(exchange, (outlet) => feedOf(registry, exchange.caller, outlet, views, signs))
  }
}

function feedOf(
  registry: Registry,
  caller: Caller,
  outlet: Outlet,
  views: readonly ViewName[],
  seen: readonly (string | undefined)[],
): EventFeed {
  const signs = [...seen]
  const places = new Map(views.map((name, place) => [viewKey(name), place]))
  const deliver = (update: Update): void => {
    const place = places.get(viewKey(viewOf(update)))
    if (place !== undefined) signs[place] = signAfter(update)
    // Readers say nothing: what was handed to the network counts as applied.
    const sent = (): void => subscription.ack(update.seq)
    if (views.length === 1) outlet.write(soleEventChunk(update), sent)
    else outlet.writeAll([openEventChunk(update), eventEndChunk(signs)], sent)
  }
  const subscription: Subscription = registry.subscribe({ deliver }, caller)
  return {
    start: () => subscription.watch(views.map((name, place) => withSign(name, signs[place]))),
    stalled: () => subscription.stalled(),
    drained: () => subscription.drained(),
    ended: () => subscription.close(),
  }
}

function withSign(name: ViewName, sign: string | undefined): ViewName & { readonly sign?: string } {
  return sign === undefined ? name : { ...name, sign }
}
