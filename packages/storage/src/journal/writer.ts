/**
 * The writing half of the journal: group commits, rotation, and life with a failing disk.
 *
 * Two loops. The *committer* alone touches the log: it takes what is queued, writes one frame, syncs, answers;
 * between two commits it turns to a new log when asked to. The *upkeep* makes snapshots: it has the committer turn
 * to log n, then writes snapshot n from memory while commits go on in log n, then removes what is older.
 *
 * A log that failed once is never written again: after a failed fsync the kernel may have dropped the pages and
 * report success the next time. The next log says in its header how many bytes of the failed one count, so a half
 * written frame there does no harm. From the failure on, memory holds entries that no file holds (a gap): every
 * answer is `memory` until a snapshot begun after the last loss is durable.
 */
import { join } from 'node:path'
import type { Clock, JournalEntry, JournalPort, Logger, Meter } from '@rollcall/core'
import { encodeEntries } from './codec.js'
import type { Disk } from './disk.js'
import { appendAll, closeQuietly, createLog, fileName, type OpenLog } from './files.js'
import { encodeFrame, HEADER_BYTES } from './frames.js'
import type { JournalHealth } from './health.js'
import { confirmCommit, type Holding } from './holding.js'
import { Inspector } from './inspector.js'
import { JournalError, JournalFault, systemCode, wordsOf, type FaultCause } from './journal-error.js'
import { COMMIT_LIMITS, type ResolvedJournalOptions } from './options.js'
import { removeReplaced, type Opened } from './recovery.js'
import { nameSnapshot, piecesOf, writeSnapshot, type SnapshotPiece } from './snapshot.js'
import { WatermarkWriter } from './watermark.js'

type Answer = Awaited<ReturnType<JournalPort['append']>>

/** What the writer works with. */
export interface WriterDeps {
  readonly disk: Disk
  readonly holding: Holding
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  readonly snapshotSource: () => Iterable<JournalEntry>
}

interface Waiter {
  /** Settles when this many entries have been dealt with. */
  readonly upTo: number
  resolve(answer: Answer): void
}

class ClosingError extends Error {}

/** The journal's writer. Made by `openJournal`. */
export class JournalWriter implements JournalPort {
  readonly #deps: WriterDeps
  readonly #options: ResolvedJournalOptions
  readonly #watermark: WatermarkWriter
  readonly #inspector: Inspector
  #queue: JournalEntry[] = []
  #waiters: Waiter[] = []
  #accepted = 0
  #settled = 0

  /** The log being written; undefined after a failure until there is a new one. */
  #log: OpenLog | undefined
  #lastLog: OpenLog
  #logBytes: number
  #snapshotBytes: number
  #committedAt: number | undefined

  /** What made the disk fail; set as long as memory holds entries that no file holds. */
  #fault: FaultCause | undefined
  /** Counts losses, so that a snapshot knows whether entries were lost while it was written. */
  #losses = 0
  #error: string | undefined
  #committer: Promise<void> | undefined
  #turn: { resolve(): void; reject(error: unknown): void } | undefined
  /** Number of the log that a snapshot is owed for. */
  #owed: number | undefined
  #upkeep: Promise<void> | undefined
  #retryMs: number
  #cancelRetry: (() => void) | undefined
  #closing: Promise<void> | undefined
  #closeSoon = false

