/**
 * The feed: what changed in each namespace, in the order in which it happened, for readers that hold whole namespaces
 * (a registry of another protocol, a console). It names keys; the directory has the values. Every change of what is
 * listed has a number, the index; services and groups know the index of their last one. A change costs O(1). Changes are
 * remembered once there is a reader: before that the feed counts them and is answered `lost`.
 *
 * An index belongs to one boot of one node. It starts from the date of the boot, so that a later boot counts on above an
 * earlier one while the machine's clock does not go back, and an index that this boot has not given out is answered
 * `lost`. Between nodes and boots lists are compared by their signs: the sign is the resume token, the index is not.
 */
import { ALL_NAMESPACES, type RemoveReason, type ViewName } from '@rollcall/wire'
import type { Change, Follower } from '../directory/change.js'
import type { Directory, Entry, ServiceNode } from '../directory/directory.js'
import { Fifo } from '../directory/fifo.js'
import type { Meter } from '../metrics.js'
import type { DeclarationKind } from '../records/declaration.js'
import { hiddenReason } from '../records/state.js'

interface ListedChange {
  readonly index: number
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
  readonly incarnation: number
}

/**
 * What happened to an instance, to the declaration of a service, or to a namespace as a whole: its settings, its freeze
 * (`*` for all namespaces). `added` and `changed` both mean: take what the directory has now; it was `added` where it was
 * not listed at the reader's index, or left since.
 */
export type FeedChange =
  | ({ readonly kind: 'added' | 'changed' } & ListedChange)
  | ({ readonly kind: 'removed'; readonly reason: Exclude<RemoveReason, 'replaced'> } & ListedChange)
  | { readonly kind: 'service'; readonly index: number; readonly namespace: string; readonly service: string }
  | { readonly kind: 'namespace'; readonly index: number; readonly namespace: string }

/** What a reader that is at an index has to do to be at `next`. */
export type FeedAnswer =
  /** Take these over; `more` = then ask again from `next`. */
  | {
      readonly kind: 'changes'
      readonly changes: readonly FeedChange[]
      readonly next: number
      readonly more: boolean
    }
  /** The index is none of this boot, or a change after it is no longer remembered: list everything, go on from `next`. */
  | { readonly kind: 'lost'; readonly next: number }

/** A namespace, a service in it, or a group of that. */
export type FeedName = Pick<ViewName, 'namespace'> & Partial<ViewName>

/** What a remembered change is charged for, in bytes: the object, its two places and its share of the strings. */
export const CHANGE_BYTES = 192

/**
 * What an index grows by in a millisecond without changes, seen from boot to boot: a node that makes fewer changes on
 * average boots above all indices it gave out before. Indices stay exact numbers until the year 2255.
 */
const INDICES_PER_MS = 1_000

/** A namespace that the directory holds, or of which a change is remembered. */
interface Row {
  /** Index of the last change. */
  index: number
  /** The highest index of the services that vanished from it; a service that is not there is answered with it. */
  vanished: number
  /** Index of the last change that is no longer remembered. */
  dropped: number
  /** Indices of those that are. */
  readonly indices: Fifo<number>
}

export interface FeedDeps {
  readonly directory: Directory
  readonly meter: Meter
}

export interface FeedOptions {
  /** The date of the boot. */
  readonly wallNow: number
  /** For the changes of all namespaces together; beyond it the oldest of any goes first. */
  readonly bytesMax: number
}

export class Feed implements Follower {
  private readonly directory: Directory
  private readonly meter: Meter
  private readonly changesMax: number
  private readonly rows = new Map<string, Row>()
  /** What concerns all namespaces at once. */
  private everywhere: Row
  /** Remembered changes of all namespaces, oldest first. Their indices have no gaps and end at `last`. */
  private changes = new Fifo<FeedChange>()
  private last: number
  /** Services that have not changed since are answered with this index. */
  private begun: number
  /** The highest index of the namespaces that vanished; one that is not there is answered with it. */
  private vanished: number
  private remembers = false

