/**
 * The way of a node into the engine: joins it, loads what it holds, follows what happens there, and holds the key by which others
 * know that this node is there; again and again, whatever becomes of it.
 */
import {
  type Clock,
  type ClusterCharter,
  ENGINE_FORMAT,
  type EngineEntry,
  EngineError,
  type EngineEvent,
  type EnginePort,
  type EngineSubscription,
  type Logger,
  type NodeLease,
} from '@rollcall/core'
import type { NodeDriver } from '../driver/node-driver.js'
import type { SystemRandom } from '../random.js'

export interface EngineLinkDeps {
  readonly clock: Clock
  readonly random: SystemRandom
  readonly logger: Logger
  readonly engine: EnginePort
  readonly driver: NodeDriver
  readonly listener: EngineLinkListener
}

export interface EngineLinkOptions {
  /** Name of the cluster. */
  readonly cluster: string
  /** The key of this node. */
  readonly lease: NodeLease
}

export interface EngineLinkListener {
  /** Everything that the engine holds was taken in, these among it, and is followed from now on. */
  following(charter: ClusterCharter, entries: readonly EngineEntry[]): void
  /** Something happened in the engine, and was taken in. */
  changed(events: readonly EngineEvent[]): void
  /** The engine is there, or lost. */
  connected(connected: boolean): void
}

/** Waits between attempts to join. */
const JOIN_MS_MIN = 200
const JOIN_MS_MAX = 5_000

/** What was followed for less counts as a failure: the next attempt waits longer. */
const SOUND_MS = 10_000

/** The engine is lost when it has not confirmed the key of this node for this share of its time. */
const LOST_SHARE = 2 / 3
const LOOK_MS = 250

/** A node that is not let in says why at once, and again after this long. */
const REMIND_MS = 60_000

export class EngineLink {
  private readonly deps: EngineLinkDeps
  private readonly options: EngineLinkOptions
  /** What the engine was joined by last. */
  charter: ClusterCharter | undefined
  /** Up to which revision everything was received. */
  received = 0
  /** The engine is there: what it holds is followed, and it hears this node. */
  isConnected = false
  private isFollowing = false
  /** Since when, or when last. */
  private followedAt = -Infinity
  private keptAt = -Infinity
  /** The history of the engine went back: nothing is known of it. */
  private regressed = false
  /** What was said last of why this node is not let in, and when. */
  private said: { readonly message: string; readonly at: number } | undefined
  private isClosed = false
  private watch: EngineSubscription | undefined
  private lease: EngineSubscription | undefined
  private endSession: ((error: EngineError) => void) | undefined
  private endPause: (() => void) | undefined
  private cancelLook: (() => void) | undefined
  private running: Promise<void> | undefined

  constructor(deps: EngineLinkDeps, options: EngineLinkOptions) {
    this.deps = deps
    this.options = options
  }

  start(): void {
    if (this.running !== undefined) return
    this.lookAgain()
    this.running = this.run()
  }

  /** Ends what is followed, because it is no longer the history that this node knows. */
  mismatched(error: EngineError): void {
    this.endSession?.(error)
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (!this.isClosed) {
      this.isClosed = true
      this.cancelLook?.()
      this.endPause?.()
      this.endSession?.(new EngineError('unavailable', 'the node is stopping'))
      // The engine lets go of the key of this node too, and waits until that is done.
      await this.deps.engine.close()
    }
    await this.running
  }

