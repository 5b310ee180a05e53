/** What the HTTP of a node may hold for its peers, all adapters together. */
import type { Budget } from '@rollcall/core'

export interface HttpBudgets {
  /** Requests that wait for a change. */
  readonly waits: Budget
  /** Bytes of answers that their readers have not taken yet. */
  readonly unsent: Budget
  /** Bytes of request bodies, from their first until the answer is sent; and those of short ones, which have room of their own. */
  readonly received: Budget
  readonly receivedShort: Budget
}
