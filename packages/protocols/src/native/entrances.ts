/** The two ways in: requests, and connections that become streams. Each asks the gate, and refuses while the node stops. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { RegistryError, STREAM_PATH, STREAM_PROTOCOL } from '@rollcall/wire'
import { callerOf } from '../http/caller.js'
import { toErrorBody, type ErrorAnswer } from '../http/errors.js'
import { Exchange, type HttpDeps } from '../http/exchange.js'
import type { Gate } from '../http/gate.js'
import { headersOf, type RequestHeaders } from '../http/headers.js'
import type { Router } from './router.js'
import type { Streams } from './stream.js'

export interface EntrancesDeps extends HttpDeps {
  readonly gate: Gate
  readonly router: Router
  readonly streams: Pick<Streams, 'accept'>
}

/** What the server's listener hands over. */
export interface Entrances {
  /** Answers any request; `unknown_path` outside /api/v1. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void
  /** Takes the socket of a request for WebSocket. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** Builds the ways in. */
export function createEntrances(deps: EntrancesDeps): Entrances {
  const { gate, router, streams } = deps
  const admit = (headers: RequestHeaders, req: IncomingMessage): void => {
    if (deps.stopping()) throw new RegistryError('stopping', 'the node is stopping')
    gate.checkHost(headers, req.httpVersion)
  }
  return {
    handleRequest(req, res) {
      const exchange = new Exchange(deps, req, res, headersOf(req))
      const { headers } = exchange
      exchange.guard(() => {
        admit(headers, req)
        const method = req.method ?? 'GET'
        const { id, handler, parameters } = router.find(method, req.url ?? '/')
        if ((method !== 'GET' && method !== 'HEAD') || id === 'watch' || id === 'listEvents')
          gate.checkOrigin(headers)
        return handler(exchange, parameters)
      })
    },
    handleUpgrade(req, socket, head) {
      const drop = (): void => void socket.destroy()
      socket.on('error', drop)
      try {
        const headers = headersOf(req)
        admit(headers, req)
        gate.checkOrigin(headers)
        checkStream(req, router)
      } catch (error) {
        const told = toErrorBody(error, deps.logger)
        deps.refusals.note(told, callerOf(req).peer)
        refuseUpgrade(socket, deps.writeError(told))
        return
      }
      streams.accept(req, socket, head)
      socket.off('error', drop)
    },
  }
}

function checkStream(req: IncomingMessage, router: Router): void {
  if (router.find(req.method ?? 'GET', req.url ?? '/').id !== 'stream')
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