  constructor({ directory, meter }: FeedDeps, { wallNow, bytesMax }: FeedOptions) {
    this.directory = directory
    this.meter = meter
    this.changesMax = Math.max(1, Math.floor(bytesMax / CHANGE_BYTES))
    this.last = Math.max(1, Math.floor(wallNow) * INDICES_PER_MS)
    this.begun = this.last
    this.vanished = this.last
    this.everywhere = createRow(this.last)
  }

  /** A reader came: from now on changes are remembered. */
  open(): void {
    this.remembers = true
  }

  /** Index of the last change of anything. */
  get index(): number {
    return this.last
  }

  /** Bytes charged at present. */
  get bytes(): number {
    return this.changes.length * CHANGE_BYTES
  }

  /**
   * Index of the last change of a namespace, a service or a group. Never 0, and it never goes back while the node runs,
   * also when the service leaves and returns: a service that is not there has the highest index of those that left its
   * namespace, a group that is not there the index of its service. Settings and freezes of a namespace raise the index of
   * the namespace only.
   */
  indexOf({ namespace, service, group }: FeedName): number {
    const row = this.rows.get(namespace)
    if (service === undefined) return Math.max(row?.index ?? this.vanished, this.everywhere.index)
    const node = this.directory.find(namespace, service)
    if (node === undefined) return row?.vanished ?? this.vanished
    const view = (group === undefined ? undefined : node.groups.get(group)) ?? node
    return Math.max(view.index, this.begun)
  }

  /**
   * The changes of a namespace, or of all, after an index: each key once, in the order of the last changes. At most
   * `limit` changes are looked at. The removal of an instance is told also to a reader whose index is from before it came:
   * a reader that lists in pages may have met it there.
   */
  since(namespace: string | undefined, index: number, limit: number): FeedAnswer {
    this.open()
    if (index > this.last || index < this.droppedOf(namespace)) {
      this.meter.count('rollcall_feed_lost_total')
      return { kind: 'lost', next: this.last }
    }
    const latest = new Map<string, FeedChange>()
    let next = index
    let looked = 0
    for (const change of namespace === undefined ? this.after(index) : this.afterIn(namespace, index)) {
      if (looked++ === limit) return { kind: 'changes', changes: [...latest.values()], next, more: true }
      next = change.index
      compact(latest, change)
    }
    return { kind: 'changes', changes: [...latest.values()], next: this.last, more: false }
  }

  changed(change: Change): void {
    const { entry } = change
    const { service, record } = entry
    const group = service.groups.get(record.group)
    if (!change.visible) {
      // A hidden record may be all there is of a service: it starts where it was answered before it was there.
      this.obtain(service.namespace)
      if (service.index === 0) service.index = this.vanishedOf(service.namespace)
      if (group?.index === 0) group.index = service.index
      return
    }
    const index = this.last + 1
    service.index = index
    if (group !== undefined) group.index = index
    const { namespace, service: name } = service
    if (!this.remembers) return this.skip(this.obtain(namespace), index)
    const { group: groupName, id, incarnation } = record
    // Written out: spreading a common part costs more than all the rest.
    this.push(
      namespace,
      change.after === null
        ? {
            kind: 'removed',
            index,
            namespace,
            service: name,
            group: groupName,
            id,
            incarnation,
            reason: hiddenReason(record),
          }
        : {
            kind: change.before === null ? 'added' : 'changed',
            index,
            namespace,
            service: name,
            group: groupName,
            id,
            incarnation,
          },
    )
  }

  forgotten({ service }: Entry): void {
    if (this.directory.find(service.namespace, service.service) === service) return
    this.leave(service)
    this.release(service.namespace)
  }

  /**
   * Something was declared, or a declaration was taken back, of a service or of a namespace as a whole. What is kept for clients
   * is nothing of what is listed.
   */
  declared({ kind, namespace, service }: FeedName & { readonly kind?: DeclarationKind }): void {
    if (kind === 'value') return
    const index = this.last + 1
    if (service === undefined) return this.push(namespace, { kind: 'namespace', index, namespace })
    this.push(namespace, { kind: 'service', index, namespace, service })
    const node = this.directory.find(namespace, service)
    if (node !== undefined) node.index = index
    else this.obtain(namespace).vanished = index
  }

