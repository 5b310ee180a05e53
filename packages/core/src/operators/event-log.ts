/**
 * The event log: a ring of what happened last. It is written synchronously while a step runs and must cost next to
 * nothing, so it keeps references and makes its answers only when it is asked. Beats never reach it.
 */
import type { EventKind, EventsResponse, RegistryEvent, State } from '@rollcall/wire'
import type { InstanceKey } from '../records/record.js'

export interface EventsQuery {
  readonly namespace?: string
  readonly service?: string
  readonly group?: string
  readonly id?: string
  readonly kinds?: readonly EventKind[]
  /** Only from this moment on, and until that one, by the clock that dates events: milliseconds since the epoch. */
  readonly sinceMs?: number
  readonly untilMs?: number
  /** Only later ones than this number; without it, the newest. */
  readonly after?: number
  /** Default 100, at most 1,000. */
  readonly limit?: number
}

/** What an event says beside its kind. */
export interface EventFacts {
  readonly subject?: Partial<InstanceKey> & { readonly incarnation?: number }
  readonly from?: State | null
  readonly to?: State | null
  readonly reason?: string
  readonly by?: string
  readonly why?: string
  readonly zone?: string
  readonly lateMs?: number
}

/** On whose behalf a step is done; the node's own where nothing is said. */
export interface EventContext {
  readonly peer?: string | undefined
  readonly via?: string | undefined
  readonly by?: string | undefined
  readonly why?: string | undefined
}

interface Noted {
  readonly seq: number
  readonly wallMs: number
  readonly kind: EventKind
  readonly facts: EventFacts
  readonly context: EventContext
}

const PAGE_DEFAULT = 100
/** Most events of one answer. */
export const EVENTS_PAGE_MAX = 1_000

export class EventLog {
  private readonly ring: Noted[] = []
  private readonly node: string
  private readonly eventsMax: number
  private readonly wallNow: () => number
  private last = 0

  /** Keeps the last `eventsMax` events; 0 switches it off. `wallNow` dates them for people. */
  constructor(node: string, eventsMax: number, wallNow: () => number) {
    this.node = node
    this.eventsMax = eventsMax
    this.wallNow = wallNow
  }

  /** Number of the newest event; 0 = nothing happened yet. */
  get newest(): number {
    return this.last
  }

  record(kind: EventKind, facts: EventFacts, context: EventContext): void {
    if (this.eventsMax === 0) return
    const seq = ++this.last
    this.ring[seq % this.eventsMax] = { seq, wallMs: this.wallNow(), kind, facts, context }
  }

  /**
   * Without `after` the newest events that match, else the first ones after it; a number that is still to come
   * is one of another boot and stands for 0.
   */
  query(query: EventsQuery): EventsResponse {
    const limit = Math.max(1, Math.min(query.limit ?? PAGE_DEFAULT, EVENTS_PAGE_MAX))
    const oldest = Math.max(1, this.last - this.eventsMax + 1)
    if (query.after === undefined) {
      const events: RegistryEvent[] = []
      for (let seq = this.last; seq >= oldest && events.length < limit; seq--) this.take(seq, query, events)
      return { node: this.node, events: events.reverse(), next: this.last }
    }
    const after = query.after > this.last ? 0 : query.after
    const events: RegistryEvent[] = []
    let next = Math.max(after, oldest - 1)
    const lost = next - after
    while (next < this.last && events.length < limit) this.take(++next, query, events)
    return { node: this.node, events, next, ...(lost === 0 ? {} : { lost }) }
  }

  private take(seq: number, query: EventsQuery, events: RegistryEvent[]): void {
    const noted = this.ring[seq % this.eventsMax]
    if (noted !== undefined && matches(noted, query)) events.push(told(noted))
  }
}

function matches({ kind, wallMs, facts: { subject } }: Noted, query: EventsQuery): boolean {
  const { namespace, service, group, id, kinds, sinceMs = -Infinity, untilMs = Infinity } = query
  return (
    wallMs >= sinceMs &&
    wallMs <= untilMs &&
    (kinds === undefined || kinds.includes(kind)) &&
    (namespace === undefined || subject?.namespace === namespace) &&
    (service === undefined || subject?.service === service) &&
    (group === undefined || subject?.group === group) &&
    (id === undefined || subject?.id === id)
  )
}

function told({ seq, wallMs, kind, facts, context }: Noted): RegistryEvent {
  const { subject, from, to, ...others } = facts
  const { namespace, service, group, id, incarnation } = subject ?? {}
  const event: Record<string, unknown> = { seq, at: new Date(wallMs).toISOString(), kind }
  const optional = { namespace, service, group, id, incarnation, from, to, ...context, ...others }
  for (const [name, value] of Object.entries(optional)) {
    if (value !== undefined && value !== null) event[name] = value
  }
  return event as unknown as RegistryEvent
}
