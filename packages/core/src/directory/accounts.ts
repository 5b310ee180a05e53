/**
 * The books of a directory: which budget each record is charged to, and which peer pays. What stays of a record after its
 * deregistration is paid for from its registration on, so it can always be deregistered, and what it offers in addition
 * has another budget: the dead take no room from the living. What was never registered here has a third one.
 */
import type { ErrorBody } from '@rollcall/wire'
import type { Budget } from '../budgets/budget.js'
import type { HeapRoom } from '../budgets/heap-room.js'
import type { StoredRecord } from '../records/record.js'
import { recordBytes, tombstoneBytes } from '../records/size.js'
import { isLive, isStray, shownState } from '../records/state.js'
import type { Cause } from './change.js'
import type { Entry, GroupNode, ServiceNode } from './nodes.js'

export interface RecordBudgets {
  readonly heap: Pick<HeapRoom, 'used' | 'max'>
  /** Listed instances. */
  readonly instances: Budget
  /** Bytes of what listed instances offer. */
  readonly recordBytes: Budget
  /** Bytes that stay of what was registered, until it is forgotten, with what the expired offered. */
  readonly tombstoneBytes: Budget
  /** Bytes of the tombstones of ids that were never registered here. */
  readonly strayBytes: Budget
}

/** Share of the memory for records, and of the heap, up to which there is room for more than is needed. */
const ROOMY = 0.5

/** As what a record is held. All but the listed are hidden and remembered for a while. */
export const ACCOUNTS = ['listed', 'expired', 'deregistered', 'stray'] as const

export type Account = (typeof ACCOUNTS)[number]

/** How much is held in an account. */
export interface Balance {
  records: number
  bytes: number
}

/** What entries stand in: its cost beyond the first record is charged once. */
export interface Place {
  /** Who needed it first pays, as long as anything stands in it; strays until something is registered there. */
  paidAs: 'registered' | 'stray' | undefined
  payer: string | undefined
}

/** What a record costs, and how much of that stays when it is deregistered. */
interface Price {
  readonly record: StoredRecord
  readonly bytes: number
  readonly kept: number
}

/** Where a record stands, as far as that is there. */
export interface Site {
  readonly service: ServiceNode | undefined
  readonly group: GroupNode | undefined
  readonly entry: Entry | undefined
}

/** A service beside its names, with the namespace that it may be the only one of. Measured: 1,000, and 1,800 with that. */
const SERVICE_BYTES = 1_800

/** A group beside its name. Measured: 350. */
const GROUP_BYTES = 400

export function serviceBytes({ namespace, service }: Pick<ServiceNode, 'namespace' | 'service'>): number {
  return SERVICE_BYTES + namespace.length + service.length
}

export function groupBytes({ group }: Pick<GroupNode, 'group'>): number {
  return GROUP_BYTES + group.length
}

export class Accounts {
  private readonly budgets: RecordBudgets
  private readonly balances: Readonly<Record<Account, Balance>> = {
    listed: { records: 0, bytes: 0 },
    expired: { records: 0, bytes: 0 },
    deregistered: { records: 0, bytes: 0 },
    stray: { records: 0, bytes: 0 },
  }

  /** The record that was looked at last. */
  private priced: Price | undefined

  constructor(budgets: RecordBudgets) {
    this.budgets = budgets
  }

  balance(account: Account): Readonly<Balance> {
    return this.balances[account]
  }

  /**
   * Why there is no room for a record where it stands, on behalf of a peer. What expired may come back at any time,
   * because any sound of it brings it back.
   */
  refusal(site: Site, record: StoredRecord, peer: string | undefined): ErrorBody | undefined {
    const { instances, recordBytes: offers, tombstoneBytes: tombstones, strayBytes: strays } = this.budgets
    const { entry } = site
    const account = accountOf(record)
    const places = placesBytes(site, record, account)
    const { bytes, kept } = this.priceOf(record)
    if (account === 'stray')
      return strays.refusal(peer, places + bytes - (entry?.account === 'stray' ? entry.bytes : 0))
    if (account === 'deregistered') return undefined
    const held = entry?.account === 'stray' ? undefined : entry
    const offersNothing = held === undefined || held.account === 'deregistered'
    const offered = bytes - kept - (offersNothing ? 0 : held.bytes - held.tombstoneBytes)
    return (
      (offersNothing ? instances.refusal(peer, 1) : undefined) ??
      tombstones.refusal(peer, places + kept - (held?.tombstoneBytes ?? 0)) ??
      // What is offered goes there when it expires, room or not: where that went too far nothing may grow.
      (offered > 0 ? tombstones.refusal(undefined, 1) : undefined) ??
      offers.refusal(peer, offered)
    )
  }

