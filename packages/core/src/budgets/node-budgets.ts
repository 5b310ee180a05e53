/** Every budget of a node's rules, with its bound. */
import { Budget, type BudgetDeps } from './budget.js'

export interface BudgetBounds {
  /** Listed instances. */
  readonly instancesMax: number
  /** Memory for what was registered, from then on until it is forgotten. */
  readonly recordBytesMax: number
  /** Memory for deregistrations of what was never registered here. */
  readonly strayBytesMax: number
}

export interface NodeBudgets {
  readonly instances: Budget
  readonly recordBytes: Budget
  readonly strayBytes: Budget
}

/** Bounds of what a heap of this size holds: together they leave room for what a node does with it. */
export function boundsOfHeap(heapBytes: number): Omit<BudgetBounds, 'instancesMax'> {
  return { recordBytesMax: Math.floor(heapBytes / 2), strayBytesMax: Math.floor(heapBytes / 16) }
}

export function createBudgets(
  deps: BudgetDeps,
  { instancesMax, recordBytesMax, strayBytesMax }: BudgetBounds,
): NodeBudgets {
  const budget = (quota: string, max: number, what: string): Budget => new Budget(deps, { quota, max, what })
  return {
    instances: budget('instancesMax', instancesMax, 'instances'),
    recordBytes: budget('recordBytesMax', recordBytesMax, 'bytes of records'),
    strayBytes: budget('strayBytesMax', strayBytesMax, 'bytes of deregistrations of what it never knew'),
  }
}
