/** Who listens to the publisher: the views, who watches and polls them, and what they are known to have. */
import type { Remove, ViewName } from '@rollcall/wire'
import type { Subscriber, Update, ViewUpdate } from './subscription.js'

/** A view with watches or waits. Most services that are watched change rarely: what only a change needs is made by it. */
export interface SubscribedView {
  readonly key: string
  readonly name: ViewName
  readonly subscribers: Set<Consumer>
  waiters: Set<Waiter> | undefined
  /** The peer that needed it first. */
  readonly payer: string | undefined
  /** The sign everybody who keeps up was told last. */
  told: string
  /** Those who stand elsewhere, with the sign they were given: they came in the middle of a window, or are still to be told. */
  apart: Map<Consumer, string> | undefined
  /** Not everybody was told yet. */
  telling: boolean
  toldAt: number
  dirtyAt: number | undefined
  urgent: boolean
  /** Who had left already and is now known to be gone for good; at most FAREWELLS_MAX, the oldest go first. */
  farewells: Map<string, Remove> | undefined
  /** The last full view that was built, for the next one who needs it. */
  full: { readonly sign: string; readonly at: number; readonly update: ViewUpdate } | undefined
  /** Deltas that brought returning subscribers up to date, for the next ones who show the same sign. */
  resumed: { readonly to: string; readonly at: number; readonly updates: Map<string, Update> } | undefined
  /** The last publication of this view that anybody was sent. */
  seq: number
  /** The last publication of each of the last times that everybody was told, oldest first; at most TELLINGS_MAX. */
  readonly tellings: number[]
}

/** A view without watches, of which `told` is the sign. */
export function createSubscribedView(
  key: string,
  { namespace, service, group }: ViewName,
  told: string,
  payer: string | undefined,
): SubscribedView {
  return {
    key,
    name: group === undefined ? { namespace, service } : { namespace, service, group },
    subscribers: new Set(),
    waiters: undefined,
    payer,
    told,
    apart: undefined,
    telling: false,
    toldAt: -Infinity,
    dirtyAt: undefined,
    seq: 0,
    tellings: [],
    urgent: false,
    farewells: undefined,
    full: undefined,
    resumed: undefined,
  }
}

/** Tellings that are remembered; a question about an older one is answered about the oldest. */
const TELLINGS_MAX = 16

/** Beyond this many within one window the oldest are not told: those who keep the missing find out by a call. */
const FAREWELLS_MAX = 256

/** An expired record was deregistered. */
export function noteFarewell(watched: SubscribedView, remove: Remove): void {
  const farewells = (watched.farewells ??= new Map())
  const key = `${remove.group}/${remove.id}`
  // The last incarnation of an id stands for those before it, and is the newest of all farewells.
  farewells.delete(key)
  farewells.set(key, remove)
  if (farewells.size <= FAREWELLS_MAX) return
  for (const oldest of farewells.keys()) {
    farewells.delete(oldest)
    break
  }
}

/** Everybody was told: notes up to which publication. */
export function noteTelling(watched: SubscribedView): void {
  const { tellings, seq } = watched
  if (tellings.at(-1) === seq) return
  tellings.push(seq)
  if (tellings.length > TELLINGS_MAX) tellings.shift()
}

/** Whether what happened to a view before the publication `seq` was told at all. */
function wasTold(watched: SubscribedView, seq: number): boolean {
  const upToDate = watched.dirtyAt === undefined && !watched.telling
  return upToDate || (watched.tellings.at(-1) ?? 0) >= seq
}

/**
 * Whether a subscriber has applied what happened to a view before the publication `seq`, however much has
 * happened since: then it has applied the first telling from there on.
 */
function hasApplied(consumer: Consumer, watched: SubscribedView, seq: number): boolean {
  if (consumer.missed.has(watched) || consumer.comparing.has(watched)) return false
  const first = watched.tellings.find((telling) => telling >= seq) ?? watched.seq
  return consumer.acked >= Math.min(consumer.delivered, first)
}

/** A long poll. */
export interface Waiter {
  readonly sign: string
  readonly wake: () => void
}

/** A subscriber and how far it is. */
export interface Consumer {
  readonly subscriber: Subscriber
  /** Address of its peer, if there is one. */
  readonly peer: string | undefined
  readonly watched: Map<string, SubscribedView>
  stalled: boolean
  closed: boolean
  /** Views of which something was withheld while stalled, with the sign it still has; undefined = it needs the full view. */
  readonly missed: Map<SubscribedView, string | undefined>
  /** Views that it was asked to compare by parts, and has not. */
  readonly comparing: Set<SubscribedView>
  /** The last publication it was sent. */
  delivered: number
  /** The last one it said it has applied. */
  acked: number
}

/** Key of a view. */
export function viewKey(name: ViewName): string {
  return name.group === undefined
    ? `${name.namespace}/${name.service}`
    : `${name.namespace}/${name.service}/${name.group}`
}

/** Who subscribes, and how far they are. */
export interface AudienceCount {
  readonly subscribers: number
  readonly acknowledged: number
  /** The publication that was asked about. */
  readonly seq: number
}

/**
 * Who subscribes to these views, and how many have applied what happened before the publication `seq`; without it,
 * what has happened until now. `next` is the number of the publication that comes next.
 */
export function countAudience(
  views: readonly SubscribedView[],
  seq: number | undefined,
  next: number,
): AudienceCount {
  const dirty = views.some(({ dirtyAt, telling }) => dirtyAt !== undefined || telling)
  const asked = seq ?? (dirty ? next : Math.max(0, ...views.map((view) => view.seq)))
  const subscribers = new Set<Consumer>()
  const lagging = new Set<Consumer>()
  for (const watched of views) {
    const told = wasTold(watched, asked)
    for (const consumer of watched.subscribers) {
      if (consumer.closed) continue
      subscribers.add(consumer)
      if (!told || !hasApplied(consumer, watched, asked)) lagging.add(consumer)
    }
  }
  return { subscribers: subscribers.size, acknowledged: subscribers.size - lagging.size, seq: asked }
}
