/** Connections to nodes over WebSocket. */
import { isIP } from 'node:net'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { ClientMessage, ErrorBody, ServerMessage } from '@rollcall/wire'
import { STREAM_PROTOCOL } from '@rollcall/wire'
import { WebSocket } from 'ws'
import type { NodeTls } from '../calls/tls.js'
import { decode, errorIn } from './codec.js'
import type { Clock } from '../machine/ports.js'

/** What happens on a connection. `closed` comes exactly once and last. */
export interface ConnectionListener {
  /** `localAddress`: this end of the connection, where known. */
  opened(localAddress: string | undefined): void
  message(message: ServerMessage): void
  /** `refusal`: the node's answer where it refused the connection, and would refuse it again. */
  closed(code: number | undefined, reason: string, refusal?: ErrorBody): void
}

/** One connection to a node. */
export interface Connection {
  send(message: ClientMessage): void
  close(code: number, reason: string): void
}

/** Opens connections; the machine decides when. */
export interface Transport {
  dial(url: string, listener: ConnectionListener, tls?: NodeTls): Connection
  /** Resolves when every connection has ended; what is slow to do so after its `close` is cut. Idempotent. */
  close(): Promise<void>
}

/** Largest message accepted: a full view of some 200,000 instances. More closes the connection. */
export const PAYLOAD_BYTES_MAX = 67_108_864

/**
 * Most bytes that wait for a node to read them; beyond it the connection is cut, and everything is said again on the
 * next one. Several times what 100,000 registrations take.
 */
const UNSENT_BYTES_MAX = 67_108_864

/** Larger answers to a handshake are no error of a node. */
const ANSWER_CHARS_MAX = 65_536

/** A connection that does not finish its closing handshake in this time is cut. */
const CLOSE_TIMEOUT_MS = 1_000

/** The same where the client waits for it to close as a whole. */
const FAREWELL_MS = 100

/** The stream over WebSocket, compressed per message where the node offers it, without memory between messages. */
export function createWebSocketTransport(clock: Clock): Transport {
  const sockets = new Set<WebSocket>()
  return {
    dial(url, listener, tls) {
      const socket = new WebSocket(url, STREAM_PROTOCOL, {
        ...tls,
        maxPayload: PAYLOAD_BYTES_MAX,
        perMessageDeflate: { clientNoContextTakeover: true, serverNoContextTakeover: true },
        // The machine has its own, shorter deadline.
        handshakeTimeout: 30_000,
      })
      sockets.add(socket)
      let reason = ''
      socket.on('open', () => listener.opened(localAddress(socket)))
      socket.on('message', (data, binary) => {
        // One Buffer: that is what binaryType `nodebuffer`, the default, means.
        const message = binary ? undefined : decode((data as Buffer).toString())
        if (message === undefined) socket.close(1002, 'unreadable frame')
        else if (message !== 'unknown') listener.message(message)
      })
      let refusal: ErrorBody | undefined
      // Every error is followed by a close, which carries the outcome.
      socket.on('error', (error) => {
        if (reason === '') reason = error.message
      })
      const turnedAway = async (response: IncomingMessage): Promise<void> => {
        const error = errorIn(await answerOf(response))
        reason = error?.message ?? `answered with ${response.statusCode} instead of a connection`
        if (isFinal(response)) refusal = error
        socket.terminate()
      }
      socket.on('unexpected-response', (_request, response) => void turnedAway(response))
      socket.on('close', (code, text) => {
        sockets.delete(socket)
        listener.closed(code, reason === '' ? String(text) : reason, refusal)
      })
      return {
        send(message) {
          if (socket.readyState !== WebSocket.OPEN) return
          if (socket.bufferedAmount > UNSENT_BYTES_MAX) socket.terminate()
          else socket.send(JSON.stringify(message))
        },
        close(code, text) {
          cutLater(clock, socket)
          if (socket.readyState === WebSocket.CONNECTING) socket.terminate()
          else socket.close(code, text)
        },
      }
    },
    async close() {
      const ended = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)))
      const cancel = clock.setTimer(FAREWELL_MS, () => {
        for (const socket of sockets) socket.terminate()
      })
      await Promise.all(ended)
      cancel()
    },
  }
}

/** What a node says instead of a connection; never rejects. */
async function answerOf(response: IncomingMessage): Promise<string> {
  let text = ''
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk as string
      if (text.length > ANSWER_CHARS_MAX) break
    }
  } catch {
    // It broke off: what came of it is no answer.
  }
  return text
}

/** Whether the same request would be refused again; a node that is busy, starting or stopping says so with another status. */
function isFinal({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 400 && statusCode < 500 && statusCode !== 408 && statusCode !== 429
}

function cutLater(clock: Clock, socket: WebSocket): void {
  // A peer that is silent never answers the closing handshake; `ws` alone would wait 30 s.
  const cancel = clock.setTimer(CLOSE_TIMEOUT_MS, () => socket.terminate())
  socket.once('close', cancel)
}

/** `ws` keeps the socket of a client connection in a private member; without it the address is found by routing. */
function localAddress(socket: WebSocket): string | undefined {
  const inner: unknown = Reflect.get(socket, '_socket')
  const address = typeof inner === 'object' && inner !== null ? (inner as Socket).localAddress : undefined
  const plain = address?.startsWith('::ffff:') === true ? address.slice(7) : address
  return plain !== undefined && isIP(plain) !== 0 ? plain : undefined
}
