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
  /** Memory for declarations of services and namespaces. */
  readonly declarationBytesMax: number
  /** Watches of all subscribers together. */
  readonly watchesMax: number
  /** Memory for watches and the views that they are of. */
  readonly watchBytesMax: number
  /** Memory for what listed instances offer. */
  readonly recordBytesMax: number
  /** Memory for what stays of a registration until it is forgotten. */
  readonly tombstoneBytesMax: number
  /** Memory for deregistrations of what was never registered here. */
  readonly strayBytesMax: number
}

export interface NodeBudgets {
  readonly heap: HeapRoom
  readonly instances: Budget
  readonly recordBytes: Budget
  readonly tombstoneBytes: Budget
  readonly strayBytes: Budget
  readonly declarationBytes: Budget
  readonly watches: Budget
  readonly watchBytes: Budget
}

/** What a node bounds by the size of its heap, where nothing else is said. */
export interface HeapBounds extends Pick<
  BudgetBounds,
  'recordBytesMax' | 'tombstoneBytesMax' | 'strayBytesMax' | 'declarationBytesMax' | 'watchBytesMax'
> {
  /** Memory for recent changes, all services together: three quarters for those of views, one for the feed. */
  readonly historyBytesMax: number
  /** Events that are remembered; the oldest goes first. */
  readonly eventsMax: number
}

/** An event with the longest texts, and what it says of its instance. */
const EVENT_BYTES = 2_048

/** Bounds of what a heap of this size holds: together they leave room for what a node does with it. */
export function boundsOfHeap(heapBytes: number): HeapBounds {
  return {
    recordBytesMax: Math.floor((heapBytes * 3) / 8),
    tombstoneBytesMax: Math.floor(heapBytes / 4),
    strayBytesMax: Math.floor(heapBytes / 16),
    declarationBytesMax: Math.floor(heapBytes / 16),
    watchBytesMax: Math.floor(heapBytes / 8),
    historyBytesMax: Math.floor(heapBytes / 64),
    eventsMax: Math.min(10_000, Math.floor(heapBytes / 64 / EVENT_BYTES)),
  }
}

export function createBudgets(bounds: BudgetBounds, meter: Meter): NodeBudgets {
  const { peers } = bounds
  const heap = new HeapRoom(bounds.heapBytesMax, meter)
  const count = (quota: string, max: number, what: string): Budget =>
    new Budget({ bounds: peers, meter }, { quota, max, what })
  const bytes = (quota: string, max: number, what: string): Budget =>
    new Budget({ bounds: peers, meter, heap }, { quota, max, what: `bytes of ${what}`, bytes: true })
  return {
    heap,
    instances: count('instancesMax', bounds.instancesMax, 'instances'),
    recordBytes: bytes('recordBytesMax', bounds.recordBytesMax, 'records'),
    tombstoneBytes: bytes('tombstoneBytesMax', bounds.tombstoneBytesMax, 'ids that are or were registered'),
    strayBytes: bytes('strayBytesMax', bounds.strayBytesMax, 'deregistrations of what it never knew'),
    declarationBytes: bytes('declarationBytesMax', bounds.declarationBytesMax, 'declarations'),
    watches: count('watchesMax', bounds.watchesMax, 'watches'),
    watchBytes: bytes('watchBytesMax', bounds.watchBytesMax, 'watches'),
  }
}
