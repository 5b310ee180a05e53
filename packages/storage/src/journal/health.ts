/** How a journal is doing, as it says when it is asked. */
import type { FaultCause } from './journal-error.js'

/** How a journal is doing. */
export interface JournalHealth {
  /** True while memory holds accepted entries that no file holds. */
  readonly failing: boolean
  /** What it began with, while it is so. */
  readonly fault: FaultCause | undefined
  /** What the disk said last, while something is wrong. */
  readonly error: string | undefined
  readonly queuedEntries: number
  /** Number of the newest log. */
  readonly logNumber: number
  /** Bytes in logs since the last snapshot. */
  readonly logBytes: number
  readonly snapshotBytes: number
  /** When the last commit was durable, by the clock; undefined where there was none since the start. */
  readonly committedAt: number | undefined
}
