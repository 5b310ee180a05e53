/** The open connections of a node: their number as a metric, the most of them, and those that were too many. */
import type { Server, Socket } from 'node:net'
import { Budget, type BudgetDeps, type Clock, type Logger, type Meter } from '@rollcall/core'
import { defined } from '@rollcall/wire'
import { sampleBudget } from '../telemetry/budget-gauges.js'

/** The connections of all listeners of a node. */
export interface Connections {
  /** Bounds and counts the connections of a server from now on, and returns those that are open. */
  track(server: Server): ReadonlySet<Socket>
}

interface ConnectionsDeps extends BudgetDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
}

/** At most one line about dropped connections in this time. */
const LOG_INTERVAL_MS = 10_000

/**
 * Creates the count. `connectionsMax` is for all of them, streams included, and for each peer by its share; further
 * connections are closed at once.
 */
export function createConnections(deps: ConnectionsDeps, connectionsMax: number): Connections {
  const { meter } = deps
  const budget = new Budget(deps, { quota: 'connectionsMax', max: connectionsMax, what: 'connections' })
  const reportDrop = createDropReport(deps, connectionsMax)
  const drop = (error?: Error): void => {
    meter.count('rollcall_connections_dropped_total')
    reportDrop(error)
  }
  const count = (): void => meter.set('rollcall_budget_used', budget.used, budget.quota)
  sampleBudget(meter, budget)
  return {
    track(server) {
      const sockets = new Set<Socket>()
      server.on('connection', (socket) => {
        const { remoteAddress } = socket
        if (budget.refusal(remoteAddress, 1) !== undefined) {
          socket.destroy()
          drop()
          return
        }
        sockets.add(socket)
        budget.add(remoteAddress, 1)
        count()
        socket.once('close', () => {
          sockets.delete(socket)
          budget.give(remoteAddress, 1)
          count()
        })
      })
      // Before it listens, `start` rejects with it. Later it is an accept that the system refused: one connection.
      server.on('error', (error) => {
        if (server.listening) drop(error)
      })
      return sockets
    },
  }
}

/** Logs dropped connections: the first at once, then with a count; with the error of the last, where the system had one. */
function createDropReport(
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  connectionsMax: number,
): (error?: Error) => void {
  let unreported = 0
  let lastMs = -Infinity
  return (error) => {
    unreported++
    const nowMs = clock.now()
    if (nowMs - lastMs < LOG_INTERVAL_MS) return
    logger.warn({ connections: unreported, connectionsMax, ...defined({ error }) }, 'connections dropped')
    lastMs = nowMs
    unreported = 0
  }
}
