/**
 * The registrations of Consul's clients that this node knows: found by id and by the ids of their checks, with what is due of each
 * check. How they stand is in their records; what is here beside that may be lost.
 */
import {
  type CheckDefinition,
  type CheckStatus,
  type CheckType,
  type ServiceDefinition,
  standingOf,
} from './definitions.js'
import type { Key } from './mapping.js'

/** A check, as its record has it and this node sees it. */
export interface Run {
  readonly id: string
  readonly type: CheckType
  ttlMs: number
  intervalMs: number
  deregisterAfterMs: number | undefined
  /** As it is shown. */
  status: CheckStatus
  output: string
  /** Its client has not said anything of it yet, and it never succeeded. */
  fresh: boolean
  /** Silence or failures made it what it is. */
  found: boolean
  /** It was silence. */
  silent: boolean
  /** From when its silence counts: the last beat or success that this node heard, where there was one. */
  heardAt: number | undefined
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
  /** The document of the record that was taken in last. */
  document: string
  readonly runs: Map<string, Run>
}

/** The entries of a service, how many of their checks were good once, and how many of these are critical for silence. */
interface Tally {
  readonly entries: Set<BookEntry>
  good: number
  silent: number
}

/** An entry, and those of its checks that are due otherwise than before: new ones, and those with other times. */
export interface BookChange {
  readonly entry: BookEntry
  readonly begun: readonly Run[]
}

/** What is kept of a record beside its definition. */
export interface RecordText {
  /** What the definition was read from, or written as. */
  readonly document: string
  readonly peer: string | undefined
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
    return this.tallies.get(service) ?? { entries: new Set(), good: 0, silent: 0 }
  }

  /** Takes a definition in; what was seen of checks that it still has stays. */
  write(key: Key, definition: ServiceDefinition, { document, peer }: RecordText): BookChange {
    const known = this.of(key)
    const entry = known ?? {
      key,
      id: definition.id,
      name: definition.name,
      peer,
      document,
      runs: new Map<string, Run>(),
    }
    entry.peer = peer
    entry.document = document
    if (known === undefined) this.add(entry)
    const begun: Run[] = []
    const ids = new Set(definition.checks.map(({ id }) => id))
    for (const run of [...entry.runs.values()]) if (!ids.has(run.id)) this.removeRun(entry, run)
    for (const check of definition.checks) {
      let run = entry.runs.get(check.id)
      if (run !== undefined && run.type !== check.type) this.removeRun(entry, run)
      if (run?.type !== check.type) {
        run = createRun(check)
        entry.runs.set(check.id, run)
        this.checks.set(check.id, entry)
      }
      const { ttlMs, intervalMs } = run
      this.update(entry, run, check)
      if (run.ttlMs !== ttlMs || run.intervalMs !== intervalMs) begun.push(run)
    }
    return { entry, begun }
  }

  /** Takes an entry out, with all that was seen of it. */
  remove(entry: BookEntry): void {
    for (const run of [...entry.runs.values()]) this.removeRun(entry, run)
    if (this.entries.get(entry.id) === entry) this.entries.delete(entry.id)
    this.byKey.delete(token(entry.key))
    const tally = this.tallies.get(entry.key.service)
    tally?.entries.delete(entry)
    if (tally?.entries.size === 0) this.tallies.delete(entry.key.service)
  }

  /** Takes in what the record says of a check. */
  private update(entry: BookEntry, run: Run, check: CheckDefinition): void {
    this.count(entry, run, -1)
    const { ttlMs = 0, intervalMs = 0, deregisterAfterMs, fresh, found } = check
    const { status, output } = standingOf(check)
    run.ttlMs = ttlMs
    run.intervalMs = intervalMs
    run.deregisterAfterMs = deregisterAfterMs
    run.status = status
    run.output = output
    run.fresh = fresh === true
    run.found = found !== undefined
    run.silent = found !== undefined && (run.type === 'ttl' || found.silent === true)
    this.count(entry, run, 1)
  }

  private count({ key }: BookEntry, run: Run, by: 1 | -1): void {
    const tally = this.tallies.get(key.service)
    if (tally === undefined || run.fresh) return
    tally.good += by
    if (run.silent) tally.silent += by
  }

  private add(entry: BookEntry): void {
    this.entries.set(entry.id, entry)
    this.byKey.set(token(entry.key), entry)
    const tally = this.tallies.get(entry.key.service)
    if (tally !== undefined) tally.entries.add(entry)
    else this.tallies.set(entry.key.service, { entries: new Set([entry]), good: 0, silent: 0 })
  }

  private removeRun(entry: BookEntry, run: Run): void {
    run.cancel?.()
    run.cancelRemoval?.()
    this.count(entry, run, -1)
    entry.runs.delete(run.id)
    if (this.checks.get(run.id) === entry) this.checks.delete(run.id)
  }
}

/** One that counts nowhere before its record was taken in. */
function createRun({ id, type }: CheckDefinition): Run {
  return {
    id,
    type,
    ttlMs: 0,
    intervalMs: 0,
    deregisterAfterMs: undefined,
    status: 'critical',
    output: '',
    fresh: true,
    found: false,
    silent: false,
    heardAt: undefined,
    criticalAt: undefined,
    successes: 0,
    failures: 0,
    cancel: undefined,
    cancelRemoval: undefined,
  }
}

/** Names cannot contain the slash between them. */
function token({ namespace, service, group, id }: Key): string {
  return `${namespace}/${service}/${group}/${id}`
}
