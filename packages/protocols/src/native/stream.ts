/**
 * The WebSocket shell around stream sessions. `ws` does handshake and parsing; what is written goes straight to
 * the socket as whole frames, so that one encoded publication serves every subscriber.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { limitRefusal, type Meter, type RefusalLog, type Update } from '@rollcall/core'
import {
  CLOSE_CODES,
  isRegistryError,
  STREAM_PROTOCOL,
  type ErrorBody,
  type ServerMessage,
} from '@rollcall/wire'
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws'
import type { HttpBudgets } from '../http/budgets.js'
import { parseJson } from '../http/json.js'
import { InOrder, whenMade } from '../http/in-order.js'
import type { Body } from '../http/view-bodies.js'
import { foundFrame, messageFrame, pongFrame, updateFrame } from './codec.js'
import {
  createStreamSession,
  type StreamSession,
  type StreamSessionDeps,
  type StreamTransport,
} from './handlers/session.js'
import { callerOf } from '../http/caller.js'
import { createMoves, type MovedStream, type Moves } from './moves.js'
import type { ResolvedOptions } from './options.js'
import { createOutlet, type Outlet, type OutletAccount } from '../http/outlet.js'
import type { Unsent } from '../http/unsent.js'

interface StreamsDeps extends StreamSessionDeps {
  readonly unsent: Unsent
  readonly budgets: Pick<HttpBudgets, 'received'>
}

/** All streams of a node. */
export interface Streams extends Moves {
  readonly size: number
  /** Takes over the socket of an upgrade request that was let in. */
  accept(req: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Closes all with 1001; resolves when they are gone, at the latest after `closeMsMax`. */
  close(): Promise<void>
}

/** Messages that wait because their session has enough under way: how many, and how many frames' worth of bytes. */
const INBOX_MESSAGES_MAX = 4_096
const INBOX_FRAMES_MAX = 4

/** WebSocket's code of an end that the other side wants and has no complaint about. */
const CLOSED_IN_ORDER = 1000

/** Answers by whose arrival what they speak of has arrived. */
const AFTER_LISTS: ReadonlySet<ServerMessage['type']> = new Set(['watching', 'signs'])

/** Builds the shell. */
export function createStreams(deps: StreamsDeps, options: ResolvedOptions): Streams {
  const connections = new Set<StreamConnection>()
  const serverOptions: ServerOptions & { readonly closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    // Pongs pass our own bound instead of piling up for a peer that pings and never reads.
    autoPong: false,
    maxPayload: options.limits.frameBytesMax,
    closeTimeout: options.closeMsMax,
    handleProtocols: () => STREAM_PROTOCOL,
    // No context is taken over, so that a compressed frame suits every subscriber.
    perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true },
  }
  const server = new WebSocketServer(serverOptions)
  const count = (): void => deps.meter.set('rollcall_stream_sessions', connections.size)
  const refused = (peer: string | undefined): void => {
    const message = 'the node has as many streams as it may'
    const limit = { quota: 'streamsMax', max: options.streamsMax, over: 'node', message } as const
    deps.refusals.note(limitRefusal(deps.meter, limit), peer)
  }
  let stopped = false
  let gone = (): void => {}

  return {
    get size() {
      return connections.size
    },
    accept(req, socket, head) {
      // Offered among others, it is the one that is taken; `ws` knows it only alone.
      req.headers.upgrade = 'websocket'
      server.handleUpgrade(req, socket, head, (ws) => {
        if (stopped || connections.size >= options.streamsMax) {
          ws.on('error', () => ws.terminate())
          if (!stopped) refused(callerOf(req).peer)
          ws.close(stopped ? 1001 : CLOSE_CODES.limit, stopped ? 'stopping' : 'too many streams')
          return
        }
        const connection = new StreamConnection(deps, options, ws, socket, req)
        connections.add(connection)
        count()
        ws.once('close', () => {
          connections.delete(connection)
          count()
          if (connections.size === 0) gone()
        })
      })
    },
    ...createMoves(deps.clock, connections),
    async close() {
      stopped = true
      if (connections.size === 0) return
      const last = new Promise<void>((resolve) => {
        gone = resolve
      })
      for (const connection of connections) connection.close(1001, 'stopping')
      const cancel = deps.clock.setTimer(options.closeMsMax, () => {
        for (const connection of connections) connection.terminate()
      })
      await last
      cancel()
    },
  }
}

class StreamConnection implements StreamTransport, OutletAccount, MovedStream {
  readonly session: StreamSession
  readonly unsent: Unsent
  readonly peer: string | undefined
  askedAt: number | undefined
  private readonly received: HttpBudgets['received']
  private readonly meter: Meter
  private readonly refusals: RefusalLog
  private readonly options: ResolvedOptions
  private readonly ws: WebSocket
  private readonly outlet: Outlet
  private readonly views: StreamsDeps['views']
  /** Publications, and answers that follow them. */
  private readonly order: InOrder
  private readonly deflate: boolean
  /** Upper bound of unsent bytes that are answers. */
  private answerBytes = 0
  /** Messages that wait until answers were read or requests have ended. */
  private inbox: Buffer[] = []
  private inboxBytes = 0

