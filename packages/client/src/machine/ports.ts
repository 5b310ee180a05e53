/** What the client needs of the world around it: time, chance and a place for its log. */

/** Time as the shells of the client see it; the machine receives `now` as an argument. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Milliseconds since the epoch: for snapshots and numbers, never compared between machines. */
  wallNow(): number
  /** Calls `callback` once after `delayMs` (a timer keeps the process alive); the result cancels. */
  setTimer(delayMs: number, callback: () => void): () => void
  /** Calls `callback` when what runs now has ended, before anything else happens. */
  soon(callback: () => void): void
}

/** Uniform in [0, 1). */
export type Random = () => number

/**
 * Structured logs: fields first, then a short constant message. Any logger of this shape fits.
 * error = a person must act; warn = it heals itself but a person should know; info = life of the client;
 * debug = for finding faults.
 */
export interface Logger {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** A logger that keeps nothing. */
export const NO_LOGGER: Logger = { error() {}, warn() {}, info() {}, debug() {} }
