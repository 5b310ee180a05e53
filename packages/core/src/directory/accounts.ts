/**
 * The books of a directory: which budget each record is charged to, and which peer pays. The room of what was registered
 * is kept from its registration until it is forgotten, so that it can always be deregistered. What was never registered
 * here has a budget of its own: the dead of strangers take no room from the living.
 */
import type { ErrorBody } from '@rollcall/wire'
import type { Budget } from '../budgets/budget.js'
import type { HeapRoom } from '../budgets/heap-room.js'
import type { StoredRecord } from '../records/record.js'
import { recordBytes } from '../records/size.js'
import { isLive, isStray, shownState } from '../records/state.js'
import type { Cause } from './change.js'
import type { Entry } from './nodes.js'

export interface RecordBudgets {
  readonly heap: Pick<HeapRoom, 'used' | 'max'>
  /** Listed instances. */
  readonly instances: Budget
  /** Bytes of what was registered: listed, expired and deregistered. */
  readonly recordBytes: Budget
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

export class Accounts {
  private readonly budgets: RecordBudgets
  private readonly balances: Readonly<Record<Account, Balance>> = {
    listed: { records: 0, bytes: 0 },
    expired: { records: 0, bytes: 0 },
    deregistered: { records: 0, bytes: 0 },
    stray: { records: 0, bytes: 0 },
  }

  constructor(budgets: RecordBudgets) {
    this.budgets = budgets
  }

  balance(account: Account): Readonly<Balance> {
    return this.balances[account]
  }

  /**
   * Why there is no room for a record in the place of what the entry of its key holds, on behalf of a peer. What expired
   * may come back at any time, because any sound of it brings it back.
   */
  refusal(entry: Entry | undefined, record: StoredRecord, peer: string | undefined): ErrorBody | undefined {
    const { instances, recordBytes: registered, strayBytes } = this.budgets
    const held = entry?.account
    const bytes = recordBytes(record)
    const freed = entry?.bytes ?? 0
    if (accountOf(record) === 'stray')
      return strayBytes.refusal(peer, held === 'stray' ? bytes - freed : bytes)
    const stranger = held === undefined || held === 'stray'
    const returns = stranger || held === 'deregistered'
    return (
      (returns ? instances.refusal(peer, 1) : undefined) ??
      registered.refusal(peer, stranger ? bytes : bytes - freed)
    )
  }

  /** Whether there is room for what can be done without: what those who left offered, so that it could be undone. */
  get isRoomy(): boolean {
    const { recordBytes: registered, heap } = this.budgets
    return registered.used <= registered.max * ROOMY && heap.used <= heap.max * ROOMY
  }

  /** Charges what the entry holds by now instead of what it held before. */
  settle(entry: Entry, previous: StoredRecord | undefined, cause: Cause): void {
    const { record } = entry
    const account = accountOf(record)
    const same = previous?.content === record.content && previous.override === record.override
    const bytes = same ? entry.bytes : recordBytes(record)
    const payer = payerOf(entry, previous, cause)
    if (account === entry.account && bytes === entry.bytes && payer === entry.payer) return
    if (previous !== undefined) this.charge(entry, -1)
    entry.account = account
    entry.bytes = bytes
    entry.payer = payer
    this.charge(entry, 1)
  }

  /** The entry is forgotten. */
  close(entry: Entry): void {
    this.charge(entry, -1)
  }

  private charge({ account, bytes, payer }: Entry, sign: 1 | -1): void {
    const { instances, recordBytes: registered, strayBytes } = this.budgets
    if (account === 'listed') instances.add(payer, sign)
    const budget = account === 'stray' ? strayBytes : registered
    budget.add(payer, sign * bytes)
    const balance = this.balances[account]
    balance.records += sign
    balance.bytes += sign * bytes
  }
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
