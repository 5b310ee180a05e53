/** Long work in turns of the event loop: each does a bounded number of steps, and others have theirs in between. */
import type { Clock } from '@rollcall/core'
import type { Later } from '../http/in-order.js'

/** Steps of one turn: each is an instance that is looked at or written out, some microseconds. */
const STEPS_MAX = 200

/** Does the work at once where it fits into one turn, else in as many as it takes. Rejects, or throws, with what a step throws. */
export function inTurns(clock: Pick<Clock, 'setTimer'>, steps: Iterator<void>): Later<void> {
  if (turn(steps)) return undefined
  return new Promise<void>((resolve, reject) => {
    const next = (): void => {
      try {
        if (turn(steps)) resolve()
        else clock.setTimer(0, next)
      } catch (error) {
        reject(error instanceof Error ? error : new Error('a step failed', { cause: error }))
      }
    }
    clock.setTimer(0, next)
  })
}

/** Whether the work is done. */
function turn(steps: Iterator<void>): boolean {
  for (let count = 0; count < STEPS_MAX; count++) if (steps.next().done === true) return true
  return false
}
