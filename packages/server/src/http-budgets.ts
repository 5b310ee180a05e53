/** The budgets of a node's HTTP: one of each for all its adapters. */
import { Budget, type BudgetDeps } from '@rollcall/core'
import type { NodeLimits } from './config/types.js'

/** Creates the budgets, each under the name of the setting that bounds it. */
export function createHttpBudgets(
  deps: BudgetDeps,
  { waitersMax }: Pick<NodeLimits, 'waitersMax'>,
): Readonly<Record<'waits', Budget>> {
  return {
    waits: new Budget(deps, { quota: 'waitersMax', max: waitersMax, what: 'waiting requests' }),
  }
}
