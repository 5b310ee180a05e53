/**
 * Signs of life for other nodes: what is heard here of instances that another node judges is collected, each instance
 * once, and told to that node a few times a second.
 */
import { type Clock, type HeardRef, HeardRefMap, type Meter, type PeerLinks } from '@rollcall/core'

export interface HeardOutboxDeps {
  readonly clock: Clock
  readonly meter: Meter
  readonly links: Pick<PeerLinks, 'tell'>
}

export interface HeardOutboxOptions {
  /** How long is collected. Default 400: with the way to the peer it stays within half a second. */
  readonly collectMs?: number
  /** Most instances that wait for one node. Default 50,000; more are not passed on, but heard again later. */
  readonly refsMax?: number
}

/** What is collected for all nodes. */
export interface HeardOutbox {
  /** `judge` should know that this instance was heard here, `agoMs` (default 0) ago. */
  passOn(judge: string, ref: HeardRef, agoMs?: number): void
  /** Drops what was collected, and collects no more. Idempotent. */
  close(): void
}

interface Collected {
  readonly refs: HeardRef[]
  readonly known: HeardRefMap<true>
  /** When the oldest of them was heard. */
  since: number
}

/** Creates the outbox. What cannot be told is lost: it is heard again. */
export function createHeardOutbox(
  { clock, meter, links }: HeardOutboxDeps,
  { collectMs = 400, refsMax = 50_000 }: HeardOutboxOptions = {},
): HeardOutbox {
  const fresh = new Map<string, Collected>()
  /** What was heard long ago goes by itself: a message has one age, that of its oldest. */
  const old = new Map<string, Collected>()
  let cancel: (() => void) | undefined
  let closed = false
  const flush = (): void => {
    cancel = undefined
    const now = clock.now()
    for (const judges of [fresh, old]) {
      for (const [judge, { refs, since }] of judges)
        links.tell(judge, { type: 'heard', agoMs: Math.ceil(now - since), refs })
      judges.clear()
    }
  }
  return {
    passOn(judge, ref, agoMs = 0) {
      if (closed) return
      const heardAt = clock.now() - agoMs
      const judges = agoMs > collectMs ? old : fresh
      let collected = judges.get(judge)
      if (collected === undefined) {
        collected = { refs: [], known: new HeardRefMap(), since: heardAt }
        judges.set(judge, collected)
      }
      // Heard twice, it counts from the first time on: older is always true as well.
      if (collected.known.get(ref) === undefined) {
        if (collected.refs.length >= refsMax) return meter.count('rollcall_peer_dropped_total')
        collected.known.add(ref, true)
        collected.refs.push(ref)
      }
      collected.since = Math.min(collected.since, heardAt)
      cancel ??= clock.setTimer(collectMs, flush)
    },
    close() {
      closed = true
      cancel?.()
      fresh.clear()
      old.clear()
    },
  }
}
