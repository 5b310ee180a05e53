/** Long polls that wait for a change of a view. */
import type { ChangeWait, Clock } from '@rollcall/core'

/** Waits that are under way: each ends by a change, by its timeout, or when it is cancelled. */
export interface ChangeWaits {
  /**
   * Begins a wait. `enlist` is given what a change calls, once, and returns what forgets it again; what it
   * throws is thrown on, and nothing has begun.
   */
  begin(timeoutMs: number, enlist: (wake: () => void) => () => unknown): ChangeWait
  /** Ends all of them without a change; later ones end at once. Idempotent. */
  close(): void
}

/** Waits that a change ends in one turn of the event loop: each is an answer. */
const ENDS_PER_TURN = 500

/** Creates a set of waits; the caller bounds their number. */
export function createChangeWaits(clock: Pick<Clock, 'setTimer'>): ChangeWaits {
  const open = new Set<() => void>()
  const inTurn = createSlices(clock, ENDS_PER_TURN)
  let closed = false
  return {
    begin(timeoutMs, enlist) {
      if (closed) return settledWait(false)
      let settle = (_changed: boolean): void => {}
      const changed = new Promise<boolean>((resolve) => {
        settle = resolve
      })
      const end = (result: boolean): void => {
        forget()
        cancelTimer()
        open.delete(cancel)
        settle(result)
      }
      const cancel = (): void => end(false)
      const forget = enlist(() => inTurn(() => end(true)))
      const cancelTimer = clock.setTimer(timeoutMs, cancel)
      open.add(cancel)
      return { changed, cancel }
    },
    close() {
      closed = true
      for (const cancel of [...open]) cancel()
    },
  }
}

/** Runs what it is given: at once up to so many in a turn of the event loop, the rest in the next ones, in their order. */
function createSlices(clock: Pick<Clock, 'setTimer'>, size: number): (run: () => void) => void {
  const left: (() => void)[] = []
  let ran = 0
  const turn = (): void => {
    const runs = left.splice(0, size)
    ran = runs.length
    if (ran > 0) clock.setTimer(0, turn)
    for (const run of runs) run()
  }
  return (run) => {
    if (ran === size) {
      left.push(run)
      return
    }
    if (ran++ === 0) clock.setTimer(0, turn)
    run()
  }
}

/** A wait that is over before it began. */
export function settledWait(changed: boolean): ChangeWait {
  return { changed: Promise.resolve(changed), cancel() {} }
}
