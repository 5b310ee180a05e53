/** The connection as the parts of the machine see it. */
import type { ClientMessage } from '@rollcall/wire'
import type { BatchLimits } from './batches.js'
import type { ClusterTurn } from './events.js'

/** The active connection as the parts of the machine see it. */
export interface Outbox {
  /** Whether anything can be sent now. */
  readonly usable: boolean
  readonly limits: BatchLimits
  send(turn: ClusterTurn, message: ClientMessage): void
  /** Sends a request under a fresh number and returns that number. */
  request(turn: ClusterTurn, build: (req: number) => ClientMessage): number
}
