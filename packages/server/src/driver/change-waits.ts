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

/** Creates a set of waits; the caller bounds their number. */
export function createChangeWaits(clock: Clock): ChangeWaits {
  const open = new Set<() => void>()
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
      const forget = enlist(() => end(true))
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

/** A wait that is over before it began. */
export function settledWait(changed: boolean): ChangeWait {
  return { changed: Promise.resolve(changed), cancel() {} }
}
