/** A network between two that can be cut: a TCP proxy that stops passing anything on, without ending anything. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'

/** A way to one address. */
export interface Way {
  readonly host: string
  readonly port: number
  /** From now on bytes are swallowed in both directions; connections are taken and lead nowhere. */
  cut(): void
  /** What was sent meanwhile arrives late, as after retransmission. */
  heal(): void
  close(): Promise<void>
}

/** Opens a way to an address. */
export async function openWay(target: { readonly host: string; readonly port: number }): Promise<Way> {
  const sockets = new Set<Socket>()
  let cut = false
  const take = (socket: Socket): Socket => {
    sockets.add(socket)
    if (cut) socket.pause()
    return socket.on('error', () => {}).once('close', () => sockets.delete(socket))
  }
  const server = createServer((near) => {
    const far = take(connect(target.port, target.host))
    take(near)
    // `pipe` would set paused sockets going again.
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (bytes: Buffer) => void to.write(bytes))
      from.once('end', () => to.end())
      from.once('close', () => to.destroy())
    }
    if (cut) for (const socket of [near, far]) socket.pause()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    host: '127.0.0.1',
    port,
    cut() {
      cut = true
      for (const socket of sockets) socket.pause()
    },
    heal() {
      cut = false
      for (const socket of sockets) socket.resume()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
