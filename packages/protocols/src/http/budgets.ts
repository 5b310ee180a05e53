/** What the HTTP of a node may hold for its peers, all adapters together. */
import type { Budget } from '@rollcall/core'

export interface HttpBudgets {
  /** Requests that wait for a change. */
  readonly waits: Budget
}