  private async run(): Promise<void> {
    let failures = 0
    while (!this.isClosed) {
      let error: unknown
      failures++
      try {
        error = await this.session()
        // One that ends again and again costs a whole load each time.
        if (this.deps.clock.now() - this.followedAt >= SOUND_MS) failures = 0
      } catch (failure) {
        error = failure
      }
      if (this.isClosed) return
      if (!(error instanceof EngineError)) throw error
      this.ended(error, failures)
      const ceiling = Math.min(JOIN_MS_MAX, JOIN_MS_MIN * 2 ** Math.min(failures, 10))
      await this.pause(JOIN_MS_MIN + this.deps.random.fraction() * (ceiling - JOIN_MS_MIN))
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.deps.clock.setTimer(ms, resolve)
      this.endPause = () => {
        cancel()
        resolve()
      }
    })
  }

  private ended({ failure, message }: EngineError, failures: number): void {
    if (failure === 'epoch') this.regressed = true
    const fields = { failure, error: message }
    const { logger } = this.deps
    if (failure === 'incompatible' || failure === 'refused') this.notLetIn(fields)
    else if (failure === 'epoch')
      logger.warn(fields, 'the engine has another history: everything is compared')
    else if (failures <= 1) logger.warn(fields, 'the engine is not followed for now')
    else logger.debug(fields, 'the engine is not followed yet')
  }

  /** It is tried every few seconds, and told of less often. */
  private notLetIn(fields: { readonly failure: string; readonly error: string }): void {
    const { clock, logger } = this.deps
    const now = clock.now()
    if (this.said?.message === fields.error && now - this.said.at < REMIND_MS) return
    this.said = { message: fields.error, at: now }
    logger.error(fields, 'this node cannot join the cluster')
  }

  /** Joins, loads and follows until that ends, and resolves with why. Rejects where it does not come to that. */
  private async session(): Promise<EngineError> {
    const { engine, driver, logger, clock, random } = this.deps
    const beganAt = clock.now()
    const { cluster } = this.options
    const offer = { cluster, format: ENGINE_FORMAT, epoch: random.bootId(), secret: random.secret() }
    const charter = await engine.join(offer)
    const isKnown = driver.inspect((node) => node.epoch) === charter.epoch && !this.regressed
    const load = driver.joined.replica.load(isKnown ? 'known' : 'new')
    const others: EngineEntry[] = []
    const revision = await engine.load((entries) => {
      driver.step((_, now) => {
        for (const entry of entries) if (!load.take(entry, now)) others.push(entry)
      })
    })
    if (this.isClosed) return new EngineError('unavailable', 'the node is stopping')
    // Restored from a backup while nothing was followed: joining anew does not show that.
    if (isKnown && revision < this.received)
      throw new EngineError('epoch', `the engine is at revision ${revision}, and was at ${this.received}`)
    let isEnded = false
    while (!isEnded) {
      isEnded = driver.step((_, now) => load.end(now))
      if (!isEnded) await this.pause(0)
      if (this.isClosed) return new EngineError('unavailable', 'the node is stopping')
    }
    driver.step((node) => {
      node.completed()
      node.enter(charter.epoch)
    })
    this.regressed = false
    this.said = undefined
    this.received = revision
    const instances = driver.inspect((node) => node.directory.records)
    logger.info(
      { epoch: charter.epoch, revision, instances, durationMs: Math.round(clock.now() - beganAt) },
      isKnown ? 'joined the cluster' : 'joined the cluster, whose history is new to this node',
    )
    return new Promise((resolve) => {
      this.endSession = (error) => {
        this.leave()
        resolve(error)
      }
      this.follow(charter, others)
    })
  }

  private follow(charter: ClusterCharter, entries: readonly EngineEntry[]): void {
    const { engine, listener } = this.deps
    const isAnother = this.charter?.epoch !== charter.epoch
    this.charter = charter
    this.isFollowing = true
    this.followedAt = this.deps.clock.now()
    listener.following(charter, entries)
    this.watch = engine.watch(this.received, {
      changed: (events, revision) => {
        this.received = Math.max(this.received, revision)
        this.deps.driver.step((node, now) => node.joined?.replica.received(events, now))
        listener.changed(events)
      },
      progressed: (revision) => {
        this.received = Math.max(this.received, revision)
      },
      ended: (error) => this.endSession?.(error),
    })
    if (isAnother) this.lease?.close()
    if (isAnother || this.lease === undefined) {
      this.lease = engine.hold(this.options.lease, {
        kept: () => this.kept(this.deps.clock.now()),
        lost: () => this.kept(-Infinity),
      })
    }
    this.look()
  }

  private kept(at: number): void {
    this.keptAt = at
    this.look()
  }

  private leave(): void {
    this.endSession = undefined
    this.isFollowing = false
    this.watch?.close()
    this.watch = undefined
    this.look()
  }

  private lookAgain(): void {
    this.cancelLook = this.deps.clock.setTimer(LOOK_MS, () => {
      this.look()
      this.lookAgain()
    })
  }

  /** Whether the engine is there, by what it confirmed last. */
  private look(): void {
    if (this.isClosed) return
    const freshMs = this.options.lease.ttlMs * LOST_SHARE
    const connected = this.isFollowing && this.deps.clock.now() - this.keptAt <= freshMs
    if (connected === this.isConnected) return
    this.isConnected = connected
    this.deps.listener.connected(connected)
  }
}
