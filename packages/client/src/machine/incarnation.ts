/** Numbers registration intents of one process, each larger than those before. */
export interface Incarnations {
  /** The next number; `floor` where that is larger, which leaves those that follow as they were. */
  next(floor?: number): number
}

/** Starts at this moment in milliseconds of the wall clock, so that a new process normally outnumbers its predecessor. */
export function createIncarnations(firstMs: number): Incarnations {
  let last = Math.floor(firstMs) - 1
  return {
    next(floor = 0) {
      last += 1
      // The floor is above what was in the way of one id; for another one it could be too far ahead to be taken.
      return Math.max(last, floor)
    },
  }
}
