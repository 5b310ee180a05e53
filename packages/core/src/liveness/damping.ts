/**
 * Flap damping: an instance that keeps changing its mind is shown as `suspect` until it has behaved for a
 * while. Each renewed bout doubles the while. It is never taken down for it, and never the last one standing.
 */

export interface DampingOptions {
  /** So many flips… Infinity switches damping off. */
  readonly flips: number
  /** …within this long count as flapping. */
  readonly windowMs: number
  /** Good behaviour asked for the first time; doubles with each bout. */
  readonly holdMsMin: number
  readonly holdMsMax: number
}

export const DAMPING_DEFAULTS: DampingOptions = {
  flips: 3,
  windowMs: 60_000,
  holdMsMin: 10_000,
  holdMsMax: 60_000,
}

/** What is remembered of one instance's flips. */
export interface Flaps {
  /** Moments at which it was last taken for dead, newest last; no more than count. */
  readonly flipsAt: readonly number[]
  /** Good behaviour asked for in the last bout; 0 = there was none lately. */
  readonly holdMs: number
  /** Until when it has to behave. */
  readonly until: number
  /** It was lost while it had to behave: when it is back, it has to begin anew. */
  readonly owing?: true
}

export const NO_FLAPS: Flaps = { flipsAt: [], holdMs: 0, until: -Infinity }

/** It was taken for dead, or replaced by another incarnation while alive: one flip. */
export function flipped(flaps: Flaps, t: number, options: DampingOptions): Flaps {
  if (options.flips === Infinity) return flaps
  return { ...flaps, flipsAt: [...flaps.flipsAt, t].slice(-options.flips) }
}

/** It was lost while it had to behave. */
export function lostAgain(flaps: Flaps): Flaps {
  return { ...flaps, owing: true }
}

/** It was heard again. Afterwards it is damped while `until` lies ahead. */
export function returned(flaps: Flaps, t: number, options: DampingOptions): Flaps {
  const oldest = flaps.flipsAt[0]
  const flapping =
    flaps.flipsAt.length >= options.flips && oldest !== undefined && t - oldest <= options.windowMs
  if (flapping) {
    const known = t < flaps.until + options.windowMs ? flaps.holdMs : 0 // an old bout is forgiven
    const holdMs = known === 0 ? options.holdMsMin : Math.min(2 * known, options.holdMsMax)
    return { flipsAt: [], holdMs, until: t + holdMs }
  }
  const { flipsAt, holdMs, until, owing } = flaps
  return t < until || owing === true ? { flipsAt, holdMs, until: t + holdMs } : flaps
}
