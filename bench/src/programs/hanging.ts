/** A port that hangs in connect, as a host does that drops packets: the backlog is full and never read. */
import { connect, createServer, type AddressInfo } from 'node:net'
import { serveProgram } from '../program.js'

/** More than the kernel takes in for a backlog of 1: those beyond hang. */
const CROWD = 4

/** Resolves to the port, which hangs after `hang`. */
function listen(): Promise<number> {
  const server = createServer()
  return new Promise((resolve) => {
    server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
      const { port } = server.address() as AddressInfo
      resolve(port)
    })
  })
}

/** Fills the backlog and sleeps for good; never answers. */
function hang(port: number): void {
  for (let index = 0; index < CROWD; index++) connect(port, '127.0.0.1').on('error', () => {})
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

/** What this program can do. */
export type Hanging = { readonly listen: typeof listen; readonly hang: typeof hang }
serveProgram({ listen, hang } satisfies Hanging)
