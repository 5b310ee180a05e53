/** The connections of a server, with those that were taken over: Node forgets WebSockets and tunnels, but waits for them. */
import type { Server, Socket } from 'node:net'

/** All connections of a server, from before it listens. */
export class OpenSockets {
  private readonly sockets = new Set<Socket>()
  private over = false

  constructor(server: Server) {
    server.on('connection', this.opened)
    // With TLS there is a socket above the one of the network, and only the upper one ends both.
    server.on('secureConnection', this.opened)
  }

  /** Ends them, and what still comes. */
  cut(): void {
    this.over = true
    for (const socket of this.sockets) socket.destroy()
  }

  private readonly opened = (socket: Socket): void => {
    if (this.over) return void socket.destroy()
    this.sockets.add(socket)
    socket.once('close', () => this.sockets.delete(socket))
  }
}
