/**
 * Structured logs: fields first, then a short constant message. Any logger of this shape fits.
 * error = somebody must act; warn = it heals itself but somebody should know; info = life of the client;
 * debug = for finding faults.
 */
export interface Logger {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** A logger that keeps nothing: the default. */
export const NO_LOGGER: Logger = { error() {}, warn() {}, info() {}, debug() {} }
