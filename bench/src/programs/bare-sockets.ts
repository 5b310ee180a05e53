/** The floor of pushing: a bare `node:net` server that writes what it is given to every socket it has. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { serveProgram } from '../program.js'

const subscribers = new Set<Socket>()

const audience = createServer((socket) => {
  subscribers.add(socket)
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => subscribers.delete(socket))
})

/** A connection here says what is written: a length in four bytes, then the bytes. */
const control = createServer((socket) => {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0)
      const bytes = rest.subarray(4, end)
      rest = rest.subarray(end)
      for (const subscriber of subscribers) subscriber.write(bytes)
    }
  })
})

function bind(server: Server): Promise<number> {
  return new Promise((resolve) => {
    const where = { port: 0, host: '127.0.0.1', backlog: 4_096 }
    server.listen(where, () => resolve((server.address() as AddressInfo).port))
  })
}

async function listen(): Promise<{ readonly port: number; readonly controlPort: number }> {
  return { port: await bind(audience), controlPort: await bind(control) }
}

/** What this program can do. */
export type BareSockets = { readonly listen: typeof listen }
serveProgram({ listen } satisfies BareSockets)
