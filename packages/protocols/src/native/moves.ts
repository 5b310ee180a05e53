/** Sends stream clients to other nodes: all before a stop, some of them after a node joined, and tells all of them which nodes there are. */
import type { Clock } from '@rollcall/core'
import type { StreamSession } from './handlers/session.js'

/** A stream as far as it may be moved. */
export interface MovedStream {
  readonly session: Pick<StreamSession, 'goaway' | 'nodesChanged'>
  /** When it was last asked to make room. */
  askedAt?: number | undefined
}

/** What a node says to its streams about other nodes. */
export interface Moves {
  /** Asks all to go elsewhere within `afterMs`: evenly to the addresses `to`, where there are any. */
  goaway(reason: string, afterMs: number, to?: readonly string[]): void
  /** The nodes that clients may use have changed. */
  nodesChanged(): void
  /** So many streams should be elsewhere: as many as are not on their way yet are asked to move, a bounded number at a time. */
  rebalance(count: number, to: readonly string[]): void
}

/** Streams that are told of the nodes in one turn of the event loop: each is a write to a socket, about 10 µs. */
const STREAMS_PER_TURN = 250

/** Rounds of telling begin at most this often: nodes that come and go quickly are told as one change. */
const ROUND_MS = 100

/** A rebalance moves about a hundred clients in a second: each registers and watches anew, which others should not notice. */
const MOVING_MAX = 1_000
const MOVE_MS = 10_000

/** A client that was asked to make room is left alone for this long, whether it went (and came back as it was) or not. */
const QUIET_MS = 300_000

/** Builds it over the streams that are open, oldest first. */
export function createMoves(clock: Clock, streams: Iterable<MovedStream>): Moves {
  let round: Iterator<MovedStream> | undefined
  let scheduled = false
  let turn = 0
  const nextOf = (to: readonly string[]): string | undefined => to[turn++ % to.length]
  const tell = (): void => {
    scheduled = false
    for (let told = 0; round !== undefined && told < STREAMS_PER_TURN; told++) {
      const next = round.next()
      if (next.done === true) return void (round = undefined)
      next.value.session.nodesChanged()
    }
    schedule(0)
  }
  const schedule = (delayMs: number): void => {
    if (scheduled) return
    scheduled = true
    clock.setTimer(delayMs, tell)
  }
  return {
    goaway(reason, afterMs, to = []) {
      for (const { session } of streams) session.goaway(reason, afterMs, nextOf(to))
    },
    nodesChanged() {
      // From the first one on; those that were told this already are told nothing.
      round = streams[Symbol.iterator]()
      schedule(ROUND_MS)
    },
    rebalance(count, to) {
      if (to.length === 0) return
      const now = clock.now()
      const since = ({ askedAt = -Infinity }: MovedStream): number => now - askedAt
      const all = [...streams]
      const moving = all.filter((stream) => since(stream) < MOVE_MS).length
      let missing = Math.min(count, MOVING_MAX) - moving
      for (const stream of all) {
        if (missing <= 0) return
        if (since(stream) < QUIET_MS || !stream.session.goaway('rebalance', MOVE_MS, nextOf(to))) continue
        stream.askedAt = now
        missing--
      }
    },
  }
}