  /** Whether there is room for what can be done without: what those who left offered, so that it could be undone. */
  get isRoomy(): boolean {
    const { recordBytes: offers, tombstoneBytes: tombstones, heap } = this.budgets
    return [offers, tombstones, heap].every(({ used, max }) => used <= max * ROOMY)
  }

  /** Charges what the entry holds by now instead of what it held before. */
  settle(entry: Entry, previous: StoredRecord | undefined, cause: Cause): void {
    const { record } = entry
    const account = accountOf(record)
    const same = previous?.content === record.content && previous.override === record.override
    const { bytes, kept } = same ? { bytes: entry.bytes, kept: entry.tombstoneBytes } : this.priceOf(record)
    const payer = payerOf(entry, previous, cause)
    if (account === entry.account && bytes === entry.bytes && payer === entry.payer) return
    if (previous !== undefined) this.charge(entry, -1)
    entry.account = account
    entry.bytes = bytes
    entry.tombstoneBytes = kept
    entry.payer = payer
    this.charge(entry, 1)
  }

  /** The entry is forgotten. */
  close(entry: Entry): void {
    this.charge(entry, -1)
  }

  /** An entry stands in a place from now on: it pays for that, unless one of its kind does already. */
  entered(place: Place, bytes: number, { account, payer }: Entry): void {
    const as = account === 'stray' ? 'stray' : 'registered'
    if (place.paidAs === 'registered' || place.paidAs === as) return
    this.left(place, bytes)
    place.paidAs = as
    place.payer = payer
    this.budgetOf(as).add(payer, bytes)
  }

  /** Nothing stands in a place any more. */
  left(place: Place, bytes: number): void {
    if (place.paidAs === undefined) return
    this.budgetOf(place.paidAs).give(place.payer, bytes)
    place.paidAs = undefined
    place.payer = undefined
  }

  /** What is admitted is charged in the same step, at the same price. */
  private priceOf(record: StoredRecord): Price {
    if (this.priced?.record !== record)
      this.priced = { record, bytes: recordBytes(record), kept: tombstoneBytes(record) }
    return this.priced
  }

  private budgetOf(as: 'registered' | 'stray'): Budget {
    return as === 'stray' ? this.budgets.strayBytes : this.budgets.tombstoneBytes
  }

  private charge({ account, bytes, tombstoneBytes: kept, payer }: Entry, sign: 1 | -1): void {
    const { instances, recordBytes: offers } = this.budgets
    const isListed = account === 'listed'
    if (isListed) {
      instances.add(payer, sign)
      offers.add(payer, sign * (bytes - kept))
    }
    const budget = this.budgetOf(account === 'stray' ? 'stray' : 'registered')
    budget.add(payer, sign * (isListed ? kept : bytes))
    const balance = this.balances[account]
    balance.records += sign
    balance.bytes += sign * bytes
  }
}

/** Bytes of the places that a record is the first one of its kind in. */
function placesBytes({ service, group }: Site, record: StoredRecord, account: Account): number {
  return (pays(service, account) ? serviceBytes(record) : 0) + (pays(group, account) ? groupBytes(record) : 0)
}

function pays(place: Place | undefined, account: Account): boolean {
  const paidAs = place?.paidAs
  return paidAs === undefined || (paidAs === 'stray' && account !== 'stray')
}

function accountOf(record: StoredRecord): Account {
  if (shownState(record) !== null) return 'listed'
  if (isLive(record)) return 'expired'
  return isStray(record) ? 'stray' : 'deregistered'
}

/** Where a registration came from; for what was never registered, where the deregistration did. */
function payerOf(entry: Entry, previous: StoredRecord | undefined, cause: Cause): string | undefined {
  if (isLive(entry.record)) return entry.record.content.peer
  if (previous !== undefined) return entry.payer
  return cause.kind === 'removal' ? cause.peer : undefined
}
