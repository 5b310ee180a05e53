/** The native protocol of a node: everything under /api/v1. The server owns listeners and hands requests over. */
import { DEFAULTS, RegistryError, STREAM_PATH, STREAM_PROTOCOL } from '@rollcall/wire'
import { apiIndex, openApiDocument } from '@rollcall/wire/schemas'
import { EventStreams } from '../http/event-stream.js'
import type { HttpBudgets } from '../http/budgets.js'
import { createGate } from '../http/gate.js'
import { Unsent } from '../http/unsent.js'
import { ViewBodies } from '../http/view-bodies.js'
import { Waits } from '../http/waits.js'
import { createEntrances, type Entrances } from './entrances.js'
import { writeError } from './errors.js'
import { createBatches, createDeclarations, createOperatorCommands } from './handlers/commands.js'
import type { HandlerDeps, Handlers, ToldNode } from './handlers/deps.js'
import { createEvents } from './handlers/log-feed.js'
import { createLookups } from './handlers/lookups.js'
import { createReads } from './handlers/reads.js'
import type { StreamSessionDeps } from './handlers/session.js'
import { createStatus, type Connected } from './handlers/status.js'
import { createViewStreams, createWatch } from './handlers/watch-feed.js'
import { resolveOptions, type NativeOptions } from './options.js'
import { createRouter } from './router.js'
import { createStreams } from './stream.js'

/** Collaborators of the native protocol. */
export interface NativeProtocolDeps extends Omit<StreamSessionDeps, 'views' | 'node'> {
  readonly node: ToldNode
  readonly budgets: HttpBudgets
}

/** What is open at present. */
export interface NativeStats {
  readonly streams: number
  readonly eventStreams: number
  readonly longPolls: number
  /** Bytes of encoded views kept for lookups. */
  readonly viewCacheBytes: number
}

/** The native protocol of a node. */
export interface NativeProtocol extends Entrances {
  /** Asks all stream clients to go elsewhere within `afterMs`: evenly to the addresses `to`, where there are any. */
  goaway(reason: string, afterMs: number, to?: readonly string[]): void
  /** What `node.nodes` tells has changed: open sessions are told, some at a turn. Again before all were: they are told the newest. */
  nodesChanged(): void
  /**
   * `count` of the stream clients should be at other nodes: as many are asked to move there, evenly to the addresses `to`, those
   * first that are here for longest, and at most a thousand in 10 s. Those on their way already count, so that it may be called as
   * often as the count is known anew; one that was asked is not asked again for five minutes.
   */
  rebalance(count: number, to: readonly string[]): void
  /** Ends streams, event streams and long polls, refuses what comes after. Idempotent; takes at most `closeMsMax`. */
  close(): Promise<void>
  stats(): NativeStats
}

/** Builds the native protocol. It is open at once and ends with `close`. */
export function createNativeProtocol(deps: NativeProtocolDeps, options: NativeOptions = {}): NativeProtocol {
  const resolved = resolveOptions(options)
  const { clock, logger, meter, registry, node } = deps
  const views = new ViewBodies(clock, resolved.viewCacheBytesMax, meter)
  const waits = new Waits(deps.budgets.waits)
  const unsent = new Unsent(deps.budgets.unsent)
  const streams = createStreams({ ...deps, views, unsent }, resolved)
  const events = createViewStreams({ clock, unsent, meter }, resolved)
  const feeds = new EventStreams(
    { clock, unsent, meter },
    { ...resolved, streamsMax: resolved.eventLogFeedsMax, limit: 'eventLogFeedsMax' },
  )
  const router = createRouter(
    createHandlers({ registry, node, clock, meter, options: resolved, views, waits }, events, feeds, () => ({
      sessions: streams.size,
      eventStreams: events.size,
      longPolls: waits.size,
    })),
    resolved.limits,
  )
  let closing: Promise<void> | undefined
  const entrances = createEntrances({
    clock,
    logger,
    meter,
    refusals: deps.refusals,
    budgets: deps.budgets,
    unsent,
    stalledMsMax: resolved.stalledMsMax,
    bodyBytesMax: resolved.limits.bodyBytesMax,
    writeError,
    stopping: () => closing !== undefined,
    gate: createGate(resolved.allowedHosts),
    router,
    streams,
  })

  return {
    ...entrances,
    goaway: (reason, afterMs, to) => streams.goaway(reason, afterMs, to),
    nodesChanged: () => streams.nodesChanged(),
    rebalance: (count, to) => streams.rebalance(count, to),
    close() {
      feeds.close()
      closing ??= shutDown(waits, events, () => streams.close())
      return closing
    },
    stats: () => ({
      streams: streams.size,
      eventStreams: events.size,
      longPolls: waits.size,
      viewCacheBytes: views.bytes,
    }),
  }
}

function createHandlers(
  deps: HandlerDeps,
  events: EventStreams,
  feeds: EventStreams,
  connected: () => Connected,
): Handlers {
  let document: string | undefined
  return {
    ...createBatches(deps),
    ...createOperatorCommands(deps),
    ...createLookups(deps),
    ...createDeclarations(deps),
    ...createReads(deps),
    ...createStatus(deps, connected),
    watch: createWatch(deps, events),
    listEvents: createEvents(deps, feeds),
    stream: () => {
      throw new RegistryError(
        'protocol',
        `${STREAM_PATH} speaks WebSocket with subprotocol ${STREAM_PROTOCOL}`,
      )
    },
    index: (exchange) => {
      // Behind the gate Host is a name of this node; HTTP/1.0 may leave it out.
      const host = exchange.req.headers.host ?? DEFAULTS.listen
      exchange.text(200, `${JSON.stringify(apiIndex(deps.options.version, `http://${host}`), null, 2)}\n`)
    },
    openapi: (exchange) => {
      const { version, limits } = deps.options
      document ??= JSON.stringify(openApiDocument({ version, limits }))
      exchange.text(200, document)
    },
  }
}

async function shutDown(
  waits: Waits,
  events: EventStreams,
  closeStreams: () => Promise<void>,
): Promise<void> {
  waits.stop()
  events.close()
  await closeStreams()
}
