/**
 * The three-level store: namespace and service, group, instance. It merges records, keeps the sign of every
 * view up to date at O(1) per change, and remembers recent changes. It knows nothing of time-outs or peers.
 */
import {
  defined,
  type ErrorBody,
  type NamespaceSettings,
  type ServiceSettings,
  SignSum,
  type State,
  type ViewName,
} from '@rollcall/wire'
import type { Budget } from '../budgets/budget.js'
import { Accounts, groupBytes, type RecordBudgets, serviceBytes, type Site } from './accounts.js'
import type { Cause, Change, Follower } from './change.js'
import { DeclarationBook } from './declaration-book.js'
import { FoldedNames } from './folded-names.js'
import { Freezes } from './freezes.js'
import { KeptValues } from './kept-values.js'
import { Namespaces } from './namespaces.js'
import type { HistoryBudget } from './history.js'
import { Listing } from './listing.js'
import {
  createEntry,
  createService,
  type Entry,
  EntrySlot,
  type GroupNode,
  groupOf,
  placeOf,
  rememberChange,
  type ServiceNode,
} from './nodes.js'
import { merge } from '../records/merge.js'
import { type Declaration, declarationKey } from '../records/declaration.js'
import type { InstanceKey, StoredRecord } from '../records/record.js'
import { joinRegisters } from '../records/register.js'
import { isLive, isStray, shownDigest, shownState } from '../records/state.js'

export type { Entry, EntrySlot, GroupNode, ServiceNode } from './nodes.js'

/** What a directory is charged to. */
export interface DirectoryBudgets extends RecordBudgets {
  /** Bytes of declarations. */
  readonly declarationBytes: Budget
}

export class Directory {
  private readonly namespaces = new Map<string, Map<string, ServiceNode>>()
  private readonly budget: HistoryBudget
  /** What records cost, and which peers pay for it. */
  readonly accounts: Accounts
  private readonly followers: Follower[] = []
  private readonly declared: DeclarationBook
  private slotTaken = false
  /** What operators froze. */
  readonly freezes: Freezes = new Freezes()
  readonly namespaceSettings: Namespaces
  /** What clients of other protocols have kept. */
  readonly values: KeptValues = new KeptValues()
  /** The list of services. */
  readonly listing: Listing<ServiceNode> = new Listing<ServiceNode>()
  /** The same, by names without case. */
  readonly foldedNames: FoldedNames = new FoldedNames()
  /** Records held, hidden ones included. */
  records = 0
  /** Services held, declared ones without records included. */
  services = 0
  /** Counts what changes a list, or which services there are. */
  version = 0
  /** Listed instances by state. */
  readonly states: Record<State, number> = {
    starting: 0,
    up: 0,
    suspect: 0,
    down: 0,
    draining: 0,
    disabled: 0,
  }
  /** Listed instances by namespace, and the sum of their digests; none where there is none. */
  private readonly totals = new Map<string, { total: number; readonly sum: SignSum }>()
  /** An engine joins this node with others: what is deregistered is remembered until the engine has held and forgotten it. */
  joined = false
  private following = true

  constructor(
    history: HistoryBudget,
    budgets: DirectoryBudgets,
    configured: Readonly<Record<string, NamespaceSettings>> = {},
  ) {
    this.budget = history
    this.accounts = new Accounts(budgets)
    this.declared = new DeclarationBook(budgets.declarationBytes)
    this.namespaceSettings = new Namespaces(configured)
  }

  /** From now on each change is handed to these too, in this order and after those that follow already. */
  follow(...followers: readonly Follower[]): void {
    this.followers.push(...followers)
  }

  /** Hands out the slot of the entries, once. */
  takeSlot<T>(): EntrySlot<T> {
    if (this.slotTaken) throw new Error('the slot of the entries is taken')
    this.slotTaken = true
    return new EntrySlot()
  }

  find(namespace: string, service: string): ServiceNode | undefined {
    return this.namespaces.get(namespace)?.get(service)
  }

  entry(key: InstanceKey): Entry | undefined {
    return this.find(key.namespace, key.service)?.groups.get(key.group)?.entries.get(key.id)
  }

  /** Where a key stands. A step that asks several things of it looks it up once: each of these maps is as large as the node. */
  site(key: InstanceKey): Site {
    const service = this.find(key.namespace, key.service)
    const group = service?.groups.get(key.group)
    return { service, group, entry: group?.entries.get(key.id) }
  }

  /** Whether there is a service in the namespace, hidden ones included. */
  hasNamespace(namespace: string): boolean {
    return this.namespaces.has(namespace)
  }

  /** Listed instances of a namespace. */
  totalOf(namespace: string): number {
    return this.totals.get(namespace)?.total ?? 0
  }

