/** What stays critical for too long, by the word of its registration, is deregistered. */
import type { Clock, Logger, Queries, Registry } from '@rollcall/core'
import type { Agenda } from './agenda.js'
import type { Book, BookEntry, Run } from './book.js'
import { CALLER, onBehalfOf } from './caller.js'

export interface OverdueDeps {
  readonly registry: Pick<Registry, 'read' | 'execute'>
  readonly clock: Clock
  readonly agenda: Agenda
  readonly logger: Logger
}

/** Where registrations are known. */
export interface Known {
  readonly book: Book
  dropped(entry: BookEntry): void
}

/** What is held back is looked at again after as long as Consul lets pass between two looks. */
const AGAIN_MS = 30_000

export class Overdue {
  private readonly deps: OverdueDeps
  private readonly known: Known
  private readonly read: Queries

  constructor(deps: OverdueDeps, known: Known) {
    this.deps = deps
    this.known = known
    this.read = deps.registry.read(CALLER)
  }

  /** Counts how long a check has been critical, for a service that is to go then. */
  weigh(entry: BookEntry, run: Run): void {
    const { clock, agenda } = this.deps
    if (run.status !== 'critical') {
      run.criticalAt = undefined
      run.cancelRemoval?.()
      run.cancelRemoval = undefined
      return
    }
    run.criticalAt ??= clock.now()
    if (run.deregisterAfterMs === undefined || run.cancelRemoval !== undefined) return
    run.cancelRemoval = agenda.at(run.criticalAt + run.deregisterAfterMs, () => this.remove(entry, run))
  }

  private remove(entry: BookEntry, run: Run): void {
    const { registry, clock, agenda, logger } = this.deps
    const { key } = entry
    run.cancelRemoval = undefined
    if (run.criticalAt === undefined || this.known.book.of(key) !== entry) return
    if (this.isHeld(entry, run)) {
      run.cancelRemoval = agenda.at(clock.now() + AGAIN_MS, () => this.remove(entry, run))
      return
    }
    logger.info({ ...key, check: run.id }, 'deregistered: critical for too long')
    this.known.dropped(entry)
    registry
      .execute({ kind: 'deregister', refs: [key] }, onBehalfOf(entry.peer))
      .catch((error: unknown) => logger.warn({ error }, 'critical service not deregistered'))
  }

  /** Whether it stays for now: silence takes nothing out for good while the node doubts its ears, or keeps others of the service. */
  private isHeld({ key }: BookEntry, run: Run): boolean {
    const { read } = this
    const restraints = read.restraints(key)
    if (restraints?.isFrozen === true || read.health().island || !read.judges(key)) return true
    return run.silent && (restraints?.isDoubted === true || restraints?.isGuarded === true)
  }
}
