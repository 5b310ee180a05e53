/** Takes what is unpublished to the engine, in batches, as long as it is let: what is accepted here never waits for that. */
import {
  type Clock,
  EngineError,
  type EnginePort,
  type EngineWritten,
  type JournalEntry,
  type Learnable,
  type Logger,
  type Publication,
  type StoredRecord,
} from '@rollcall/core'
import type { Durability } from '@rollcall/wire'
import type { Sink } from '../driver/commits.js'
import type { NodeDriver } from '../driver/node-driver.js'
import type { SystemRandom } from '../random.js'

export interface EngineOutboxDeps {
  readonly clock: Clock
  readonly random: Pick<SystemRandom, 'fraction'>
  readonly logger: Logger
  readonly engine: Pick<EnginePort, 'write'>
  readonly driver: NodeDriver
  /** The engine has another history than the one that is written to. */
  readonly mismatched: (error: EngineError) => void
}

/** Batches under way at a time: the engine commits several in one go. */
const BATCHES_MAX = 4

/** Changes for which another batch is worth it while one is under way. */
const BATCH_WORTH = 64

/**
 * A batch that is not answered for this long is tried again beside it, and each further time after twice as long: it may have
 * gone to a member whose leader just died. Done twice, a compare-and-set is done once.
 */
const PATIENCE_MS = 1_500
const PATIENCE_MS_MAX = 12_000

/** How long, and how many, answers wait for the engine; beyond that they are told that it does not have it yet. */
const WAIT_MS_MAX = 10_000
const WAIT_LOOK_MS = 1_000
const WAITS_MAX = 50_000

/** Waits after a failure; the engine that is full, or refuses, needs an operator. */
const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 2_000
const HOPELESS_MS = 5_000

export class EngineOutbox implements Sink {
  private readonly deps: EngineOutboxDeps
  /** The history that is written to; undefined while nothing is. */
  private epoch: string | undefined
  /** What abandons each batch that is under way. */
  private readonly underWay = new Set<() => void>()
  private failures = 0
  private patienceMs = PATIENCE_MS
  private cancelPump: (() => void) | undefined
  /** What gives up each wait, oldest first, and since when it waits. */
  private readonly waits = new Map<() => void, number>()
  private cancelWaits: (() => void) | undefined
  /** Counts openings: what an earlier one wrote says nothing of what is known now. */
  private opening = 0
  /** What the engine says of writes, while it takes none. */
  fault: string | undefined

  constructor(deps: EngineOutboxDeps) {
    this.deps = deps
  }

  /** The engine takes writes of this history from now on. */
  open(epoch: string): void {
    this.epoch = epoch
    this.opening++
    this.failures = 0
    this.soon()
  }

  /** Nothing is taken to the engine from now on, and nothing waits for it. */
  close(): void {
    this.epoch = undefined
    this.cancelPump?.()
    this.cancelPump = undefined
    for (const abandon of [...this.underWay]) abandon()
    this.giveUp()
  }

  /** Something may have to be published. Cheap. */
  soon(): void {
    if (this.epoch === undefined || this.cancelPump !== undefined) return
    if (this.deps.driver.joined.replica.backlog.idleSize > 0) this.pumpIn(0)
  }

  /**
   * Tells how durable entries are: `replicated` once the engine holds them, `memory` as soon as it is known that it will take
   * none for now.
   */
  append(entries: readonly JournalEntry[]): Promise<Durability> {
    return this.held(entries.filter(isLearnable))
  }

  kept(records: readonly StoredRecord[]): Promise<Durability> {
    return this.held(records.map((record) => ({ kind: 'record', record })))
  }

  private held(entries: readonly Learnable[]): Promise<Durability> {
    const { replica } = this.deps.driver.joined
    if (this.epoch === undefined || this.fault !== undefined) return Promise.resolve('memory')
    if (this.waits.size >= WAITS_MAX) return Promise.resolve('memory')
    this.soon()
    return new Promise((resolve) => {
      let stop = (): void => {}
      const giveUp = (): void => {
        stop()
        this.waits.delete(giveUp)
        resolve('memory')
      }
      this.waits.set(giveUp, this.deps.clock.now())
      stop = replica.backlog.wait(replica.published(entries), () => {
        this.waits.delete(giveUp)
        resolve('replicated')
      })
      this.cancelWaits ??= this.lookAtWaits()
    })
  }

