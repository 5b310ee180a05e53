/** The open connections of a node: their number as a metric, the most of them, and those that were too many. */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock, Logger, Meter } from '@rollcall/core'

/** The connections of all listeners of a node. */
export interface Connections {
  /** Bounds and counts the connections of a server from now on, and returns those that are open. */
  track(server: Server): ReadonlySet<Socket>
}

/** At most one line about dropped connections in this time. */
const LOG_INTERVAL_MS = 10_000

/** Creates the count. `connectionsMax` is for all of them, streams included; further connections are closed at once. */
export function createConnections(
  deps: { readonly clock: Clock; readonly logger: Logger; readonly meter: Meter },
  connectionsMax: number,
): Connections {
  const { meter } = deps
  const reportDrop = createDropReport(deps, connectionsMax)
  let open = 0
  const count = (by: number): void => meter.set('rollcall_connections', (open += by))
  const drop = (): void => {
    meter.count('rollcall_connections_dropped_total')
    reportDrop()
  }
  return {
    track(server) {
      const sockets = new Set<Socket>()
      server.maxConnections = connectionsMax
      server.on('connection', (socket) => {
        // The bound of one server knows nothing of the others.
        if (open >= connectionsMax) {
          socket.destroy()
          drop()
          return
        }
        sockets.add(socket)
        count(1)
        socket.once('close', () => {
          sockets.delete(socket)
          count(-1)
        })
      })
      server.on('drop', drop)
      // Before it listens, an error is no connection's.
      server.on('error', () => {
        if (server.listening) drop()
      })
      return sockets
    },
  }
}

/** Logs dropped connections: the first at once, then with a count. */
function createDropReport(
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  connectionsMax: number,
): () => void {
  let unreported = 0
  let lastMs = -Infinity
  return () => {
    unreported++
    const nowMs = clock.now()
    if (nowMs - lastMs < LOG_INTERVAL_MS) return
    logger.warn({ connections: unreported, connectionsMax }, 'connections dropped')
    lastMs = nowMs
    unreported = 0
  }
}
