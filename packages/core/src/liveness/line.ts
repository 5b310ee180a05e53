/**
 * Sessions that stand in line for an id: processes behind one port register the same address, and the next one takes
 * over when the one that holds the id leaves, or is no longer known to live. One is told at a time.
 */
import type { Change, Follower } from '../directory/change.js'
import type { Entry } from '../directory/directory.js'
import { isLive } from '../records/state.js'
import type { Session } from '../caller.js'
import type { SessionEvidence } from './evidence.js'

/** Most places of a node, over all ids; a session beyond it asks again by itself. */
const PLACES_MAX = 100_000

interface Places {
  /** In order. */
  readonly waiting: Map<Session, SessionEvidence>
  /** Was told, and has not registered yet. */
  told: Session | undefined
}

/** Who is next, by id. */
export class Line implements Follower {
  private readonly byEntry = new Map<Entry, Places>()
  private readonly bySession = new Map<Session, Set<Entry>>()
  /** Places taken, over all ids. */
  size = 0

  /** The session stands in line from now on. Returns whether it does: not where there is no more room. */
  join(entry: Entry, session: SessionEvidence): boolean {
    const places = this.byEntry.get(entry) ?? { waiting: new Map(), told: undefined }
    if (places.waiting.has(session)) return true
    if (session.closedAt !== undefined || this.size >= PLACES_MAX) return false
    this.size += 1
    places.waiting.set(session, session)
    this.byEntry.set(entry, places)
    const entries = this.bySession.get(session) ?? new Set()
    this.bySession.set(session, entries.add(entry))
    return true
  }

  /** The session wants the id no longer: where it had been told, the next one is. Returns whether it stood in line. */
  leave(entry: Entry, session: Session | undefined): boolean {
    const wasTold = session !== undefined && this.byEntry.get(entry)?.told === session
    const stood = this.remove(entry, session)
    if (wasTold) this.vacant(entry)
    return stood
  }

  /** The session has closed. */
  closed(session: SessionEvidence): void {
    for (const entry of this.bySession.get(session) ?? []) this.leave(entry, session)
  }

  /** The process that holds the id is gone, or about to be: the next one is told. */
  vacant(entry: Entry): void {
    const places = this.byEntry.get(entry)
    if (places === undefined || places.told !== undefined) return
    const [next] = places.waiting.values()
    if (next === undefined) return
    places.told = next
    const { namespace, service, group, id, incarnation } = entry.record
    next.options.onVacant?.([{ namespace, service, group, id, incarnation }])
  }

  changed({ entry, cause }: Change): void {
    if (!this.byEntry.has(entry)) return
    if (cause.kind === 'registration') this.remove(entry, cause.session)
    if (isFree(entry)) this.vacant(entry)
  }

  forgotten(entry: Entry): void {
    for (const session of this.byEntry.get(entry)?.waiting.keys() ?? []) this.remove(entry, session)
  }

  private remove(entry: Entry, session: Session | undefined): boolean {
    const places = this.byEntry.get(entry)
    if (places === undefined || session === undefined || !places.waiting.delete(session)) return false
    this.size -= 1
    if (places.told === session) places.told = undefined
    if (places.waiting.size === 0) this.byEntry.delete(entry)
    const entries = this.bySession.get(session)
    entries?.delete(entry)
    if (entries?.size === 0) this.bySession.delete(session)
    return true
  }
}

/** No process that lives holds the id, or its holder leaves. What an operator said of it holds for the next one as well. */
function isFree({ record }: Entry): boolean {
  return !isLive(record) || record.content.intent === 'draining' || record.verdict.value !== 'up'
}
