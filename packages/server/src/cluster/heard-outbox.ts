/**
 * Signs of life for other nodes: what is heard here of instances that another node judges is collected, each instance
 * once, and told to that node a few times a second.
 */
import type { Clock, HeardRef, Meter, PeerLinks } from '@rollcall/core'

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
  readonly refs: Map<string, HeardRef>
  /** When the oldest of them was heard. */
  since: number
}

/** Creates the outbox. What cannot be told is lost: it is heard again. */
export function createHeardOutbox(
  { clock, meter, links }: HeardOutboxDeps,
  { collectMs = 400, refsMax = 50_000 }: HeardOutboxOptions = {},
): HeardOutbox {
  const judges = new Map<string, Collected>()
  let cancel: (() => void) | undefined
  let closed = false
  const flush = (): void => {
    cancel = undefined
    const now = clock.now()
    for (const [judge, { refs, since }] of judges)
      links.tell(judge, { type: 'heard', agoMs: Math.ceil(now - since), refs: [...refs.values()] })
    judges.clear()
  }
  return {
    passOn(judge, ref, agoMs = 0) {
      if (closed) return
      const heardAt = clock.now() - agoMs
      let collected = judges.get(judge)
      if (collected === undefined) {
        collected = { refs: new Map(), since: heardAt }
        judges.set(judge, collected)
      }
      const { namespace, service, group, id, incarnation } = ref
      const key = `${incarnation}/${namespace}/${service}/${group}/${id}`
      // Heard twice, it counts from the first time on: older is always true as well.
      if (!collected.refs.has(key)) {
        if (collected.refs.size >= refsMax) return meter.count('rollcall_peer_dropped_total')
        collected.refs.set(key, ref)
      }
      collected.since = Math.min(collected.since, heardAt)
      cancel ??= clock.setTimer(collectMs, flush)
    },
    close() {
      closed = true
      cancel?.()
      judges.clear()
    },
  }
}
