/** A watcher that believes what it is told, and notes whatever a watch must not do. */
import type {
  EngineEntry,
  EngineError,
  EngineEvent,
  EnginePort,
  EngineSubscription,
  EngineWatcher,
} from '@rollcall/core'

export class Follower implements EngineWatcher {
  /** What stands in the store, by what was told. */
  readonly entries = new Map<string, EngineEntry>()
  readonly events: EngineEvent[] = []
  /** Everything up to here was told. */
  revision: number
  /** Calls of `progressed`. */
  signs = 0
  failure: string | undefined
  /** What a watch must not do, and did. */
  readonly faults: string[] = []
  private readonly subscription: EngineSubscription
  private busy = false
  private closed = false

  constructor(engine: EnginePort, revision: number, entries: readonly EngineEntry[] = []) {
    this.revision = revision
    for (const entry of entries) this.entries.set(entry.key, entry)
    this.subscription = engine.watch(revision, this)
  }

  /** As `load` would tell it, in the order of keys. */
  get list(): readonly EngineEntry[] {
    return [...this.entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  get keys(): readonly string[] {
    return [...this.entries.keys()].sort()
  }

  close(): void {
    this.closed = true
    this.subscription.close()
  }

  changed(events: readonly EngineEvent[], revision: number): void {
    this.enter('changed')
    if (events.length === 0) this.faults.push('changed without events')
    if (revision <= this.revision) this.faults.push(`changed to ${revision} after ${this.revision}`)
    let last = this.revision + 1
    for (const event of events) {
      if (event.revision < last || event.revision > revision)
        this.faults.push(`${event.key} of ${event.revision} between ${last} and ${revision}`)
      last = event.revision
      this.events.push(event)
      if (event.kind === 'delete') this.entries.delete(event.key)
      else this.entries.set(event.key, { key: event.key, value: event.value, revision: event.revision })
    }
    this.revision = revision
    this.busy = false
  }

  progressed(revision: number): void {
    this.enter('progressed')
    if (revision < this.revision) this.faults.push(`progressed to ${revision} after ${this.revision}`)
    this.revision = revision
    this.signs += 1
    this.busy = false
  }

  ended(error: EngineError): void {
    this.enter('ended')
    this.failure = error.failure
    this.closed = true
    this.busy = false
  }

  private enter(call: string): void {
    if (this.closed) this.faults.push(`${call} after the end`)
    if (this.busy) this.faults.push(`${call} while another call runs`)
    this.busy = true
  }
}