  /** The directory was filled without changes to follow: whatever was read before is to be read anew. */
  restart(): void {
    this.last++
    this.begun = this.last
    this.vanished = this.last
    this.rows.clear()
    this.changes = new Fifo()
    this.everywhere = createRow(this.last)
    for (const namespace of this.directory.namespaceNames()) this.rows.set(namespace, createRow(this.last))
  }

  private push(namespace: string, change: FeedChange): void {
    const row = namespace === ALL_NAMESPACES ? this.everywhere : this.obtain(namespace)
    if (!this.remembers) return this.skip(row, change.index)
    this.last = change.index
    row.index = change.index
    row.indices.push(change.index)
    this.changes.push(change)
    if (this.changes.length > this.changesMax) this.dropOldest()
  }

  /** A change that no reader will ask for. */
  private skip(row: Row, index: number): void {
    this.last = index
    row.index = index
    row.dropped = index
  }

  private dropOldest(): void {
    const change = this.changes.shift()
    if (change === undefined) return
    const { namespace, index } = change
    const row = namespace === ALL_NAMESPACES ? this.everywhere : this.obtain(namespace)
    row.indices.shift()
    row.dropped = index
    this.release(namespace)
  }

  private droppedOf(namespace: string | undefined): number {
    if (namespace === undefined) return this.last - this.changes.length
    return Math.max(this.rows.get(namespace)?.dropped ?? this.vanished, this.everywhere.dropped)
  }

  private vanishedOf(namespace: string): number {
    return this.rows.get(namespace)?.vanished ?? this.vanished
  }

  /** A service vanished: from now on it is answered with what it had, or more. */
  private leave({ namespace, index }: ServiceNode): void {
    const row = this.obtain(namespace)
    row.vanished = Math.max(row.vanished, index)
  }

  private obtain(namespace: string): Row {
    let row = this.rows.get(namespace)
    if (row === undefined) {
      row = createRow(this.vanished)
      this.rows.set(namespace, row)
    }
    return row
  }

  private release(namespace: string): void {
    const row = this.rows.get(namespace)
    if (row === undefined || row.indices.length > 0 || this.directory.hasNamespace(namespace)) return
    this.vanished = Math.max(this.vanished, row.index)
    this.rows.delete(namespace)
  }

  private *after(index: number): IterableIterator<FeedChange> {
    for (let place = this.placeOf(index + 1); place < this.changes.length; place++) yield this.changeAt(place)
  }

  /** Changes of a namespace together with those of all. */
  private *afterIn(namespace: string, index: number): IterableIterator<FeedChange> {
    const own = this.rows.get(namespace)?.indices ?? new Fifo<number>()
    const common = this.everywhere.indices
    let ownPlace = placeAfter(own, index)
    let commonPlace = placeAfter(common, index)
    for (;;) {
      const next = Math.min(own.at(ownPlace) ?? Infinity, common.at(commonPlace) ?? Infinity)
      if (next === Infinity) return
      if (own.at(ownPlace) === next) ownPlace++
      else commonPlace++
      yield this.changeAt(this.placeOf(next))
    }
  }

  private placeOf(index: number): number {
    return index - (this.last - this.changes.length) - 1
  }

  private changeAt(place: number): FeedChange {
    const change = this.changes.at(place)
    if (change === undefined) throw new Error('the feed has a gap')
    return change
  }
}

function createRow(index: number): Row {
  return { index, vanished: index, dropped: index, indices: new Fifo() }
}

/** The first place whose index is higher. */
function placeAfter(indices: Fifo<number>, index: number): number {
  let low = 0
  let high = indices.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((indices.at(middle) ?? Infinity) > index) high = middle
    else low = middle + 1
  }
  return low
}

/** Puts a change in the place of earlier ones of its key. */
function compact(latest: Map<string, FeedChange>, change: FeedChange): void {
  const key = keyOf(change)
  const earlier = latest.get(key)
  latest.delete(key)
  const isNew = earlier?.kind === 'added' && change.kind === 'changed'
  latest.set(key, isNew ? { ...change, kind: 'added' } : change)
}

/** Names cannot contain the slash between them. */
function keyOf(change: FeedChange): string {
  if (change.kind === 'namespace') return change.namespace
  if (change.kind === 'service') return `${change.namespace}/${change.service}`
  return `${change.namespace}/${change.service}/${change.group}/${change.id}`
}
