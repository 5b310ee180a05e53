/** Budgets that refuse nothing, for tests of what is not about them. */
import { createBudgets, type NodeBudgets } from '../budgets/node-budgets.js'

export function unbounded(): NodeBudgets {
  return createBudgets({}, { instancesMax: Infinity, recordBytesMax: Infinity, strayBytesMax: Infinity })
}
