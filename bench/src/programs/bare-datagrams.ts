/** The floor of DNS: a bare `node:dgram` server that sends the same bytes to every query, with its id. */
import { createSocket } from 'node:dgram'
import { serveProgram } from '../program.js'

let answer = Buffer.alloc(0)

const socket = createSocket('udp4', (query, { port, address }) => {
  const message = Buffer.from(answer)
  query.copy(message, 0, 0, 2)
  socket.send(message, port, address)
})

/** Resolves to the port. */
function listen(): Promise<number> {
  return new Promise((resolve) => {
    socket.bind(0, '127.0.0.1', () => resolve(socket.address().port))
  })
}

/** What every query is answered from now on. */
function prepare(next: Uint8Array): void {
  answer = Buffer.from(next)
}

/** What this program can do. */
export type BareDatagrams = { readonly listen: typeof listen; readonly prepare: typeof prepare }
serveProgram({ listen, prepare } satisfies BareDatagrams)
