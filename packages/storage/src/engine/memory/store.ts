/** The state of an engine in memory: what the members of etcd hold for all nodes, and what can happen to it from outside. */
import {
  EngineError,
  type ClusterCharter,
  type Clock,
  type EngineEntry,
  type EngineEvent,
  type EngineWrite,
  type EngineWritten,
} from '@rollcall/core'
import { Revisions, type Happened } from './revisions.js'
import { Leases, type Lease } from './leases.js'

export interface MemoryStoreOptions {
  /** Revisions that are remembered for watches; older ones are compacted. Default 10,000. */
  readonly historyMax?: number
}

/** Everything of a store at one moment, as a backup has it: without history. */
export interface MemoryBackup {
  readonly revision: number
  readonly charter: ClusterCharter | undefined
  readonly entries: readonly StoredEntry[]
  readonly leases: readonly Lease[]
}

interface StoredEntry extends EngineEntry {
  /** Id of the lease that ends it. */
  readonly lease: number | undefined
}

/** What the server's side of a watch hears from its store. */
export interface StoreListener {
  /** There is more to tell. */
  changed(): void
  /** Something else may stand in the store now. */
  replaced(): void
  /** The store has stopped; nothing more comes. */
  stopped(): void
}

/** One for all nodes of a cluster. Every method but those at the top is for the connections of its own folder. */
export class MemoryStore {
  private readonly entries = new Map<string, StoredEntry>()
  private readonly history: Revisions
  private readonly leases: Leases
  private readonly listeners = new Set<StoreListener>()
  private founded: ClusterCharter | undefined
  private at = 1
  private on = true
  /** While true nothing can be written: the quota alarm. */
  full = false

  constructor(clock: Clock, { historyMax = 10_000 }: MemoryStoreOptions = {}) {
    this.history = new Revisions(historyMax)
    this.leases = new Leases(clock, (keys) => this.vanish(keys))
  }

  // ---- what happens to it from outside ---------------------------------------------------------------------

  /** No member runs: connections break, nothing is answered, no lease ends. */
  stop(): void {
    if (!this.on) return
    this.on = false
    this.leases.stop()
    for (const listener of [...this.listeners]) listener.stopped()
  }

  /** All members run again with what they had; leases have their whole time again. */
  start(): void {
    if (this.on) return
    this.on = true
    this.leases.start()
  }

  /** Everything is gone, the charter too. */
  wipe(): void {
    this.restore({ revision: 1, charter: undefined, entries: [], leases: [] })
  }

  backup(): MemoryBackup {
    return {
      revision: this.at,
      charter: this.founded,
      entries: [...this.entries.values()],
      leases: this.leases.list(),
    }
  }

  /** What the backup has stands there instead, at the revision of the backup. */
  restore(backup: MemoryBackup): void {
    this.entries.clear()
    for (const entry of backup.entries) this.entries.set(entry.key, entry)
    this.founded = backup.charter
    this.at = backup.revision
    this.history.restart(backup.revision)
    this.leases.replace(backup.leases)
    for (const listener of [...this.listeners]) listener.replaced()
  }

  /** Forgets what was before a revision; without one, all that was before the present one. */
  compact(revision: number = this.at): void {
    this.history.compact(Math.min(revision, this.at))
    for (const listener of [...this.listeners]) listener.changed()
  }

  /** Everything but the charter, in order of keys. */
  list(): readonly EngineEntry[] {
    return [...this.entries.values()]
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ key, value, revision }) => ({ key, value, revision }))
  }

  get revision(): number {
    return this.at
  }

  get charter(): ClusterCharter | undefined {
    return this.founded
  }

  get running(): boolean {
    return this.on
  }

  // ---- what connections do ---------------------------------------------------------------------------------

  /** The charter that stands there, or the offered one, which stands there from now on. */
  found(offer: ClusterCharter): ClusterCharter {
    if (this.founded === undefined) {
      this.refuseIfFull()
      this.founded = offer
      this.at += 1
      for (const listener of [...this.listeners]) listener.replaced()
    }
    return this.founded
  }

  get(key: string): EngineEntry | undefined {
    const entry = this.entries.get(key)
    return entry && { key, value: entry.value, revision: entry.revision }
  }

  /** Whether what was at a revision can still be read. */
  remembers(revision: number): boolean {
    return revision >= this.history.compacted
  }

  after(position: number, eventsMax: number): Happened | undefined {
    return this.history.after(position, eventsMax)
  }

  listen(listener: StoreListener): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** Does what nothing speaks against, in one revision. */
  write(writes: readonly EngineWrite[]): readonly EngineWritten[] {
    this.refuseIfFull()
    const revision = this.at + 1
    const events: EngineEvent[] = []
    const outcomes = writes.map(({ key, value, expected, ttlMs }): EngineWritten => {
      const stored = this.get(key)
      if ((stored?.revision ?? 0) !== expected) return { ok: false, stored }
      const lease = ttlMs === undefined ? undefined : this.leases.share(ttlMs)
      events.push(this.put({ key, value, revision }, lease))
      return { ok: true, revision }
    })
    this.commit(events)
    return outcomes
  }

  /** Puts a key that ends with a lease of its own, and gives the id of the lease. */
  hold(key: string, value: string, ttlMs: number): number {
    this.refuseIfFull()
    const lease = this.leases.grant(ttlMs)
    this.commit([this.put({ key, value, revision: this.at + 1 }, lease)])
    return lease.id
  }

  /** False when the lease is over. */
  keepAlive(lease: number): boolean {
    return this.leases.keepAlive(lease)
  }

  revoke(lease: number): void {
    this.leases.revoke(lease)
  }

  private refuseIfFull(): void {
    if (this.full) throw new EngineError('full', 'the store is full (NOSPACE)')
  }

  private put(entry: EngineEntry, lease: Lease | undefined): EngineEvent {
    this.leases.attach(entry.key, this.entries.get(entry.key)?.lease, lease)
    this.entries.set(entry.key, { ...entry, lease: lease?.id })
    return { kind: 'put', ...entry }
  }

  private vanish(keys: readonly string[]): void {
    const revision = this.at + 1
    for (const key of keys) this.entries.delete(key)
    this.commit(keys.map((key) => ({ kind: 'delete', key, revision })))
  }

  private commit(events: readonly EngineEvent[]): void {
    if (events.length === 0) return
    this.at += 1
    this.history.add({ revision: this.at, events })
    for (const listener of [...this.listeners]) listener.changed()
  }
}

/** An engine's state in memory, with nothing in it. It must be given the clock of what is connected to it. */
export function createMemoryStore(clock: Clock, options: MemoryStoreOptions = {}): MemoryStore {
  return new MemoryStore(clock, options)
}
