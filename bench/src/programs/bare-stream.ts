/**
 * The floor of the stream: a bare `ws` server that parses every message and answers it in the same form, and keeps
 * nothing.
 */
import type { AddressInfo } from 'node:net'
import { STREAM_PROTOCOL, type ClientMessage, type ServerMessage } from '@rollcall/wire'
import { WebSocketServer } from 'ws'
import { serveProgram } from '../program.js'

function answerTo(message: ClientMessage): ServerMessage {
  switch (message.type) {
    case 'register':
      return {
        type: 'registered',
        results: message.instances.map(({ service, group, id, incarnation }) => ({
          ok: true,
          service,
          group: group ?? 'default',
          id: id ?? '',
          incarnation: incarnation ?? 0,
          durability: 'memory',
        })),
      }
    case 'hello':
      return {
        type: 'welcome',
        node: 'bare',
        cluster: 'bare',
        pingMs: 3_000,
        frameBytesMax: 0,
        batchItemsMax: 0,
        island: false,
      }
    default:
      return { type: 'pong', island: false }
  }
}

/** Resolves to the port. */
function listen(): Promise<number> {
  return new Promise((resolve) => {
    const server: WebSocketServer = new WebSocketServer(
      { port: 0, host: '127.0.0.1', backlog: 4_096, handleProtocols: () => STREAM_PROTOCOL },
      () => resolve((server.address() as AddressInfo).port),
    )
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        const message = JSON.parse((data as Buffer).toString()) as ClientMessage
        socket.send(JSON.stringify(answerTo(message)))
      })
    })
  })
}

/** What this program can do. */
export type BareStream = { readonly listen: typeof listen }
serveProgram({ listen } satisfies BareStream)