  /** The sum behind the sign of all views of a namespace together; undefined where nothing is listed. */
  sumOf(namespace: string): SignSum | undefined {
    return this.totals.get(namespace)?.sum
  }

  *namespaceNames(): IterableIterator<string> {
    yield* this.namespaces.keys()
  }

  *servicesOf(namespace: string): IterableIterator<ServiceNode> {
    const services = this.namespaces.get(namespace)
    if (services !== undefined) yield* services.values()
  }

  *entries(): IterableIterator<Entry> {
    for (const services of this.namespaces.values()) {
      for (const service of services.values()) {
        yield* service.entries
        if (service.departed.size > 0) yield* service.departed
        if (service.strays.size > 0) yield* service.strays
      }
    }
  }

  /** Why there is no room for a record, on behalf of a peer. `site`: where it stands. */
  refusal(
    record: StoredRecord,
    peer: string | undefined,
    site: Site = this.site(record),
  ): ErrorBody | undefined {
    return this.accounts.refusal(site, record, peer)
  }

  /** The sum behind a view's sign, or undefined for a view that was never filled. */
  sum(name: ViewName): SignSum | undefined {
    const service = this.find(name.namespace, name.service)
    return name.group === undefined ? service?.sum : service?.groups.get(name.group)?.sum
  }

  /**
   * Merges a record in and hands the change to all that follow. Undefined when the record adds nothing. `site`: where it
   * stands, if nothing has changed since that was looked up.
   */
  propose(
    record: StoredRecord,
    cause: Cause,
    now: number,
    site: Site = this.site(record),
  ): Change | undefined {
    const change = this.apply(record, cause, now, site)
    if (change === undefined) return undefined
    if (this.following) for (const follower of this.followers) follower.changed?.(change, now)
    return change
  }

  private apply(incoming: StoredRecord, cause: Cause, now: number, site: Site): Change | undefined {
    const { entry: existing } = site
    const service = site.service ?? this.obtain(incoming.namespace, incoming.service)
    const group = site.group ?? groupOf(service, incoming.group)
    if (existing === undefined) {
      const entry = createEntry(service, incoming, now)
      group.entries.set(incoming.id, entry)
      this.records++
      return this.show(entry, group, undefined, cause, now)
    }
    const previous = existing.record
    const merged = merge(previous, incoming)
    if (merged === previous) return undefined
    existing.record = merged
    return this.show(existing, group, previous, cause, now)
  }

  /** Does something that nothing follows and no history remembers, because no client can have seen the middle of it. */
  unfollowed(step: () => void): void {
    this.following = false
    step()
    this.following = true
  }

  /** Forgets the override of a record that was taken back. Nothing follows: it had no effect any more. */
  forgetOverride(entry: Entry): void {
    const previous = entry.record
    const { override, ...record } = previous
    if (override?.value !== null) return
    entry.record = record
    this.hold(entry, groupOf(entry.service, record.group), previous, { kind: 'override' })
  }

  /** Drops a record altogether, and its service with the last one unless that is declared. */
  forget(entry: Entry): void {
    const { service } = entry
    if (entry.state !== null) throw new Error('a shown instance cannot be forgotten')
    const group = groupOf(service, entry.record.group)
    if (!group.entries.delete(entry.record.id)) return
    this.records--
    placeOf(entry).delete(entry)
    this.accounts.close(entry)
    if (group.entries.size === 0) {
      service.groups.delete(group.group)
      this.accounts.left(group, groupBytes(group))
    }
    this.collect(service)
    if (this.following) for (const follower of this.followers) follower.forgotten?.(entry)
  }

  /** Why there is no room for a declaration, on behalf of a peer. */
  declarationRefusal(declaration: Declaration, peer: string | undefined): ErrorBody | undefined {
    return this.declared.refusal(declaration, peer)
  }

  /** Merges a declaration in, which the peer pays for, and hands it to all that follow. False when it adds nothing. */
  declare(declaration: Declaration, now: number, peer?: string): boolean {
    const key = declarationKey(declaration)
    const held = this.declared.get(key)
    if (held !== undefined && joinRegisters(held.register, declaration.register) === held.register)
      return false
    this.declared.set(key, declaration, peer)
    this.settle(declaration, now)
    if (this.following) for (const follower of this.followers) follower.declared?.(declaration, now)
    return true
  }

  /** What is known of a declaration, also where it was taken back and that is remembered. */
  declaration(key: string): Declaration | undefined {
    return this.declared.get(key)
  }

  /** All declarations, also those taken back that are remembered; those of the configuration are none. */
  declarations(): Iterable<Declaration> {
    return this.declared.values()
  }

  /** Forgets a declaration that was taken back. Nothing follows: it had no effect any more. */
  forgetDeclaration(key: string): void {
    if (this.declared.get(key)?.register.value === null) this.declared.delete(key)
  }

