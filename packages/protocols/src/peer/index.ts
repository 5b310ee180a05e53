/** The links between the nodes of a cluster: what nodes say to each other beside the engine. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { CreatePeerLinks, Logger, Meter } from '@rollcall/core'
import { type ErrorBody, RegistryError } from '@rollcall/wire'
import { callerOf } from '../http/caller.js'
import { type ErrorAnswer, toErrorBody } from '../http/errors.js'
import { createGate } from '../http/gate.js'
import { headersOf } from '../http/headers.js'
import type { PeerRandom } from './dialling.js'
import { writePeerError } from './errors.js'
import { createPeers, type Peers } from './handlers.js'
import { type PeerOptions, resolvePeerOptions } from './options.js'
import { createAccepter, createDialler, type LinkClock, PEER_PATH, PEER_PROTOCOL } from './sockets.js'

export { createPeers, PEER_PATH, type Peers, resolvePeerOptions }
export type { DialPeer, PeerSocket, PeerSocketEvents } from './sockets.js'
export type { PeerOptions }

export interface PeerNetworkDeps {
  readonly clock: LinkClock
  readonly random: PeerRandom
  readonly logger: Logger
  readonly meter: Meter
}

/** Both ends of the links of a node: what makes them, and what the listener mounts at `PEER_PATH`. */
export interface PeerNetwork {
  /** Makes the links of this node. One at a time: making them anew closes those that were made before. */
  readonly links: CreatePeerLinks
  /** Refuses: there is nothing to read here. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void
  /** Takes the socket of a peer. Nothing is let in as long as there are no links. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Ends the links that were made. Idempotent. */
  close(): void
}

/** Creates the links over WebSockets. */
export function createPeerNetwork(deps: PeerNetworkDeps, peerOptions: PeerOptions = {}): PeerNetwork {
  const options = resolvePeerOptions(peerOptions)
  const gate = createGate(options.allowedHosts)
  const accept = createAccepter(options)
  const dial = createDialler(options)
  let current: Peers | undefined
  const admit = (req: IncomingMessage): Peers => {
    const headers = headersOf(req)
    gate.checkHost(headers, req.httpVersion)
    // Nodes send none.
    if (headers.origin !== undefined) throw new RegistryError('forbidden_origin', 'this is for nodes only')
    const protocols = req.headers['sec-websocket-protocol']?.split(',').map((each) => each.trim())
    if (protocols?.includes(PEER_PROTOCOL) !== true)
      throw new RegistryError('protocol', `the subprotocol ${PEER_PROTOCOL} must be offered`)
    if (current === undefined) throw new RegistryError('not_ready', 'the node has not joined its cluster yet')
    return current
  }
  const refusal = (error: unknown): ErrorAnswer => writePeerError(toErrorBody(error, deps.logger))
  return {
    links: (self, secret, listener, epoch) => {
      current?.close()
      current = createPeers({ ...deps, dial }, options, { node: self.node, secret, epoch }, listener)
      return current
    },
    handleRequest(_req, res) {
      const error: ErrorBody = { code: 'unknown_path', message: 'this path is for links between nodes' }
      const { status, type, body } = writePeerError(error)
      res.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body)
    },
    handleUpgrade(req, socket, head) {
      socket.on('error', () => socket.destroy())
      try {
        const peers = admit(req)
        accept(req, socket, head, (opened) => peers.accept(opened, callerOf(req).peer))
      } catch (error) {
        refuseUpgrade(socket, refusal(error))
      }
    },
    close() {
      current?.close()
      current = undefined
    },
  }
}

/** Answers a request that is not let in. */
function refuseUpgrade(socket: Duplex, { status, type, body }: ErrorAnswer): void {
  const head = [
    `HTTP/1.1 ${status} Refused`,
    'Connection: close',
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
