/**
 * A bounded amount of something, such as the bytes of all records: held by peers, and bounded for the node and for each
 * of them. While no more than three quarters are taken, any peer may have them; what would go beyond that is refused to
 * a peer that would then hold more than its share. So one peer alone ends at three quarters, the last quarter is for
 * the others, and a fleet behind one address has most of a node that is otherwise idle.
 */
import { type ErrorBody, RegistryError } from '@rollcall/wire'
import { type Meter, NO_METER } from '../metrics.js'
import type { HeapRoom } from './heap-room.js'
import { limitRefusal } from './limit.js'
import { isShared, PEER_DEFAULTS, type PeerBounds, peerOf } from './peer.js'

/** Share of the whole up to which no peer is bounded by itself. */
const PRESSURE = 0.75

export interface BudgetDeps {
  readonly bounds?: PeerBounds
  /** Refusals are counted there, by quota. */
  readonly meter?: Meter
  /** Where it is an amount of memory: the heap that it is taken from. */
  readonly heap?: HeapRoom
}

export interface BudgetOptions {
  /** Its name in refusals and metrics: the setting that bounds it, if one does. */
  readonly quota: string
  /** Most of it, all peers together. */
  readonly max: number
  /** What it is an amount of, in words: `bytes of unsent answers`. */
  readonly what: string
  /** Whether it is an amount of bytes. Default: it counts things. */
  readonly bytes?: boolean
}

export class Budget {
  readonly quota: string
  readonly max: number
  readonly bytes: boolean
  private readonly what: string
  private readonly bounds: PeerBounds
  private readonly meter: Meter
  private readonly heap: HeapRoom | undefined
  /** What each peer holds; those that hold nothing are not in it. */
  private readonly held = new Map<string, number>()
  private total = 0

  constructor(
    { bounds = PEER_DEFAULTS, meter = NO_METER, heap }: BudgetDeps,
    { quota, max, what, bytes = false }: BudgetOptions,
  ) {
    this.bounds = bounds
    this.meter = meter
    this.heap = heap
    this.quota = quota
    this.max = max
    this.what = what
    this.bytes = bytes
  }

  /** What is held, all peers together. */
  get used(): number {
    return this.total
  }

  /** Peers that hold something. */
  get peers(): number {
    return this.held.size
  }

  /** What the peer of the address holds. */
  usedBy(address: string | undefined): number {
    return this.held.get(keyOf(address)) ?? 0
  }

  /** Takes an amount for the peer of an address (undefined: the node itself). Throws `limit_exceeded` and changes nothing where there is no room. */
  take(address: string | undefined, amount: number): void {
    demandRoom(this.refusal(address, amount))
    this.add(address, amount)
  }

  /** Why an amount cannot be taken, or undefined, as always where it is none. A refusal is counted. */
  refusal(address: string | undefined, amount: number): ErrorBody | undefined {
    const over = this.over(address, amount)
    if (over === undefined) return this.heap?.refusal(amount)
    const subject = over === 'node' ? 'the node holds' : 'near the limit of the node, its address holds'
    return limitRefusal(this.meter, {
      quota: this.quota,
      max: over === 'node' ? this.max : this.share,
      over,
      message: `${subject} as many ${this.what} as it may`,
    })
  }

  /** Whether an amount could be taken. */
  fits(address: string | undefined, amount: number): boolean {
    return this.over(address, amount) === undefined
  }

  /** Takes an amount whether or not there is room: for what was acknowledged before, and for what must get through. */
  add(address: string | undefined, amount: number): void {
    const key = keyOf(address)
    const before = this.held.get(key) ?? 0
    const held = Math.max(0, before + amount)
    // A mistake in the node's own books is told, and costs no caller anything.
    if (before + amount < 0) this.meter.count('rollcall_budget_faults_total', 1, this.quota)
    if (held === 0) this.held.delete(key)
    else this.held.set(key, held)
    this.total += held - before
    this.heap?.add(held - before)
  }

  /** Gives back what was taken for the peer of an address. */
  give(address: string | undefined, amount: number): void {
    this.add(address, -amount)
  }

  private get share(): number {
    return Math.ceil(this.max * this.bounds.share)
  }

  private over(address: string | undefined, amount: number): 'peer' | 'node' | undefined {
    if (amount <= 0) return undefined
    const total = this.total + amount
    if (total > this.max) return 'node'
    if (address === undefined || total <= this.max * PRESSURE) return undefined
    if (this.usedBy(address) + amount <= this.share || isShared(address, this.bounds)) return undefined
    return 'peer'
  }
}

/** Throws a refusal, if there is one. */
export function demandRoom(refusal: ErrorBody | undefined): void {
  if (refusal === undefined) return
  const { code, message, details = {} } = refusal
  throw new RegistryError(code, message, { details })
}

/** The node itself is no peer: its name is none that an address has. */
function keyOf(address: string | undefined): string {
  return address === undefined ? '' : peerOf(address)
}
