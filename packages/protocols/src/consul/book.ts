/**
 * The registrations of Consul's clients that this node knows: found by id and by the ids of their checks, with what was seen
 * of each check since this boot. What was said of them for good is in their records; what is here may be lost.
 */
import type { CheckDefinition, CheckType, ServiceDefinition, CheckStatus } from './definitions.js'
import type { Key } from './mapping.js'

/** What this node has seen of a check. */
export interface Run {
  readonly id: string
  readonly type: CheckType
  ttlMs: number
  intervalMs: number
  deregisterAfterMs: number | undefined
  /** Seen by this node; undefined where nothing but the record says how it stands. */
  status: CheckStatus | undefined
  output: string
  /** The last beat, of a TTL: when this node heard it. */
  heardAt: number | undefined
  /** Its TTL ran out. */
  expired: boolean
  /** Since when it is critical. */
  criticalAt: number | undefined
  successes: number
  failures: number
  /** Takes its appointments back. */
  cancel: (() => void) | undefined
  cancelRemoval: (() => void) | undefined
}

export interface BookEntry {
  readonly key: Key
  /** As Consul's clients name it. */
  readonly id: string
  readonly name: string
  peer: string | undefined
  readonly runs: Map<string, Run>
}

/** How many of a service have a TTL and were renewed, and of how many it ran out. */
interface Tally {
  entries: number
  renewed: number
  expired: number
}

/** What differs when an entry is written again. */
export interface BookChange {
  readonly entry: BookEntry
  readonly added: readonly Run[]
  readonly removed: readonly Run[]
}

export class Book {
  private readonly entries = new Map<string, BookEntry>()
  private readonly checks = new Map<string, BookEntry>()
  private readonly byKey = new Map<string, BookEntry>()
  private readonly tallies = new Map<string, Tally>()

  get size(): number {
    return this.entries.size
  }

  byId(id: string): BookEntry | undefined {
    return this.entries.get(id)
  }

  byCheck(id: string): BookEntry | undefined {
    return this.checks.get(id)
  }

  of(key: Key): BookEntry | undefined {
    return this.byKey.get(token(key))
  }

  all(): IterableIterator<BookEntry> {
    return this.entries.values()
  }

  tally(service: string): Readonly<Tally> {
    return this.tallies.get(service) ?? { entries: 0, renewed: 0, expired: 0 }
  }

  /** Takes a definition in; what was seen of checks that it still has stays. */
  write(key: Key, definition: ServiceDefinition, peer: string | undefined): BookChange {
    const known = this.of(key)
    const entry = known ?? {
      key,
      id: definition.id,
      name: definition.name,
      peer,
      runs: new Map<string, Run>(),
    }
    entry.peer = peer
    if (known === undefined) this.add(entry)
    const added: Run[] = []
    const ids = new Set(definition.checks.map(({ id }) => id))
    const removed = [...entry.runs.values()].filter((run) => !ids.has(run.id))
    for (const run of removed) this.removeRun(entry, run)
    for (const check of definition.checks) {
      const before = entry.runs.get(check.id)
      if (before !== undefined && before.type === check.type) {
        update(before, check)
        continue
      }
      if (before !== undefined) {
        this.removeRun(entry, before)
        removed.push(before)
      }
      const run = createRun(check)
      entry.runs.set(check.id, run)
      this.checks.set(check.id, entry)
      added.push(run)
    }
    return { entry, added, removed }
  }

  /** Takes an entry out, with all that was seen of it. */
  remove(entry: BookEntry): void {
    for (const run of [...entry.runs.values()]) this.removeRun(entry, run)
    if (this.entries.get(entry.id) === entry) this.entries.delete(entry.id)
    this.byKey.delete(token(entry.key))
    const tally = this.tallies.get(entry.key.service)
    if (tally !== undefined && --tally.entries === 0) this.tallies.delete(entry.key.service)
  }

  /** A TTL was renewed: it counts among those that share what silence may hold. */
  renewed(entry: BookEntry, run: Run, now: number): void {
    const tally = this.tallies.get(entry.key.service)
    if (tally !== undefined) {
      if (run.heardAt === undefined) tally.renewed++
      if (run.expired) tally.expired--
    }
    run.heardAt = now
    run.expired = false
  }

  /** Its TTL ran out. */
  expire(entry: BookEntry, run: Run): void {
    const tally = this.tallies.get(entry.key.service)
    if (run.expired || tally === undefined) return
    run.expired = true
    tally.expired++
  }

  private add(entry: BookEntry): void {
    this.entries.set(entry.id, entry)
    this.byKey.set(token(entry.key), entry)
    const tally = this.tallies.get(entry.key.service)
    if (tally === undefined) this.tallies.set(entry.key.service, { entries: 1, renewed: 0, expired: 0 })
    else tally.entries++
  }

  private removeRun(entry: BookEntry, run: Run): void {
    run.cancel?.()
    run.cancelRemoval?.()
    const tally = this.tallies.get(entry.key.service)
    if (tally !== undefined) {
      if (run.heardAt !== undefined) tally.renewed--
      if (run.expired) tally.expired--
    }
    entry.runs.delete(run.id)
    if (this.checks.get(run.id) === entry) this.checks.delete(run.id)
  }
}

function createRun(check: CheckDefinition): Run {
  const run: Run = {
    id: check.id,
    type: check.type,
    ttlMs: 0,
    intervalMs: 0,
    deregisterAfterMs: undefined,
    status: undefined,
    output: '',
    heardAt: undefined,
    expired: false,
    criticalAt: undefined,
    successes: 0,
    failures: 0,
    cancel: undefined,
    cancelRemoval: undefined,
  }
  update(run, check)
  return run
}

function update(run: Run, { ttlMs = 0, intervalMs = 0, deregisterAfterMs }: CheckDefinition): void {
  run.ttlMs = ttlMs
  run.intervalMs = intervalMs
  run.deregisterAfterMs = deregisterAfterMs
}

/** Names cannot contain the slash between them. */
function token({ namespace, service, group, id }: Key): string {
  return `${namespace}/${service}/${group}/${id}`
}