  /** Gives up what has waited too long; one timer for all of them, as long as there are any. */
  private lookAtWaits(): () => void {
    return this.deps.clock.setTimer(WAIT_LOOK_MS, () => {
      const until = this.deps.clock.now() - WAIT_MS_MAX
      for (const [giveUp, since] of this.waits) {
        if (since > until) break
        giveUp()
      }
      this.cancelWaits = this.waits.size > 0 ? this.lookAtWaits() : undefined
    })
  }

  private giveUp(): void {
    this.cancelWaits?.()
    this.cancelWaits = undefined
    for (const giveUp of [...this.waits.keys()]) giveUp()
  }

  private pumpIn(ms: number): void {
    this.cancelPump = this.deps.clock.setTimer(ms, () => {
      this.cancelPump = undefined
      this.pump()
    })
  }

  private pump(): void {
    const { replica, publications } = this.deps.driver.joined
    while (this.epoch !== undefined && this.cancelPump === undefined && this.underWay.size < BATCHES_MAX) {
      if (this.underWay.size > 0 && replica.backlog.idleSize < BATCH_WORTH) return
      const publication = publications.next(this.deps.clock.now())
      if (publication === undefined) return
      void this.send(publication, this.epoch)
    }
  }

  private async send(publication: Publication, epoch: string): Promise<void> {
    const { opening, patienceMs } = this
    const { publications } = this.deps.driver.joined
    // It is not known what became of it: its parts may be tried again.
    const abandon = (): void => {
      cancelPatience()
      this.underWay.delete(abandon)
      publications.failed(publication)
    }
    const cancelPatience = this.deps.clock.setTimer(patienceMs, () => {
      this.patienceMs = Math.min(PATIENCE_MS_MAX, patienceMs * 2)
      abandon()
      this.soon()
    })
    this.underWay.add(abandon)
    let outcomes: readonly EngineWritten[] | undefined
    let error: unknown
    try {
      outcomes = await this.deps.engine.write(epoch, publication.writes)
    } catch (failure) {
      error = failure
    }
    if (this.underWay.has(abandon)) abandon()
    if (outcomes === undefined) return this.failed(error, epoch)
    // What an earlier opening wrote is tried again: a conflict tells then what is there.
    if (opening === this.opening) this.written(publication, outcomes, epoch)
    this.soon()
  }

  private written(publication: Publication, outcomes: readonly EngineWritten[], epoch: string): void {
    this.failures = 0
    this.patienceMs = PATIENCE_MS
    if (this.fault !== undefined) this.deps.logger.info({}, 'the engine takes writes again')
    this.fault = undefined
    const { driver } = this.deps
    const sound = driver.step((node, now) => node.joined?.publications.written(publication, outcomes, now))
    if (sound === false)
      this.failed(new EngineError('epoch', 'a key is older than this node has seen it'), epoch)
  }

  private failed(error: unknown, epoch: string): void {
    if (!(error instanceof EngineError)) throw error
    if (this.epoch !== epoch) return
    if (error.failure === 'epoch') {
      this.close()
      return this.deps.mismatched(error)
    }
    const hopeless = error.failure !== 'unavailable'
    if (hopeless && this.fault === undefined) {
      this.deps.logger.error({ failure: error.failure, error: error.message }, 'the engine takes no writes')
    }
    this.fault = hopeless ? error.message : this.fault
    // What is behind the failure is seen by the lease and the watch; until they say so this goes on.
    if (hopeless) this.giveUp()
    this.failures++
    this.cancelPump?.()
    this.pumpIn(hopeless ? HOPELESS_MS : this.backoff())
  }

  private backoff(): number {
    const ceiling = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.failures, 10))
    return RETRY_MS_MIN + this.deps.random.fraction() * (ceiling - RETRY_MS_MIN)
  }
}

/** What is in the engine once it was published; of the rest there is nothing to wait for. */
function isLearnable(entry: JournalEntry): entry is Extract<JournalEntry, Learnable> {
  return entry.kind !== 'forget' && entry.kind !== 'epoch'
}