  /** Brings what is declared into effect. */
  private settle(declaration: Declaration, now: number): void {
    const { kind, namespace, register } = declaration
    if (kind === 'service') this.settleService(namespace, declaration.service, declaration.register.value)
    else if (kind === 'namespace') this.namespaceSettings.set(namespace, declaration.register.value)
    else if (kind === 'value') this.values.settle(declaration)
    else if (register.value === null) this.freezes.clear(namespace)
    else this.freezes.set(namespace, defined({ by: register.by, why: register.why }), now)
  }

  private settleService(namespace: string, name: string, settings: ServiceSettings | null): void {
    if (settings !== null) {
      const service = this.obtain(namespace, name)
      service.settings = settings
      this.list(service)
      return
    }
    const service = this.find(namespace, name)
    if (service === undefined) return
    service.settings = undefined
    this.list(service)
    this.collect(service)
  }

  private list(service: ServiceNode): void {
    const listed = service.total > 0 || service.settings !== undefined
    this.version++
    if (listed === service.listed) return
    service.listed = listed
    for (const index of [this.listing, this.foldedNames]) {
      if (listed) index.add(service)
      else index.delete(service)
    }
  }

  private collect(service: ServiceNode): void {
    const { entries, departed, strays } = service
    if (entries.size + departed.size + strays.size > 0) return
    this.accounts.left(service, serviceBytes(service))
    if (service.settings !== undefined) return
    service.history.clear()
    const services = this.namespaces.get(service.namespace)
    if (services?.delete(service.service) === true) this.services--
    if (services?.size === 0) this.namespaces.delete(service.namespace)
  }

  private obtain(namespace: string, name: string): ServiceNode {
    let services = this.namespaces.get(namespace)
    if (services === undefined) {
      services = new Map()
      this.namespaces.set(namespace, services)
    }
    let service = services.get(name)
    if (service === undefined) {
      service = createService(namespace, name, this.budget)
      services.set(name, service)
      this.services++
    }
    return service
  }

  /** Derives what is shown from the record, and keeps sums, counts and history in step. */
  private show(
    entry: Entry,
    group: GroupNode,
    previous: StoredRecord | undefined,
    cause: Cause,
    now: number,
  ): Change {
    const { service, record } = entry
    const before = entry.state
    const after = shownState(record)
    const lanes = after !== null && isLive(record) ? shownDigest(record, after) : undefined
    const visible =
      lanes === undefined
        ? before !== null
        : before === null || (lanes.hi | 0) !== entry.hi || (lanes.lo | 0) !== entry.lo
    if (before !== after || isAnew(previous, record)) entry.since = now
    if (visible) {
      if (this.following) rememberChange(entry, group, previous, after)
      if (before !== null) this.count(entry, group, before, -1)
      if (lanes !== undefined && after !== null) {
        entry.hi = lanes.hi | 0
        entry.lo = lanes.lo | 0
        this.count(entry, group, after, 1)
      }
    }
    this.hold(entry, group, previous, cause)
    if (visible) this.list(service)
    entry.state = after
    return { entry, cause, visible, before, after, previous }
  }

  /** Charges the record, and puts its entry among those that are held as it is. */
  private hold(entry: Entry, group: GroupNode, previous: StoredRecord | undefined, cause: Cause): void {
    const before = previous === undefined ? undefined : placeOf(entry)
    this.accounts.settle(entry, previous, cause)
    const place = placeOf(entry)
    // Those who left stand in the order in which they did, each incarnation anew.
    if (place === before && (entry.account === 'listed' || !isAnew(previous, entry.record))) return
    before?.delete(entry)
    place.add(entry)
    const { service } = entry
    this.accounts.entered(service, serviceBytes(service), entry)
    this.accounts.entered(group, groupBytes(group), entry)
  }

  /** An instance is listed in a state, or is so no longer. */
  private count({ service, hi, lo }: Entry, group: GroupNode, state: State, by: 1 | -1): void {
    const { namespace } = service
    const all = this.totals.get(namespace) ?? { total: 0, sum: new SignSum() }
    for (const place of [all, service, group]) {
      place.total += by
      if (by > 0) place.sum.add(hi, lo)
      else place.sum.subtract(hi, lo)
    }
    this.states[state] += by
    if (state === 'up') group.up += by
    if (all.total === 0) this.totals.delete(namespace)
    else this.totals.set(namespace, all)
  }
}

/** Another incarnation, or one that is known now where only its end was. */
function isAnew(previous: StoredRecord | undefined, record: StoredRecord): boolean {
  if (previous?.incarnation !== record.incarnation) return true
  return isStray(previous) && !isStray(record)
}