  constructor(deps: WriterDeps, options: ResolvedJournalOptions, opened: Opened) {
    this.#deps = deps
    this.#options = options
    this.#watermark = new WatermarkWriter(deps.disk, options.directory)
    this.#inspector = new Inspector({
      ...deps,
      watermark: this.#watermark,
      log: () => this.#log,
      fail: (error) => this.#fail(error),
    })
    this.#log = opened.log
    this.#lastLog = opened.log
    this.#logBytes = opened.logBytes
    this.#snapshotBytes = opened.snapshotBytes
    this.#retryMs = options.retryMsMin
    deps.meter.set('rollcall_journal_failing', 0)
    // Not before the caller has replayed what was recovered: the snapshot is taken from its memory.
    if (opened.snapshotDue) this.#retryLater()
    this.#inspector.start()
  }

  append(entries: readonly JournalEntry[]): Promise<Answer> {
    if (this.#closing !== undefined)
      return Promise.reject(new JournalError('closed', 'the journal is closed'))
    if (entries.length === 0) return Promise.resolve(this.#answer())
    if (this.#log === undefined) {
      this.#losses++
      return Promise.resolve('memory')
    }
    if (this.#accepted - this.#settled + entries.length > this.#options.queueEntriesMax) {
      const waiting = this.#accepted - this.#settled
      this.#fail(new JournalFault('queue', `${waiting} entries wait for the disk, which is the most allowed`))
      return Promise.resolve('memory')
    }
    for (const entry of entries) this.#queue.push(entry)
    this.#accepted += entries.length
    const upTo = this.#accepted
    const answered = new Promise<Answer>((resolve) => this.#waiters.push({ upTo, resolve }))
    this.#startCommitter()
    return answered
  }

  health(): JournalHealth {
    return {
      failing: this.#fault !== undefined,
      fault: this.#fault,
      error: this.#error,
      queuedEntries: this.#accepted - this.#settled,
      logNumber: this.#lastLog.number,
      logBytes: this.#logBytes,
      snapshotBytes: this.#snapshotBytes,
      committedAt: this.#committedAt,
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { logger } = this.#deps
    this.#cancelRetry?.()
    this.#inspector.stop()
    // A snapshot in progress is given up: the logs hold everything, unless there is a gap that it would close.
    this.#closeSoon = this.#fault === undefined
    await this.#upkeep
    await this.#idle()
    await this.#inspector.inspect()
    this.#closeSoon = false
    if (this.#fault !== undefined)
      await this.#makeSnapshot().catch((error: unknown) => (this.#error = wordsOf(error)))
    await this.#idle()
    const log = this.#log
    this.#log = undefined
    if (log !== undefined) await this.#closeLog(log)
    if (this.#fault === undefined) return
    const message = 'closed while the disk refuses, recent changes are lost'
    logger.error({ error: this.#error }, `journal: ${message}`)
    throw new JournalError('io', `the journal was ${message}: ${this.#error}`)
  }

  async #closeLog(log: OpenLog): Promise<void> {
    await this.#watermark.writeDurably(log).catch((error: unknown) => {
      this.#deps.logger.warn({ error: String(error) }, 'journal: how far the log goes could not be noted')
    })
    await closeQuietly(log.file)
    this.#deps.logger.info({ file: fileName('log', log.number), bytes: log.length }, 'journal: closed')
  }

  async #idle(): Promise<void> {
    while (this.#committer !== undefined) await this.#committer
  }

  #answer(): Answer {
    return this.#fault === undefined ? 'disk' : 'memory'
  }

  #settle(count: number, answer: Answer): void {
    this.#settled += count
    let done = 0
    for (; done < this.#waiters.length; done++) {
      const waiter = this.#waiters[done]
      if (waiter === undefined || waiter.upTo > this.#settled) break
      waiter.resolve(answer)
    }
    this.#waiters = this.#waiters.slice(done)
  }

  // ---- committer -----------------------------------------------------------------------------------------

  #startCommitter(): void {
    this.#committer ??= this.#commitAll().finally(() => {
      this.#committer = undefined
      if (this.#turn !== undefined || (this.#log !== undefined && this.#queue.length > 0))
        this.#startCommitter()
    })
  }

  async #commitAll(): Promise<void> {
    // Whatever else is appended in this step of the event loop goes into the same commit.
    await Promise.resolve()
    for (;;) {
      if (this.#turn !== undefined) await this.#turnLog(this.#turn)
      else if (this.#log !== undefined && this.#queue.length > 0) await this.#commit(this.#log)
      else return
    }
  }

  async #commit(log: OpenLog): Promise<void> {
    const { clock, meter } = this.#deps
    const { payload, taken } = encodeEntries(this.#queue, 0, COMMIT_LIMITS)
    const frame = encodeFrame({ file: log.number, index: log.frames, count: taken, end: false }, payload)
    const started = clock.now()
    const cancel = clock.setTimer(this.#options.commitMsMax, () => {
      if (this.#log === log)
        this.#fail(new JournalFault('slow', `a commit took more than ${this.#options.commitMsMax} ms`))
    })
    try {
      await appendAll(log.file, frame)
      await log.file.sync()
      confirmCommit(log, log.length + frame.length)
      // Given up in the meantime: its entries have been answered, its bytes do not count.
      if (this.#log !== log) return
      log.length += frame.length
      log.frames++
      this.#logBytes += frame.length
      // Before the first answer for a log, so that one that the watermark does not know carried nothing.
      if (log.frames === 1) await this.#watermark.writeDurably(log)
    } catch (error) {
      if (this.#log === log) this.#fail(error)
      return
    } finally {
      cancel()
    }
    if (this.#log !== log) return
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken)
    this.#committedAt = clock.now()
    meter.count('rollcall_journal_commits_total')
    meter.count('rollcall_journal_entries_total', taken)
    meter.count('rollcall_journal_bytes_total', frame.length)
    meter.observe('rollcall_journal_commit_duration_seconds', (clock.now() - started) / 1_000)
    this.#settle(taken, this.#answer())
    if (this.#logBytes > Math.max(this.#options.rotateBytesMin, this.#snapshotBytes)) this.#startUpkeep()
  }

  async #turnLog(turn: { resolve(): void; reject(error: unknown): void }): Promise<void> {
    this.#turn = undefined
    const before = this.#lastLog
    // From here on nothing is added to the log before: its length is about to be written down in the next one.
    // A log that never got a frame is replaced, so that a disk that fails for days leaves no row of empty files.
    const [number, sealed] =
      before.frames === 0 ? [before.number, before.sealed] : [before.number + 1, before.length]
    const { disk, holding } = this.#deps
    try {
      await holding.retake()
      // Its empty predecessor of the same number, if any, is about to be replaced.
      holding.retire(fileName('log', number))
      const log = await createLog(disk, this.#options.directory, number, sealed)
      await holding.add(fileName('log', number))
      holding.seal(fileName('log', before.number), before.length)
      await closeQuietly(before.file)
      this.#log = log
      this.#lastLog = log
      turn.resolve()
    } catch (error) {
      if (this.#log !== undefined) this.#fail(error)
      turn.reject(error)
    }
  }

  /** The log is lost, and so are, for the files, all entries that wait. Says so once. */
  #fail(error: unknown): void {
    const log = this.#log
    this.#log = undefined
    if (log !== undefined) void closeQuietly(log.file)
    this.#losses++
    this.#error = wordsOf(error)
    const fault = error instanceof JournalFault ? error.fault : 'call'
    this.#deps.meter.count('rollcall_journal_failures_total', 1, fault)
    if (this.#fault === undefined) {
      this.#fault = fault
      this.#deps.meter.set('rollcall_journal_failing', 1)
      this.#deps.logger.error(
        {
          error: String(error),
          code: systemCode(error),
          fault,
          file: log === undefined ? undefined : fileName('log', log.number),
        },
        'journal: the disk refuses, going on in memory',
      )
    }
    this.#queue = []
    this.#settle(this.#accepted - this.#settled, 'memory')
    this.#retryLater()
  }

  // ---- upkeep --------------------------------------------------------------------------------------------

  #startUpkeep(): void {
    if (this.#upkeep !== undefined || this.#cancelRetry !== undefined || this.#closing !== undefined) return
    this.#upkeep = this.#makeSnapshot()
      .catch((error: unknown) => this.#snapshotFailed(error))
      .finally(() => {
        this.#upkeep = undefined
        if (this.#fault !== undefined) this.#retryLater()
      })
  }

  #retryLater(): void {
    if (this.#cancelRetry !== undefined || this.#upkeep !== undefined || this.#closing !== undefined) return
    this.#cancelRetry = this.#deps.clock.setTimer(this.#retryMs, () => {
      this.#cancelRetry = undefined
      this.#startUpkeep()
    })
    this.#retryMs = Math.min(this.#retryMs * 2, this.#options.retryMsMax)
  }

  #snapshotFailed(error: unknown): void {
    if (error instanceof ClosingError) return
    // Said once for each reason. Without a gap, the logs still hold everything.
    const words = wordsOf(error)
    if (this.#error !== words)
      this.#deps.logger.warn(
        { error: String(error), code: systemCode(error) },
        this.#fault === undefined
          ? 'journal: no snapshot could be made, logs keep growing'
          : 'journal: the disk still refuses',
      )
    this.#error = words
    this.#upkeep = undefined
    this.#retryLater()
  }

  *#pieces(): Generator<SnapshotPiece> {
    for (const piece of piecesOf(this.#deps.snapshotSource())) {
      yield piece
      if (this.#closeSoon) throw new ClosingError()
    }
  }

  async #makeSnapshot(): Promise<void> {
    const { disk, holding, logger, meter } = this.#deps
    const { directory } = this.#options
    // After an attempt that failed half-way the log made for it will do: a snapshot taken later holds more, not less.
    if (this.#log === undefined || this.#owed !== this.#log.number) {
      await new Promise<void>((resolve, reject) => {
        this.#turn = { resolve, reject }
        this.#startCommitter()
      })
    }
    const number = this.#lastLog.number
    this.#owed = number
    const losses = this.#losses
    const logBytesBefore = this.#logBytes - (this.#lastLog.length - HEADER_BYTES)
    await writeSnapshot(disk, directory, number, this.#pieces())
    await holding.confirmLock()
    await nameSnapshot(disk, directory, number)
    this.#snapshotBytes = await holding.add(fileName('snapshot', number))
    this.#owed = undefined
    this.#logBytes -= logBytesBefore
    holding.retireBelow(number)
    await this.#removeReplaced(number).catch((error: unknown) => {
      // Replaced files are never read again; the next snapshot tries once more.
      logger.warn({ error: String(error) }, 'journal: replaced files could not be removed')
    })
    if (this.#losses !== losses) return
    this.#retryMs = this.#options.retryMsMin
    this.#error = undefined
    if (this.#fault === undefined) return
    this.#fault = undefined
    meter.set('rollcall_journal_failing', 0)
    logger.info(
      { file: join(directory, fileName('snapshot', number)) },
      'journal: the disk works again, everything is durable',
    )
  }

  async #removeReplaced(base: number): Promise<void> {
    await removeReplaced(this.#deps.disk, this.#options.directory, base)
    await this.#deps.holding.prune()
  }
}
