/** Budgets that refuse nothing, for tests of what is not about them. */
import { NO_METER } from '../metrics.js'
import { NODE_DEFAULTS } from '../node-options.js'
import { createBudgets, type NodeBudgets } from '../budgets/node-budgets.js'

export function unbounded(): NodeBudgets {
  return createBudgets({ ...NODE_DEFAULTS, instancesMax: Infinity }, NO_METER)
}
