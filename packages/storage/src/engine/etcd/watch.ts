/** Follows everything below the prefix, over as many streams as it takes: one that breaks or falls silent is replaced. */
import { EngineError, type EngineWatcher, type Logger } from '@rollcall/core'
import type { Calls } from './calls.js'
import type { JoinedCharter } from './charter.js'
import { answersInOrder, type Health } from './health.js'
import type { Pauses } from './pauses.js'
import { anotherCharter } from './ranges.js'
import { createWholeRevisions, type WholeRevisions, type Told } from './revisions.js'
import { engineError } from './rpc-status.js'
import { WatchStream, type WatchStreamDeps } from './watch-stream.js'

export interface PrefixWatchDeps extends WatchStreamDeps {
  readonly calls: Calls
  readonly health: Health
  readonly pauses: Pauses
  readonly logger: Logger
}

/** A token may have run out; one that was made for this attempt has not. */
const REFUSALS_MAX = 2

/** A watch that goes on until it is closed, or until no further stream would tell what comes next. */
export class PrefixWatch {
  private readonly deps: PrefixWatchDeps
  private readonly charter: JoinedCharter
  private readonly watcher: EngineWatcher
  private readonly revisions: WholeRevisions
  private closed = false
  private stream: WatchStream | undefined
  /** Streams that broke since the last message. */
  private failures = 0
  private refusals = 0

  constructor(deps: PrefixWatchDeps, charter: JoinedCharter, after: number, watcher: EngineWatcher) {
    this.deps = deps
    this.charter = charter
    this.watcher = watcher
    this.revisions = createWholeRevisions(deps.keys, charter.text, after)
    void this.run()
  }

  close(): void {
    this.closed = true
    this.stream?.close()
  }

  private async run(): Promise<void> {
    const { endpoints, pauses, logger } = this.deps
    while (!this.closed) {
      if (pauses.closed) return this.end(new EngineError('unavailable', 'the engine is closed'))
      const endpoint = endpoints.current
      const how = await this.follow(endpoint)
      if (this.closed) return
      this.revisions.broke()
      if (how instanceof EngineError) {
        if (this.isFinal(how)) return this.end(how)
        logger.debug({ error: how, endpoint }, 'a watch on etcd broke')
      }
      endpoints.failed(endpoint, how === 'silent')
      this.failures += 1
      await pauses.backoff(this.failures)
    }
  }

  /** One stream from its check to its end. */
  private async follow(endpoint: string): Promise<'silent' | 'closed' | EngineError> {
    try {
      await this.check(endpoint)
      const inOrder = answersInOrder(await this.deps.health.versionOf(endpoint))
      if (this.closed) return 'closed'
      this.stream = new WatchStream(this.deps, { endpoint, inOrder }, this.revisions, {
        told: (told) => this.tell(told),
        progressed: () => this.progressed(),
      })
      const end = await this.stream.over
      if (end instanceof Error) throw end
      return end
    } catch (error) {
      const known = engineError(error)
      if (known instanceof EngineError) return known
      throw known
    }
  }

  /**
   * Asks the member that is to be watched what all members agree on: it is of the same history and not behind what was told
   * (a watch for a revision that does not exist yet would wait for it), and the charter still stands.
   */
  private async check(endpoint: string): Promise<void> {
    const { charter } = this.deps.keys
    const { told } = this.revisions
    const { header, kvs } = await this.deps.calls.range({ key: Buffer.from(charter) }, { endpoint })
    if (header.revision < told) {
      const text = `etcd is at revision ${header.revision}, and was at ${told} before`
      throw new EngineError('epoch', `${text}: restored from a backup`)
    }
    if (kvs[0]?.value !== this.charter.text) {
      throw anotherCharter(this.deps.keys)
    }
  }

  private tell({ events, revision, charterChanged }: Told): void {
    this.failures = 0
    this.refusals = 0
    if (events.length > 0) this.watcher.changed(events, revision)
    else if (!charterChanged) this.progressed()
    if (!charterChanged) return
    throw new EngineError('epoch', `the charter at ${this.deps.keys.charter} was changed or deleted`)
  }

  private progressed(): void {
    this.failures = 0
    this.refusals = 0
    if (!this.closed) this.watcher.progressed(this.revisions.told)
  }

  private isFinal({ failure }: EngineError): boolean {
    if (failure === 'refused') {
      this.refusals += 1
      return this.refusals >= REFUSALS_MAX
    }
    return failure !== 'unavailable' && failure !== 'full'
  }

  private end(error: EngineError): void {
    this.closed = true
    this.watcher.ended(error)
  }
}
