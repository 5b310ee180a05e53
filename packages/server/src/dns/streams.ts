/** DNS over TCP: accepts connections within its own bounds and those of the node. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type Meter, peerOf } from '@rollcall/core'
import type { HostPort } from '../config/address.js'
import type { Connections } from '../listener/connections.js'
import { serveStream, type StreamBounds, type DnsStreamDeps } from './stream.js'

export interface StreamsDeps extends Omit<DnsStreamDeps, 'asked'> {
  readonly meter: Meter
  readonly connections: Connections
}

export interface StreamsBounds extends StreamBounds {
  /** Most connections; of one address (IPv6: /64) half of them, unless it is of this machine. */
  readonly connectionsMax: number
  /** Where all are taken, the one that has asked nothing for the longest time ends for a new one, unless that was a moment ago. */
  readonly restingMsMin: number
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
  const places = new Places(deps, bounds)

  function accept(socket: Socket): void {
    const { remoteAddress = '' } = socket
    if (socket.destroyed) return
    if (!places.take(socket, remoteAddress)) {
      meter.count('rollcall_connections_dropped_total')
      socket.destroy()
      return
    }
    socket.once('close', () => places.give(socket, remoteAddress))
    serveStream(socket, { ...deps, asked: () => places.asked(socket) }, bounds)
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

/** The places for connections: whose they are, and which was used longest ago. */
class Places {
  private readonly deps: Pick<StreamsDeps, 'clock' | 'meter'>
  private readonly bounds: Pick<StreamsBounds, 'connectionsMax' | 'restingMsMin'>
  private readonly sources = new Map<string, number>()
  /** When each asked last; the one that asked last is the last. */
  private readonly askedAt = new Map<Socket, number>()

  constructor(
    deps: Pick<StreamsDeps, 'clock' | 'meter'>,
    bounds: Pick<StreamsBounds, 'connectionsMax' | 'restingMsMin'>,
  ) {
    this.deps = deps
    this.bounds = bounds
  }

  /** False where there is no place for one more of this address. */
  take(socket: Socket, address: string): boolean {
    const { connectionsMax } = this.bounds
    const share = Math.max(1, connectionsMax / 2)
    if (!isLocal(address) && (this.sources.get(peerOf(address)) ?? 0) >= share) return false
    if (this.askedAt.size >= connectionsMax && !this.free()) return false
    this.asked(socket)
    this.count(address, 1)
    return true
  }

  asked(socket: Socket): void {
    this.askedAt.delete(socket)
    this.askedAt.set(socket, this.deps.clock.now())
  }

  give(socket: Socket, address: string): void {
    this.askedAt.delete(socket)
    this.count(address, -1)
  }

  /** Ends the connection that has asked nothing for the longest time; false where that was a moment ago. */
  private free(): boolean {
    for (const [socket, at] of this.askedAt) {
      if (this.deps.clock.now() - at < this.bounds.restingMsMin) return false
      this.askedAt.delete(socket)
      socket.destroy()
      return true
    }
    return false
  }

  private count(address: string, by: 1 | -1): void {
    const peer = peerOf(address)
    const of = (this.sources.get(peer) ?? 0) + by
    if (of === 0) this.sources.delete(peer)
    else this.sources.set(peer, of)
    this.deps.meter.set('rollcall_dns_connections', this.askedAt.size)
  }
}

function isLocal(source: string): boolean {
  return source === '::1' || /^(::ffff:)?127\./.test(source)
}
