/** Settings of a journal, each with its default and the reason for it. */
import type { FrameLimits } from './codec.js'

/** What a journal may be told. */
export interface JournalOptions {
  /** Where the files are; made if it does not exist. On a local file system, for this node alone. */
  readonly directory: string
  /**
   * A snapshot is made when the logs since the last one hold more bytes than this and than that snapshot.
   * Default 16 MiB: about 100,000 registrations, a fifth of a second to replay. Growing with the snapshot keeps
   * what is written in all within twice what is appended, and a restart within twice the snapshot's own time.
   */
  readonly rotateBytesMin?: number
  /**
   * Most entries that wait for the disk. Default 500,000: more than three seconds at full speed, some 300 MB.
   * Beyond that the disk counts as failing: everything waiting is answered `memory`, and a snapshot of the whole
   * state makes it durable once the disk keeps up again.
   */
  readonly queueEntriesMax?: number
  /** A commit that takes longer counts as a failing disk, so that callers are not kept waiting. Default 5,000 ms. */
  readonly commitMsMax?: number
  /** Wait before the first attempt to write again after a failure. Doubles each time. Default 500 ms. */
  readonly retryMsMin?: number
  /** Longest wait between two attempts. Default 30,000 ms: a full disk is noticed as freed within that time. */
  readonly retryMsMax?: number
}

/** The options with nothing left out. */
export type ResolvedJournalOptions = Required<JournalOptions>

/** Fills in the defaults. */
export function resolveOptions(options: JournalOptions): ResolvedJournalOptions {
  return {
    directory: options.directory,
    rotateBytesMin: options.rotateBytesMin ?? 16 * 1024 * 1024,
    queueEntriesMax: options.queueEntriesMax ?? 500_000,
    commitMsMax: options.commitMsMax ?? 5_000,
    retryMsMin: options.retryMsMin ?? 500,
    retryMsMax: options.retryMsMax ?? 30_000,
  }
}

/**
 * How often the journal looks whether its files are still there. Twice a second, so that an answer `disk` is never
 * given for more than a second after they were taken away; some ten system calls that touch no disk.
 */
export const LOOK_MS = 500

/** One commit is one frame. The largest batch of the API fits; encoding one takes about 10 ms. */
export const COMMIT_LIMITS: FrameLimits = { entriesMax: 10_000, bytesMax: 8 * 1024 * 1024 }

/** A piece of a snapshot: encoded between two turns of the event loop, so about half a millisecond. */
export const SNAPSHOT_PIECE_LIMITS: FrameLimits = { entriesMax: 512, bytesMax: 1024 * 1024 }
