/** What a directory is made of: services, their groups, and the entry of each instance. */
import { type ServiceSettings, SignSum, type State } from '@rollcall/wire'
import type { StoredRecord } from '../records/record.js'
import { removal } from '../records/state.js'
import type { Account, Place } from './accounts.js'
import { Departed, type Departing } from './departed.js'
import { History, type HistoryBudget } from './history.js'

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
  /** Lanes of the shown digest as signed integers, because a number above 2^31 is an object of its own; meaningless while hidden. */
  hi: number
  lo: number
  /** What it is charged for, and to which peer; the books write it. */
  account: Account
  bytes: number
  /** Those of them that are held until it is forgotten. */
  tombstoneBytes: number
  payer: string | undefined
  /** What the one follower that took the slot keeps of it. */
  slot: unknown
  /** What the engine holds under this key, as far as is known; the same object as `record` where both agree. The replica writes it. */
  published: StoredRecord | undefined
  /** Revision of that in the engine; 0: the engine holds nothing. */
  revision: number
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

export interface GroupNode extends Place {
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

export interface ServiceNode extends Place {
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

/** A service with nothing in it. */
export function createService(namespace: string, service: string, history: HistoryBudget): ServiceNode {
  return {
    namespace,
    service,
    entries: new Set(),
    departed: new Departed(),
    strays: new Departed(),
    groups: new Map(),
    sum: new SignSum(),
    history: new History(history),
    settings: undefined,
    total: 0,
    listed: false,
    index: 0,
    paidAs: undefined,
    payer: undefined,
  }
}

function createGroup(group: string): GroupNode {
  return {
    group,
    entries: new Map(),
    sum: new SignSum(),
    total: 0,
    up: 0,
    index: 0,
    paidAs: undefined,
    payer: undefined,
  }
}

/** An entry that nothing is derived from yet, and that nothing is charged for. */
export function createEntry(service: ServiceNode, record: StoredRecord, now: number): Entry {
  return {
    key: `${record.group}/${record.id}`,
    service,
    record,
    state: null,
    since: now,
    hi: 0,
    lo: 0,
    slot: undefined,
    published: undefined,
    revision: 0,
    account: 'stray',
    bytes: 0,
    tombstoneBytes: 0,
    payer: undefined,
    older: undefined,
    newer: undefined,
  }
}

/** The group of a service, made where there is none yet. */
export function groupOf(service: ServiceNode, name: string): GroupNode {
  let group = service.groups.get(name)
  if (group === undefined) {
    group = createGroup(name)
    service.groups.set(name, group)
  }
  return group
}

/** Notes in the history of a service what a change of one of its entries is. */
export function rememberChange(
  entry: Entry,
  group: GroupNode,
  previous: StoredRecord | undefined,
  after: State | null,
): void {
  const { service, record } = entry
  const removed = removal(previous, record, after)
  service.history.push(
    {
      key: entry.key,
      group: record.group,
      id: record.id,
      hi: service.sum.hi | 0,
      lo: service.sum.lo | 0,
      groupHi: group.sum.hi | 0,
      groupLo: group.sum.lo | 0,
      removed,
    },
    service.total,
  )
}

/** Where an entry stands in its service. */
export function placeOf({ account, service }: Entry): Set<Entry> | Departed<Entry> {
  if (account === 'listed') return service.entries
  return account === 'stray' ? service.strays : service.departed
}
