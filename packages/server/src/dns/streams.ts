/** DNS over TCP: accepts connections within its own bounds and those of the node. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Meter } from '@rollcall/core'
import type { HostPort } from '../config/address.js'
import type { Connections } from '../listener/connections.js'
import { serveStream, type StreamBounds, type DnsStreamDeps } from './stream.js'

export interface StreamsDeps extends DnsStreamDeps {
  readonly meter: Meter
  readonly connections: Connections
}

export interface StreamsBounds extends StreamBounds {
  /** Most connections; of one address half of them, unless it is of this machine. */
  readonly connectionsMax: number
}

/** A listener for streams. */
export interface DnsStreams {
  /** Resolves to the port; rejects with the error of the system. */
  start(address: HostPort): Promise<number>
  /** Accepts no more, and ends what is open: answers that were written are still sent. Idempotent. */
  close(): Promise<void>
}

/** How long clients may take to read their last answer. */
const CLOSE_MS = 1_000

/** Creates the listener. */
export function createStreams(deps: StreamsDeps, bounds: StreamsBounds): DnsStreams {
  const { clock, meter, connections } = deps
  // A client may say at once that it will ask no more, and wait for its answers.
  const server = createServer({ allowHalfOpen: true })
  const sockets = connections.track(server)
  const sources = new Map<string, number>()
  let open = 0

  function isRefused(source: string): boolean {
    if (open >= bounds.connectionsMax) return true
    const share = isLocal(source) ? bounds.connectionsMax : Math.max(1, bounds.connectionsMax / 2)
    return (sources.get(source) ?? 0) >= share
  }

  function count(source: string, by: 1 | -1): void {
    open += by
    const of = (sources.get(source) ?? 0) + by
    if (of === 0) sources.delete(source)
    else sources.set(source, of)
    meter.set('rollcall_dns_connections', open)
  }

  function accept(socket: Socket): void {
    const { remoteAddress = '' } = socket
    if (socket.destroyed) return
    if (isRefused(remoteAddress)) {
      meter.count('rollcall_connections_dropped_total')
      socket.destroy()
      return
    }
    count(remoteAddress, 1)
    socket.once('close', () => count(remoteAddress, -1))
    serveStream(socket, deps, bounds)
  }

  server.on('connection', accept)
  return {
    start({ host, port }) {
      return new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host, port }, () => {
          server.off('error', reject)
          resolve((server.address() as AddressInfo).port)
        })
      })
    },
    close() {
      return new Promise((resolve) => {
        const cancel = clock.setTimer(CLOSE_MS, () => {
          for (const socket of sockets) socket.destroy()
        })
        // An error means that it does not listen.
        server.close(() => {
          cancel()
          resolve()
        })
        for (const socket of sockets) socket.destroySoon()
      })
    },
  }
}

function isLocal(source: string): boolean {
  return source === '::1' || /^(::ffff:)?127\./.test(source)
}