  constructor(
    deps: StreamsDeps,
    options: ResolvedOptions,
    ws: WebSocket,
    socket: Duplex,
    req: IncomingMessage,
  ) {
    this.options = options
    this.ws = ws
    this.deflate = mayDeflate(ws, req)
    const caller = callerOf(req)
    this.unsent = deps.unsent
    this.received = deps.budgets.received
    this.meter = deps.meter
    this.refusals = deps.refusals
    this.peer = caller.peer
    this.views = deps.views
    this.order = new InOrder({
      full: () => this.session.stalled(),
      empty: () => {
        this.relieved()
        this.resume()
      },
      failed: () => this.terminate(),
    })
    this.session = createStreamSession(deps, options, this, caller)
    this.outlet = createOutlet(socket, deps.clock, options, this, {
      stalled: () => this.session.stalled(),
      drained: () => this.relieved(),
      expired: () => this.terminate(),
    })
    // Each message is one Buffer: binaryType is `nodebuffer`.
    ws.on('message', (data, isBinary) => this.arrived(data as Buffer, isBinary))
    ws.on('ping', (data) => {
      this.session.heard()
      // A client that pings and never reads is not answered without bound.
      if (!this.outlet.stalled) this.outlet.write(pongFrame(data))
    })
    ws.on('pong', () => this.session.heard())
    // ws closes by itself after a broken frame, a frame too large or a reset; `close` follows.
    ws.on('error', (error) => deps.logger.debug({ error: error.message }, 'stream broke'))
    ws.on('close', (code, reason) => {
      this.order.close()
      this.outlet.close()
      this.session.end(code === CLOSED_IN_ORDER ? reason.toString() : undefined)
      this.dropInbox()
    })
  }

  send(message: ServerMessage): void {
    const frame = messageFrame(message)
    // The only long answer that tells of no command.
    if (message.type === 'services') this.unsent.admit(this.peer, frame.length)
    if (AFTER_LISTS.has(message.type)) this.order.send(() => this.answer([frame]))
    else this.answer([frame])
  }

  /** Room again: for what waits to be encoded, and for what waits to be read. */
  private relieved(): void {
    if (!this.order.full && !this.outlet.stalled) this.session.drained()
  }

  sendFound(view: Body, req: number | undefined): void {
    if (typeof view !== 'string') this.unsent.admit(this.peer, view)
    this.answer(foundFrame(view, req))
  }

  private answer(frame: readonly Buffer[]): void {
    const bytes = frame.reduce((sum, part) => sum + part.length, 0)
    this.answerBytes = Math.min(this.answerBytes, this.outlet.bytes) + bytes
    if (this.ws.readyState !== WebSocket.OPEN) return
    const heavy = this.answerBytes > this.options.answerBytesMax
    this.outlet.writeAll(frame, heavy ? () => this.resume() : undefined)
  }

  push(update: Update): void {
    this.order.send(() =>
      whenMade(updateFrame(update, this.deflate, this.views), (frame) => {
        if (this.ws.readyState === WebSocket.OPEN) this.outlet.writeAll(frame)
      }),
    )
  }

  close(code: number, reason: string): void {
    // A close frame carries at most 123 bytes of reason; ours are short ASCII but for echoes of input.
    this.ws.close(code, reason.replaceAll(/[^ -~]/g, '?').slice(0, 120))
  }

  terminate(): void {
    this.ws.terminate()
  }

  settled(): void {
    this.resume()
  }

  private arrived(data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      this.session.receiveGarbage('frames are text')
    } else if (this.busy || this.inbox.length > 0) {
      this.session.heard()
      this.postpone(data)
    } else {
      this.receive(data)
      if (this.busy) this.ws.pause()
    }
  }

  /** Enough is under way or unread: a client that does not read answers gets no more questions answered. */
  private get busy(): boolean {
    const { requestsMax, answerBytesMax } = this.options
    return (
      this.order.full ||
      this.session.inFlight >= requestsMax ||
      Math.min(this.answerBytes, this.outlet.bytes) > answerBytesMax
    )
  }

  /** What had arrived before reading was paused. */
  private postpone(data: Buffer): void {
    const bytesMax = this.options.limits.frameBytesMax * INBOX_FRAMES_MAX
    const full = this.inbox.length >= INBOX_MESSAGES_MAX || this.inboxBytes + data.length > bytesMax
    const refusal = full ? this.inboxFull() : this.received.refusal(this.peer, data.length)
    if (refusal !== undefined) {
      this.refusals.note(refusal, this.peer)
      this.dropInbox()
      this.close(CLOSE_CODES.limit, 'too many requests at once')
      this.session.end()
      return
    }
    this.inbox.push(data)
    this.inboxBytes += data.length
    this.received.add(this.peer, data.length)
  }

  private inboxFull(): ErrorBody {
    const message = 'as many messages wait on a stream as may'
    return limitRefusal(this.meter, {
      quota: 'inboxMax',
      max: INBOX_MESSAGES_MAX,
      over: 'connection',
      message,
    })
  }

  private dropInbox(): void {
    this.received.give(this.peer, this.inboxBytes)
    this.inbox = []
    this.inboxBytes = 0
  }

  private resume(): void {
    while (!this.busy) {
      const next = this.inbox.shift()
      if (next === undefined) {
        if (this.ws.isPaused) this.ws.resume()
        return
      }
      this.inboxBytes -= next.length
      this.received.give(this.peer, next.length)
      this.receive(next)
    }
  }

  private receive(data: Buffer): void {
    let message: unknown
    try {
      message = parseJson(data)
    } catch (error) {
      this.session.receiveGarbage(isRegistryError(error) ? error.message : 'a frame is not JSON')
      return
    }
    this.session.receive(message)
  }
}

/**
 * Whether shared compressed frames may go to this client. One that asked for a smaller window could not inflate
 * them; it gets everything uncompressed, which is always allowed.
 */
function mayDeflate(ws: WebSocket, req: IncomingMessage): boolean {
  const offer = req.headers['sec-websocket-extensions'] ?? ''
  return ws.extensions.includes('permessage-deflate') && !offer.includes('server_max_window_bits')
}
