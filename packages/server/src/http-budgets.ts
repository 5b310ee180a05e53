/** The budgets of a node's HTTP: one of each for all its adapters. */
import { Budget, type BudgetDeps, type Meter } from '@rollcall/core'
import type { NodeLimits } from './config/types.js'
import { sampleBudget } from './telemetry/budget-gauges.js'

/** Part of the heap that unsent answers may take by default. They lie beside it, so that a node whose heap is full still has them. */
const UNSENT_SHARE = 1 / 4
/** The same for bodies: read as JSON, one takes up to ten times its bytes. */
const RECEIVED_SHARE = 1 / 16

type Name = 'waits' | 'unsent' | 'received' | 'receivedShort'

/** Creates the budgets, each under the name of the setting that bounds it. */
export function createHttpBudgets(
  deps: BudgetDeps,
  limits: Pick<NodeLimits, 'waitersMax' | 'unsentBytesMax' | 'receivedBytesMax' | 'bodyBytesMax'>,
  heapBytes: number,
): Readonly<Record<Name, Budget>> {
  const { waitersMax } = limits
  const unsentBytesMax = limits.unsentBytesMax ?? Math.floor(heapBytes * UNSENT_SHARE)
  // The largest body has to fit into the share of a peer.
  const receivedBytesMax = Math.max(
    limits.receivedBytesMax ?? Math.floor(heapBytes * RECEIVED_SHARE),
    2 * limits.bodyBytesMax,
  )
  const received = { quota: 'receivedBytesMax', what: 'bytes of requests', bytes: true }
  return {
    waits: new Budget(deps, { quota: 'waitersMax', max: waitersMax, what: 'waiting requests' }),
    unsent: new Budget(deps, {
      quota: 'unsentBytesMax',
      bytes: true,
      max: unsentBytesMax,
      what: 'bytes of answers that are not read',
    }),
    received: new Budget(deps, { ...received, max: receivedBytesMax }),
    receivedShort: new Budget(deps, { ...received, max: Math.ceil(receivedBytesMax / 4) }),
  }
}

/** Sets the gauges that tell how much of the budgets is taken; of the two with one setting each has its own. */
export function sampleHttpBudgets(
  meter: Meter,
  { waits, unsent, received, receivedShort }: Readonly<Record<Name, Budget>>,
): void {
  for (const budget of [waits, unsent, received]) sampleBudget(meter, budget)
  const { used, max, bytes } = receivedShort
  sampleBudget(meter, { quota: 'receivedShort', used, max, bytes })
}
