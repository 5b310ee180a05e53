/** What the core expects of the outside: clock, journal, prober, logger. Shells implement these; nothing here does I/O. */
import type { Durability, ErrorBody, Probe, ResolvedRef } from '@rollcall/wire'
import type { Declaration } from './records/declaration.js'
import type { InstanceKey, StoredRecord } from './records/record.js'

// ---- time ------------------------------------------------------------------------------------------------

/** Time as shells see it. The core itself receives `now` as an argument. */
export interface Clock {
  /** Monotonic milliseconds; never goes back, says nothing about the date. */
  now(): number
  /** Milliseconds since the epoch; a source of numbers and log lines, never compared between machines. */
  wallNow(): number
  /** Calls `callback` once after `delayMs`; the returned function cancels. Timers do not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): () => void
}

// ---- journal ---------------------------------------------------------------------------------------------

/** One change of durable state. Replaying entries in order, with records merged, gives the state. */
export type JournalEntry =
  | Declaration
  | {
      readonly kind: 'record'
      readonly record: StoredRecord
      /** The node had connected to the instance, at this address, before the entry was written. */
      readonly baseline?: true
    }
  /** The history of the engine that this node was joined to last: what the journal holds is compared with that one. */
  | { readonly kind: 'epoch'; readonly epoch: string }
  /** The record was forgotten after its retention (only this incarnation of it). */
  | { readonly kind: 'forget'; readonly key: InstanceKey; readonly incarnation: number }

/** Where durable state goes. Never called by heartbeats. */
export interface JournalPort {
  /**
   * Queues entries for the next group commit and resolves when they are as durable as they can be made now:
   * `disk` after the fsync, `memory` while the disk refuses (or with no disk at all). Never rejects before
   * `close`; order is kept. Without entries it tells how durable at present what was committed before is.
   */
  append(entries: readonly JournalEntry[]): Promise<Durability>
  /** Commits what is queued and releases the files. Idempotent. Rejects when entries are lost with it. */
  close(): Promise<void>
}

// ---- probes ----------------------------------------------------------------------------------------------

/** Why a probe is made. Baselines establish that a later refusal means something. */
export type ProbePurpose = 'baseline' | 'evidence'

/** What to ask, as the instance registered it, and whom. */
export interface ProbeRequest extends Omit<Probe, 'port'> {
  readonly key: InstanceKey
  readonly incarnation: number
  readonly host: string
  readonly port: number
  readonly purpose: ProbePurpose
  /** Address the registration came from. */
  readonly peer?: string
  readonly timeoutMs: number
  /** How long to wait before the attempt. */
  readonly delayMs: number
}

/**
 * `succeeded`: it answered as it should; with `http` and `grpc` that was the process, with `tcp` its kernel.
 * `refused`: no process listens. `failed`: anything else. `skipped`: it is never asked, because the address rule forbids
 * it or it wants no probe. `unable`: this node could not ask just now, which says nothing about the instance.
 */
export type ProbeOutcome = 'succeeded' | 'refused' | 'failed' | 'skipped' | 'unable'

// ---- other nodes ----------------------------------------------------------------------------------------

/** An instance by its key and the incarnation that was heard. */
export interface HeardRef extends ResolvedRef {
  readonly incarnation: number
}

/** Takes to a judge that one of its instances was heard here `agoMs` ago. It may be lost: nothing but speed depends on it. */
export type PassOn = (judge: string, ref: HeardRef, agoMs: number) => void

/** Takes to a judge that consumers here could not reach these of its instances. It may be lost: they are told again. */
export type PassUnreachable = (judge: string, refs: readonly HeardRef[]) => void

/** Asks another node to probe, which an answer may follow, or not. */
export type Consult = (request: ProbeRequest) => void

// ---- logs ------------------------------------------------------------------------------------------------

/**
 * Structured logs: fields first, then a short constant message.
 * error = an operator must act; warn = it heals itself but an operator should know; info = life of the node;
 * debug = for finding faults.
 */
export interface Logger {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
}

/**
 * Where it is noted that a caller was refused, for the log of the node. Cheap: what is refused again and again is told once in
 * a while, and what no operator has to know is passed over.
 */
export interface RefusalLog {
  /** `peer`: the IP address of the caller, if there is one. */
  note(error: ErrorBody, peer: string | undefined): void
}

/** Notes nothing. */
export const NO_REFUSALS: RefusalLog = { note() {} }

/** A logger that keeps nothing. */
export const NO_LOGGER: Logger = { error() {}, warn() {}, info() {}, debug() {} }
