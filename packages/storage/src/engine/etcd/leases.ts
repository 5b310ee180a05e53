/** Leases that many keys share: keys of about the same time and the same life end with the same lease. */
import type { Clock } from '@rollcall/core'
import type { Calls } from './calls.js'

export interface SharedLeases {
  /** The lease of a key that is written now. Rejects with EngineError. */
  of(ttlMs: number): Promise<bigint>
  /** The server does not know this lease any more: the next key gets another one. */
  gone(id: bigint): void
}

interface Shared {
  readonly id: bigint
  /** Until when, on this clock, a key that is written with it lives long enough. */
  readonly until: number
}

/** etcd deletes what is over within about a second. */
const LATE_MS = 1_000

/** Lives of different length that are remembered; there are two of them, of records and of what was removed. */
const LIVES_MAX = 16

/** `slackMs`: how long the write that uses a lease may take. */
export function createSharedLeases(calls: Calls, clock: Clock, slackMs: number): SharedLeases {
  const current = new Map<number, Shared>()
  const asking = new Map<number, Promise<Shared>>()

  async function grant(ttlMs: number): Promise<Shared> {
    // From when the question leaves: the server cannot have counted before.
    const asked = clock.now()
    const least = Math.ceil(ttlMs / 1_000) + 1
    const { id, ttlSeconds } = await calls.grant(Math.max(least, Math.floor((1.5 * ttlMs - LATE_MS) / 1_000)))
    const slot = ttlSeconds * 1_000 - ttlMs
    const lease = { id, until: asked + slot - Math.min(slackMs, slot / 4) }
    current.delete(ttlMs)
    current.set(ttlMs, lease)
    if (current.size > LIVES_MAX) current.delete(current.keys().next().value as number)
    return lease
  }

  return {
    async of(ttlMs) {
      const known = current.get(ttlMs)
      if (known !== undefined && clock.now() < known.until) return known.id
      let answer = asking.get(ttlMs)
      if (answer === undefined) {
        answer = grant(ttlMs).finally(() => asking.delete(ttlMs))
        asking.set(ttlMs, answer)
      }
      return (await answer).id
    },
    gone(id) {
      for (const [ttlMs, lease] of current) if (lease.id === id) current.delete(ttlMs)
    },
  }
}
