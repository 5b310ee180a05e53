/** Every budget of a node's rules, with its bound. */
import type { Meter } from '../metrics.js'
import { Budget } from './budget.js'
import { HeapRoom } from './heap-room.js'
import type { PeerBounds } from './peer.js'

export interface BudgetBounds {
  /** What one peer may hold of each. */
  readonly peers: PeerBounds
  /** Bytes of the heap that may be alive before growth is refused. */
  readonly heapBytesMax: number
  /** Listed instances. */
  readonly instancesMax: number
  /** Memory for what was registered, from then on until it is forgotten. */
  readonly recordBytesMax: number
  /** Memory for deregistrations of what was never registered here. */
  readonly strayBytesMax: number
}

export interface NodeBudgets {
  readonly heap: HeapRoom
  readonly instances: Budget
  readonly recordBytes: Budget
  readonly strayBytes: Budget
}

/** Bounds of what a heap of this size holds: together they leave room for what a node does with it. */
export function boundsOfHeap(heapBytes: number): Pick<BudgetBounds, 'recordBytesMax' | 'strayBytesMax'> {
  return { recordBytesMax: Math.floor(heapBytes / 2), strayBytesMax: Math.floor(heapBytes / 16) }
}

export function createBudgets(
  { peers: bounds, heapBytesMax, instancesMax, recordBytesMax, strayBytesMax }: BudgetBounds,
  meter: Meter,
): NodeBudgets {
  const heap = new HeapRoom(heapBytesMax, meter)
  const count = (quota: string, max: number, what: string): Budget =>
    new Budget({ bounds, meter }, { quota, max, what })
  const bytes = (quota: string, max: number, what: string): Budget =>
    new Budget({ bounds, meter, heap }, { quota, max, what: `bytes of ${what}` })
  return {
    heap,
    instances: count('instancesMax', instancesMax, 'instances'),
    recordBytes: bytes('recordBytesMax', recordBytesMax, 'records'),
    strayBytes: bytes('strayBytesMax', strayBytesMax, 'deregistrations of what it never knew'),
  }
}
