/** What a directory is made of: services, their groups, and the entry of each instance. */
import type { ServiceSettings, SignSum, State } from '@rollcall/wire'
import type { StoredRecord } from '../records/record.js'
import type { Account } from './accounts.js'
import type { Departed, Departing } from './departed.js'
import type { History } from './history.js'

/** One instance in memory: its record and what is derived from it. */
export interface Entry extends Departing<Entry> {
  /** Group and id; unique within the service. Names cannot contain the slash between them. */
  readonly key: string
  readonly service: ServiceNode
  record: StoredRecord
  /** Shown state, or null while hidden. */
  state: State | null
  /** When this incarnation entered this state or was hidden, on the node's monotonic clock. */
  since: number
  /** Lanes of the shown digest; meaningless while hidden. */
  hi: number
  lo: number
  /** What it is charged for, and to which peer; the books write it. */
  account: Account
  bytes: number
  payer: string | undefined
  /** What the one follower that took the slot keeps of it. */
  slot: unknown
}

/**
 * The place on every entry that one follower may take for what it keeps of it: beats look there, and a map beside the
 * directory would cost each of them a search.
 */
export class EntrySlot<T> {
  get({ slot }: Entry): T | undefined {
    return slot as T | undefined
  }

  set(entry: Entry, value: T | undefined): void {
    entry.slot = value
  }
}

export interface GroupNode {
  readonly group: string
  /** Records held by id, hidden ones included. */
  readonly entries: Map<string, Entry>
  readonly sum: SignSum
  /** Listed instances. */
  total: number
  /** Listed instances in state `up`. */
  up: number
  /** The feed's index of the last change; 0 before the first. */
  index: number
}

export interface ServiceNode {
  readonly namespace: string
  readonly service: string
  /** Listed ones, in the order in which they came. */
  readonly entries: Set<Entry>
  /** Hidden ones, in the order in which they left. */
  readonly departed: Departed<Entry>
  /** Tombstones of ids that were never registered here. */
  readonly strays: Departed<Entry>
  readonly groups: Map<string, GroupNode>
  readonly sum: SignSum
  readonly history: History
  settings: ServiceSettings | undefined
  /** Listed instances. */
  total: number
  /** Whether it stands in the list of services: a service of which only tombstones are left does not. */
  listed: boolean
  /** The feed's index of the last change; 0 before the first. */
  index: number
}
