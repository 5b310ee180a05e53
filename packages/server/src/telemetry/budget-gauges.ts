/** The gauges of budgets: what is held, and the bound; in bytes where it is an amount of bytes. */
import type { Meter } from '@rollcall/core'

/** What is shown of a budget. */
export interface BudgetFigures {
  readonly quota: string
  readonly used: number
  readonly max: number
  readonly bytes: boolean
}

/** Sets the gauges of one budget. */
export function sampleBudget(meter: Meter, { quota, used, max, bytes }: BudgetFigures): void {
  meter.set(bytes ? 'rollcall_budget_used_bytes' : 'rollcall_budget_used', used, quota)
  meter.set(bytes ? 'rollcall_budget_max_bytes' : 'rollcall_budget_max', max, quota)
}
