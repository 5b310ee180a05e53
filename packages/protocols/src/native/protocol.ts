/** The native protocol of a node: everything under /api/v1. The server owns listeners and hands requests over. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { RegistryError, STREAM_PATH, STREAM_PROTOCOL } from '@rollcall/wire'
import { openApiDocument } from '@rollcall/wire/schemas'
import { toErrorBody, type ErrorAnswer } from '../http/errors.js'
import { writeError } from './errors.js'
import { EventStreams } from '../http/event-stream.js'
import { Exchange, type HttpDeps } from '../http/exchange.js'
import { createGate } from '../http/gate.js'
import { createBatches, createDeclarations, createOperatorCommands } from './handlers/commands.js'
import type { HandlerDeps, Handlers } from './handlers/deps.js'
import { createEvents } from './handlers/log-feed.js'
import { createViewStreams, createWatch } from './handlers/watch-feed.js'
import { createLookups } from './handlers/lookups.js'
import { createReads } from './handlers/reads.js'
import type { StreamSessionDeps } from './handlers/session.js'
import { Waits } from '../http/waits.js'
import { headersOf } from '../http/headers.js'
import { resolveOptions, type NativeOptions } from './options.js'
import { createRouter, type Router } from './router.js'
import { createStreams } from './stream.js'
import { ViewBodies } from '../http/view-bodies.js'

/** Collaborators of the native protocol. */
export type NativeProtocolDeps = Omit<StreamSessionDeps, 'views'>

/** What is open at present. */
export interface NativeStats {
  readonly streams: number
  readonly eventStreams: number
  readonly longPolls: number
  /** Bytes that subscribers have not read yet. */
  readonly unsentBytes: number
  /** Bytes of encoded views kept for lookups. */
  readonly viewCacheBytes: number
}

/** The native protocol of a node. */
export interface NativeProtocol {
  /** Answers any request; `unknown_path` outside /api/v1. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void
  /** Takes the socket of a request for WebSocket. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Asks all stream clients to go elsewhere within `afterMs`. */
  goaway(reason: string, afterMs: number): void
  /** Ends streams, event streams and long polls, refuses what comes after. Idempotent; takes at most `closeMsMax`. */
  close(): Promise<void>
  stats(): NativeStats
}

/** Builds the native protocol. It is open at once and ends with `close`. */
export function createNativeProtocol(deps: NativeProtocolDeps, options: NativeOptions = {}): NativeProtocol {
  const resolved = resolveOptions(options)
  const { clock, logger, meter, registry, node } = deps
  const views = new ViewBodies(clock, resolved.viewCacheBytesMax)
  const waits = new Waits(resolved.longPollsMax)
  const streams = createStreams({ ...deps, views }, resolved)
  const events = createViewStreams(clock, meter, resolved)
  const feeds = new EventStreams(clock, {
    ...resolved,
    streamsMax: resolved.eventLogFeedsMax,
    limit: 'eventLogFeedsMax',
  })
  const gate = createGate(resolved.allowedHosts)
  const router = createRouter(
    createHandlers({ registry, node, clock, options: resolved, views, waits }, events, feeds),
    resolved.limits,
  )
  let closing: Promise<void> | undefined
  const http: HttpDeps = {
    clock,
    logger,
    meter,
    bodyBytesMax: resolved.limits.bodyBytesMax,
    writeError,
    stopping: () => closing !== undefined,
  }

  const handleRequest = (req: IncomingMessage, res: ServerResponse): void => {
    const headers = headersOf(req)
    try {
      if (closing !== undefined) throw new RegistryError('stopping', 'the node is stopping')
      gate.checkHost(headers, req.httpVersion)
      const method = req.method ?? 'GET'
      const { id, handler, parameters } = router.find(method, req.url ?? '/')
      if ((method !== 'GET' && method !== 'HEAD') || id === 'watch' || id === 'listEvents')
        gate.checkOrigin(headers)
      const exchange = new Exchange(http, req, res, headers)
      exchange.guard(() => handler(exchange, parameters))
    } catch (error) {
      new Exchange(http, req, res, headers).fail(error)
    }
  }

  const handleUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const drop = (): void => void socket.destroy()
    socket.on('error', drop)
    try {
      if (closing !== undefined) throw new RegistryError('stopping', 'the node is stopping')
      const headers = headersOf(req)
      gate.checkHost(headers, req.httpVersion)
      gate.checkOrigin(headers)
      checkStream(req, router)
    } catch (error) {
      refuseUpgrade(socket, writeError(toErrorBody(error, logger)))
      return
    }
    streams.accept(req, socket, head)
    socket.off('error', drop)
  }

  return {
    handleRequest,
    handleUpgrade,
    goaway: (reason, afterMs) => streams.goaway(reason, afterMs),
    close() {
      feeds.close()
      closing ??= shutDown(waits, events, () => streams.close())
      return closing
    },
    stats: () => ({
      streams: streams.size,
      eventStreams: events.size,
      longPolls: waits.size,
      unsentBytes: streams.bytes() + events.bytes + feeds.bytes,
      viewCacheBytes: views.bytes,
    }),
  }
}

function createHandlers(deps: HandlerDeps, events: EventStreams, feeds: EventStreams): Handlers {
  let document: string | undefined
  return {
    ...createBatches(deps),
    ...createOperatorCommands(deps),
    ...createLookups(deps),
    ...createDeclarations(deps),
    ...createReads(deps),
    watch: createWatch(deps, events),
    listEvents: createEvents(deps.registry, feeds),
    stream: () => {
      throw new RegistryError(
        'protocol',
        `${STREAM_PATH} speaks WebSocket with subprotocol ${STREAM_PROTOCOL}`,
      )
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

function checkStream(req: IncomingMessage, router: Router): void {
  if (router.find('GET', req.url ?? '/').id !== 'stream')
    throw new RegistryError('unknown_path', `streams are at ${STREAM_PATH}`)
  const protocols = req.headers['sec-websocket-protocol']?.split(',').map((each) => each.trim())
  if (protocols?.includes(STREAM_PROTOCOL) === true) return
  throw new RegistryError('protocol', `the subprotocol ${STREAM_PROTOCOL} must be offered`)
}

/** Answers a WebSocket handshake that is not let in. */
function refuseUpgrade(socket: Duplex, { status, type, body }: ErrorAnswer): void {
  const head = [
    `HTTP/1.1 ${status} Refused`,
    'Connection: close',
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
