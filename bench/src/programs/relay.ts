/** A network with a delay: passes bytes on between clients and a server, each direction later by the same time. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { serveProgram } from '../program.js'

/** Which server, and how far away it is. */
export interface Distance {
  readonly port: number
  readonly delayMs: number
}

function forward(from: Socket, to: Socket, delayMs: number): void {
  // Timers of equal length fire in the order in which they were set: bytes keep theirs.
  from.on('data', (chunk) => setTimeout(() => to.writable && to.write(chunk), delayMs))
  from.on('close', () => setTimeout(() => to.destroy(), delayMs))
  from.on('error', () => from.destroy())
}

/** Resolves to the port where the server seems to be. */
function listen({ port, delayMs }: Distance): Promise<number> {
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true })
    forward(near, far, delayMs)
    forward(far, near, delayMs)
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/** What this program can do. */
export type Relay = { readonly listen: typeof listen }
serveProgram({ listen } satisfies Relay)
