/** The shards of this process. */
import type { Instance } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import { Assignment } from './assignment.js'
import type { ListSource } from '../machine/events.js'
import { membersOf, ownMembers } from './members.js'
import type { Registration, ShardChange, Shards } from '../api.js'
import { abortedError } from '../machine/errors.js'
import { onAbort } from '../calls/signals.js'

/** Most shards of one service. */
export const SHARDS_MAX = 65_536

/** The sharing of work among the members of one service, as one client sees it. */
export class WorkSharing {
  private readonly registrations: () => Iterable<Registration>
  private readonly sets = new Map<number, ShardSet>()
  private list: readonly Instance[] = []
  private sorted: readonly Instance[] | undefined
  private source: ListSource = 'none'
  private stale = false
  private ended = false

  /** `registrations` of this process, of any service. */
  constructor(registrations: () => Iterable<Registration>) {
    this.registrations = registrations
  }

  members(): readonly Instance[] {
    this.sorted ??= membersOf(this.list)
    return this.sorted
  }

  /** The same object for the same count; throws `invalid_argument`. */
  shards(count: number): ShardSet {
    if (!Number.isInteger(count) || count < 1 || count > SHARDS_MAX)
      throw invalid(`the number of shards is 1 to ${SHARDS_MAX}, not ${count}`)
    const known = this.sets.get(count)
    if (known !== undefined) return known
    const set = new ShardSet(count, () => this.refresh())
    this.sets.set(count, set)
    this.stale = true
    this.refresh()
    if (this.ended) set.end()
    return set
  }

  /** A new list. */
  listed(list: readonly Instance[], source: ListSource): void {
    this.list = list
    this.source = source
    this.sorted = undefined
    this.changed()
  }

  /** The list or a registration of this process changed; thousands of these in one turn are one piece of work. */
  changed(): void {
    if (this.stale || this.sets.size === 0) return
    this.stale = true
    queueMicrotask(() => this.refresh())
  }

  /** Nothing more will come. */
  end(): void {
    this.refresh()
    this.ended = true
    for (const set of this.sets.values()) set.end()
  }

  private refresh(): void {
    if (!this.stale || this.ended) return
    this.stale = false
    const members = this.members()
    const own = ownMembers(members, this.registrations())
    for (const set of this.sets.values()) set.update(members, own, this.source)
  }
}

/** The shards of one count, as all handles of the service share them. */
export class ShardSet implements Shards {
  readonly count: number
  private readonly refresh: () => void
  private readonly assignment: Assignment
  private readonly iterators = new Set<ShardIterator>()
  private mine: readonly number[] = []
  private source: ListSource = 'none'
  private ended = false

  constructor(count: number, refresh: () => void) {
    this.count = count
    this.refresh = refresh
    this.assignment = new Assignment(count)
  }

  own(): readonly number[] {
    this.refresh()
    return this.mine
  }

  owner(shard: number): Instance | undefined {
    if (!Number.isInteger(shard) || shard < 0 || shard >= this.count)
      throw invalid(`${shard} is not one of ${this.count} shards`)
    this.refresh()
    return this.assignment.owner(shard)
  }

  /** `ended` is called when the reader leaves. */
  changes({
    signal,
    ended,
  }: {
    readonly signal?: AbortSignal
    readonly ended?: () => void
  } = {}): AsyncIterableIterator<ShardChange> {
    const iterator = new ShardIterator(signal, () => {
      this.iterators.delete(iterator)
      ended?.()
    })
    if (this.source !== 'none') iterator.push(this.mine, this.source)
    if (this.ended) iterator.finish()
    else this.iterators.add(iterator)
    return iterator
  }

  update(members: readonly Instance[], own: ReadonlySet<Instance>, source: ListSource): void {
    this.assignment.update(members)
    this.source = source
    const mine: number[] = []
    for (let shard = 0; own.size > 0 && shard < this.count; shard += 1) {
      const owner = this.assignment.owner(shard)
      if (owner !== undefined && own.has(owner)) mine.push(shard)
    }
    this.mine = mine
    if (source !== 'none') for (const iterator of this.iterators) iterator.push(mine, source)
  }

  end(): void {
    this.ended = true
    this.mine = []
    for (const iterator of this.iterators) iterator.finish()
    this.iterators.clear()
  }
}

interface Waiter {
  resolve(result: IteratorResult<ShardChange>): void
  reject(error: unknown): void
}

/** Holds no queue: what a consumer is told is the difference between what it was told last and what is so now. */
class ShardIterator implements AsyncIterableIterator<ShardChange> {
  private readonly signal: AbortSignal | undefined
  private readonly leave: () => void
  private readonly letGo: () => void
  private told: readonly number[] | undefined
  private present: { readonly own: readonly number[]; readonly source: ListSource } | undefined
  private waiting: Waiter[] = []
  private done = false

  constructor(signal: AbortSignal | undefined, leave: () => void) {
    this.signal = signal
    this.leave = leave
    this.letGo = onAbort(signal, this.abort)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ShardChange> {
    return this
  }

  push(own: readonly number[], source: ListSource): void {
    this.present = { own, source }
    if (this.waiting.length === 0) return
    const change = this.take()
    if (change !== undefined) this.waiting.shift()?.resolve({ done: false, value: change })
  }

  /** No more will come. */
  finish(): void {
    this.done = true
    this.letGo()
    for (const waiter of this.waiting.splice(0)) waiter.resolve({ done: true, value: undefined })
  }

  next(): Promise<IteratorResult<ShardChange>> {
    if (this.signal?.aborted === true) return Promise.reject(abortedError(this.signal))
    if (this.done) return Promise.resolve({ done: true, value: undefined })
    const change = this.waiting.length === 0 ? this.take() : undefined
    if (change !== undefined) return Promise.resolve({ done: false, value: change })
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }))
  }

  return(): Promise<IteratorResult<ShardChange>> {
    this.leave()
    this.finish()
    return Promise.resolve({ done: true, value: undefined })
  }

  /** What is to be told now, if anything. */
  private take(): ShardChange | undefined {
    const { told, present } = this
    if (present === undefined) return undefined
    const { own, source } = present
    const [before, after] = [new Set(told), new Set(own)]
    const gained = own.filter((shard) => !before.has(shard))
    const lost = (told ?? []).filter((shard) => !after.has(shard))
    if (told !== undefined && gained.length === 0 && lost.length === 0) return undefined
    this.told = own
    return { own, gained, lost, source }
  }

  private readonly abort = (): void => {
    const { signal } = this
    this.leave()
    for (const waiter of this.waiting.splice(0)) if (signal !== undefined) waiter.reject(abortedError(signal))
  }
}

function invalid(message: string): RegistryError {
  return new RegistryError('invalid_argument', message)
}
