/** The sockets of links as a port, so that links run over memory too; and the WebSockets that they are in a real node. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '@rollcall/core'
import { type ClientOptions, type RawData, type ServerOptions, WebSocket, WebSocketServer } from 'ws'
import type { ResolvedPeerOptions } from './options.js'

/** The subprotocol: another version of what nodes say has another name, and nodes with no common name are not linked. */
export const PEER_PROTOCOL = 'rollcall.peer.v1'
/** Where nodes accept their peers. */
export const PEER_PATH = '/api/v1/peers'

/** One connection that carries texts in order. */
export interface PeerSocket {
  /** Bytes that were given to `send` and that the system has not taken yet. */
  readonly unsentBytes: number
  send(text: string): void
  /** Nothing more is read, until `resume`; what was read already still arrives. */
  pause(): void
  resume(): void
  /** Says why, and ends; at the latest after two seconds. */
  close(code: number, reason: string): void
  /** Ends at once. */
  destroy(): void
}

/** What happens to a connection. `closed` comes once, and nothing after it. */
export interface PeerSocketEvents {
  received(text: string): void
  /** Something that was given to `send` is with the system. */
  drained(): void
  closed(code: number, reason: string): void
}

/** How an attempt to reach a peer ends: one of these is called, once, and later than `dial` returns. */
export interface DialOutcome {
  opened(socket: PeerSocket): PeerSocketEvents
  failed(reason: string): void
}

/** Reaches `host:port`. The returned function gives up: neither outcome is then called. */
export type DialPeer = (address: string, outcome: DialOutcome) => () => void

/** Longest wait for the other side of a closing handshake. */
const CLOSE_MS = 2_000

/** Dials WebSockets. This is the one place that will know of TLS. */
export function createDialler(options: ResolvedPeerOptions): DialPeer {
  const clientOptions: ClientOptions & { readonly closeTimeout: number } = {
    perMessageDeflate: false,
    maxPayload: options.frameBytesMax,
    handshakeTimeout: options.handshakeMs,
    closeTimeout: CLOSE_MS,
    followRedirects: false,
    skipUTF8Validation: false,
  }
  return (address, outcome) => {
    let open = true
    const settle = (how: () => void): void => {
      if (!open) return
      open = false
      how()
    }
    const url = `ws://${address}${PEER_PATH}`
    // Another node said where it is reached: one that cannot be reached must do no harm here.
    if (!URL.canParse(url)) {
      queueMicrotask(() => settle(() => outcome.failed('not an address')))
      return () => {
        open = false
      }
    }
    const ws = new WebSocket(url, PEER_PROTOCOL, clientOptions)
    ws.on('error', (error) => settle(() => outcome.failed(error.message)))
    ws.on('close', () => settle(() => outcome.failed('closed')))
    ws.once('open', () => settle(() => carry(ws, (socket) => outcome.opened(socket))))
    return () => {
      open = false
      ws.terminate()
    }
  }
}

/** Takes over the sockets of upgrade requests that were let in. */
export type AcceptPeer = (
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  opened: (socket: PeerSocket) => PeerSocketEvents,
) => void

/** Accepts WebSockets. */
export function createAccepter(options: ResolvedPeerOptions): AcceptPeer {
  const serverOptions: ServerOptions & { readonly closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    maxPayload: options.frameBytesMax,
    closeTimeout: CLOSE_MS,
    handleProtocols: () => PEER_PROTOCOL,
    perMessageDeflate: false,
  }
  const server = new WebSocketServer(serverOptions)
  return (req, socket, head, opened) => {
    // Offered among others, it is the one that is taken; `ws` knows it only alone.
    req.headers.upgrade = 'websocket'
    server.handleUpgrade(req, socket, head, (ws) => {
      ws.on('error', () => ws.terminate())
      carry(ws, opened)
    })
  }
}

/** A WebSocket as the port. */
function carry(ws: WebSocket, opened: (socket: PeerSocket) => PeerSocketEvents): void {
  const sent = (): void => events.drained()
  const events = opened({
    get unsentBytes() {
      return ws.bufferedAmount
    },
    send(text) {
      if (ws.readyState === WebSocket.OPEN) ws.send(text, sent)
    },
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    close(code, reason) {
      ws.resume()
      ws.close(code, reason)
    },
    destroy: () => ws.terminate(),
  })
  ws.on('message', (data: RawData, isBinary) => {
    // Binary frames are no texts: an empty text is garbage too.
    events.received(isBinary ? '' : (data as Buffer).toString())
  })
  ws.on('close', (code, reason) => events.closed(code, reason.toString()))
}

/** The clock with which a link runs. */
export type LinkClock = Pick<Clock, 'now' | 'setTimer'>
