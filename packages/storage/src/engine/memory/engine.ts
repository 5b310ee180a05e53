/** The engine of one node on a store in memory: for tests, for the simulation, and for nodes of one process. */
import {
  EngineError,
  type ClusterCharter,
  type Clock,
  type EngineEntry,
  type EngineKey,
  type EnginePort,
  type EngineStatus,
  type EngineSubscription,
  type EngineWatcher,
  type EngineWrite,
  type EngineWritten,
  type NodeLease,
  type NodeLeaseListener,
} from '@rollcall/core'
import { checkReads, checkWrites } from './requests.js'
import { MemoryHold } from './hold.js'
import { StoreLine, type MemoryLine } from './line.js'
import type { MemoryStore } from './store.js'
import { MemoryWatch } from './watch.js'

export interface MemoryEngineDeps {
  /** The clock of the store. */
  readonly clock: Clock
}

export interface MemoryEngineOptions {
  /** How long a message takes one way, asked for each. Default: 1 ms. */
  readonly latencyMs?: () => number
  /** When an operation that was not answered fails, and a watch that heard nothing begins again. Default 3,000. */
  readonly deadlineMs?: number
  /** How often a watch tells how far it is. Default 1,000; less than the deadline. */
  readonly progressMs?: number
  /** How long after its end a watch begins again, and a key that could not be held is tried again at the earliest. Default 200. */
  readonly retryMs?: number
  /** Entries of one page. Default 1,000. */
  readonly pageMax?: number
}

/** The connection of one node, with the hand on its line. */
export interface MemoryEngine extends EnginePort {
  readonly line: MemoryLine
}

/** Connects a node to a store. */
export function createMemoryEngine(
  store: MemoryStore,
  deps: MemoryEngineDeps,
  options: MemoryEngineOptions = {},
): MemoryEngine {
  return new Connection(store, deps.clock, options)
}

class Connection implements MemoryEngine {
  readonly line: StoreLine
  private readonly store: MemoryStore
  private readonly clock: Clock
  private readonly progressMs: number
  private readonly retryMs: number
  private readonly pageMax: number
  private readonly watches = new Set<MemoryWatch>()
  private readonly holds = new Set<MemoryHold>()
  private joined: ClusterCharter | undefined
  /** The largest revision that was answered since the node joined. */
  private seen = 0
  private alarms: readonly string[] = []
  private closed: Promise<void> | undefined

  constructor(store: MemoryStore, clock: Clock, options: MemoryEngineOptions) {
    this.store = store
    this.clock = clock
    this.progressMs = options.progressMs ?? 1_000
    this.retryMs = options.retryMs ?? 200
    this.pageMax = options.pageMax ?? 1_000
    const { latencyMs = () => 1, deadlineMs = 3_000 } = options
    this.line = new StoreLine(clock, { latencyMs, deadlineMs })
  }

  async join(offer: ClusterCharter): Promise<ClusterCharter> {
    const charter = await this.ask(() => this.store.found(offer))
    if (charter.cluster !== offer.cluster || Math.trunc(charter.format) !== Math.trunc(offer.format))
      throw new EngineError(
        'incompatible',
        `the cluster is "${charter.cluster}" of format ${charter.format}, not "${offer.cluster}" of format ${offer.format}`,
      )
    this.joined = charter
    this.seen = 0
    return charter
  }

  async load(page: (entries: readonly EngineEntry[]) => void): Promise<number> {
    const { entries, revision } = await this.askJoined(() => ({
      entries: this.store.list(),
      revision: this.store.revision,
    }))
    page(entries.slice(0, this.pageMax))
    for (let first = this.pageMax; first < entries.length; first += this.pageMax) {
      await this.askJoined(() => {
        if (!this.store.remembers(revision))
          throw new EngineError('compacted', `revision ${revision} is compacted`)
      })
      page(entries.slice(first, first + this.pageMax))
    }
    return revision
  }

  scan(page: (keys: readonly EngineKey[]) => void): Promise<number> {
    return this.load((entries) => page(entries.map(({ key, revision }) => ({ key, revision }))))
  }

  async read(keys: readonly string[]): Promise<readonly EngineEntry[]> {
    checkReads(keys)
    return this.askJoined(() => keys.flatMap((key) => this.store.get(key) ?? []))
  }

  watch(revision: number, watcher: EngineWatcher): EngineSubscription {
    if (this.joined === undefined) throw notJoinedError()
    const { clock, store, line, retryMs } = this
    const watch: MemoryWatch = new MemoryWatch(
      { clock, store, line, retryMs, verify: () => this.verify(), every: (run) => this.every(run) },
      revision,
      watcher,
      () => this.watches.delete(watch),
    )
    this.watches.add(watch)
    if (this.closed !== undefined) watch.close()
    return watch
  }

  async write(epoch: string, writes: readonly EngineWrite[]): Promise<readonly EngineWritten[]> {
    checkWrites(writes)
    if (this.joined !== undefined && this.joined.epoch !== epoch)
      throw new EngineError('epoch', `the epoch of the cluster is ${this.joined.epoch}, not ${epoch}`)
    return this.askJoined(() => this.store.write(writes))
  }

  hold(lease: NodeLease, listener: NodeLeaseListener): EngineSubscription {
    const { clock, store, line, retryMs } = this
    const hold = new MemoryHold(
      { clock, store, line, retryMs, reach: () => this.reach(), verify: () => this.verify() },
      lease,
      listener,
    )
    if (this.closed === undefined) this.holds.add(hold)
    else hold.close()
    return {
      close: () => {
        this.holds.delete(hold)
        hold.close()
      },
    }
  }

  status(): EngineStatus {
    return { kind: 'memory', endpoints: ['memory'], alarms: this.alarms }
  }

  close(): Promise<void> {
    this.closed ??= this.end()
    return this.closed
  }

  private async end(): Promise<void> {
    const holds = [...this.holds]
    this.holds.clear()
    for (const hold of holds) hold.stop()
    for (const watch of [...this.watches]) watch.close()
    this.line.fail(closedError())
    await Promise.all(holds.map((hold) => hold.release()))
  }

  /** Has something done by the store, if its members run. */
  private async ask<T>(operation: () => T): Promise<T> {
    if (this.closed !== undefined) throw closedError()
    return this.line.call(() => {
      this.reach()
      return operation()
    })
  }

  private async askJoined<T>(operation: () => T): Promise<T> {
    if (this.joined === undefined) throw notJoinedError()
    return this.ask(() => {
      this.verify()
      return operation()
    })
  }

  private reach(): void {
    if (!this.store.running) throw new EngineError('unavailable', 'no member answers')
    this.alarms = this.store.full ? ['NOSPACE'] : []
  }

  /** Throws when the store is not the one that the node has joined, as far as that can be seen. */
  private verify(): void {
    this.reach()
    if (this.joined === undefined) throw notJoinedError()
    const { charter, revision } = this.store
    if (charter?.epoch !== this.joined.epoch)
      throw new EngineError('epoch', 'another charter stands in the store, or none')
    if (revision < this.seen)
      throw new EngineError('epoch', `the store is at ${revision} and was at ${this.seen}`)
    this.seen = revision
  }

  private every(run: () => void): () => void {
    let cancel = (): void => {}
    const next = (): void => {
      cancel = this.clock.setTimer(this.progressMs, () => {
        next()
        run()
      })
    }
    next()
    return () => cancel()
  }
}

function notJoinedError(): EngineError {
  return new EngineError('epoch', 'no charter was joined')
}

function closedError(): EngineError {
  return new EngineError('unavailable', 'the engine is closed')
}
