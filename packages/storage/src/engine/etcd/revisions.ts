/** From the answers of a watch to whole revisions: fragments are joined, and nothing is told twice or out of order. */
import { type EngineEvent, EngineError } from '@rollcall/core'
import type { PrefixKeys } from './keys.js'
import type { KeyValue, WatchEvent } from './messages.js'
import { entryOf } from './ranges.js'

/** What can be told now. */
export interface Told {
  readonly events: readonly EngineEvent[]
  /** Everything up to here was told with them. */
  readonly revision: number
  /** The charter was changed after that, or deleted: nothing of what follows is told. */
  readonly charterChanged: boolean
}

export interface WholeRevisions {
  /** The last revision of which everything was told. */
  readonly told: number
  /** Takes the events of an answer; `more`: further ones of its last revision may follow in the next answer. */
  take(events: readonly WatchEvent[], more: boolean): Told
  /** The server says that nothing else happened up to this revision. */
  reached(revision: number): void
  /** The stream broke: what was not told whole comes again. */
  broke(): void
}

export function createWholeRevisions(keys: PrefixKeys, charterText: string, after: number): WholeRevisions {
  let told = after
  /** Events of revisions that are not whole yet. */
  let pending: KeyChange[] = []
  return {
    get told() {
      return told
    },
    take(events, more) {
      for (const event of events) {
        const change = changeOf(event)
        const last = pending.at(-1)?.kv.modRevision ?? told
        // A stream that repeats what was told is passed over; one that goes back cannot be followed.
        if (change.kv.modRevision <= told) continue
        if (change.kv.modRevision < last)
          throw new EngineError('unavailable', 'a watch that tells revisions out of order')
        pending.push(change)
      }
      const last = pending.at(-1)?.kv.modRevision
      if (last === undefined) return { events: [], revision: told, charterChanged: false }
      const whole = more ? pending.filter(({ kv }) => kv.modRevision < last) : pending
      const end = whole.at(-1)?.kv.modRevision ?? told
      pending = more ? pending.slice(whole.length) : []
      return tell(whole, end)
    },
    reached(revision) {
      if (pending.length === 0 && revision > told) told = revision
    },
    broke() {
      pending = []
    },
  }

  function tell(whole: readonly KeyChange[], end: number): Told {
    const events: EngineEvent[] = []
    for (const { deleted, kv } of whole) {
      if (keys.isCharter(kv.key)) {
        if (!deleted && kv.value === charterText) continue
        const before = kv.modRevision - 1
        const rest = events.filter(({ revision }) => revision <= before)
        told = Math.max(told, Math.min(before, end))
        return { events: rest, revision: told, charterChanged: true }
      }
      const entry = entryOf(keys, kv)
      if (entry === undefined) continue
      const { key, value, revision } = entry
      events.push(deleted ? { kind: 'delete', key, revision } : { kind: 'put', key, value, revision })
    }
    told = end
    return { events, revision: told, charterChanged: false }
  }
}

interface KeyChange {
  readonly deleted: boolean
  readonly kv: KeyValue
}

function changeOf({ type, kv }: WatchEvent): KeyChange {
  if (kv === undefined || kv.modRevision <= 0)
    throw new EngineError('unavailable', 'a watch that tells of no key')
  return { deleted: type === 1, kv }
}
