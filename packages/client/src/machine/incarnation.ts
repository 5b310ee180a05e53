/** Numbers registration intents of one process: each is larger than all before. */
export interface Incarnations {
  /** The next number, and at least `floor`. */
  next(floor?: number): number
}

/** Starts at the moment the process booted, so that a new process normally outnumbers its predecessor. */
export function createIncarnations(bootMs: number): Incarnations {
  let last = Math.floor(bootMs) - 1
  return {
    next(floor = 0) {
      last = Math.max(last + 1, floor)
      return last
    },
  }
}
