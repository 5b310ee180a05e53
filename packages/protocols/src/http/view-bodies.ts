/**
 * The JSON of views. A view is encoded once, in whatever way it is sent; lookups share its bytes while the view has the
 * same sign and is as stale, for at most a second, because it holds ages and guards that no sign covers.
 */
import type { Clock } from '@rollcall/core'
import { EMPTY_SIGN, type View, type ViewName } from '@rollcall/wire'

/** JSON in the form in which it is best sent: short text leaves with its head in one write. */
export type Body = string | Buffer

/** A body with the sign of its view. */
export interface ViewBody {
  readonly sign: string
  readonly body: Body
}

/** What is asked for views. */
export interface ViewSource {
  sign(name: ViewName): string
  view(name: ViewName): View | undefined
  health(): Pick<View, 'stale'>
}

/** How old the ages in an answer may be. */
const AGE_MS_MAX = 1_000

/** Bodies below this are kept as text. */
const TEXT_CHARS_MAX = 4_096

// Weak: a body lives as long as the view it belongs to.
const bodies = new WeakMap<View, Body>()

/** The JSON of this very view. */
export function bodyOf(view: View): Body {
  let body = bodies.get(view)
  if (body === undefined) {
    const json = JSON.stringify(view)
    body = json.length <= TEXT_CHARS_MAX ? json : Buffer.from(json)
    bodies.set(view, body)
  }
  return body
}

/** A name of a view as a key. */
export function viewKey({ namespace, service, group }: ViewName): string {
  return group === undefined ? `${namespace}/${service}` : `${namespace}/${service}/${group}`
}

interface Entry extends ViewBody {
  readonly stale: boolean
  readonly at: number
}

/** The bodies of views that were looked up last. Bounded in bytes; the oldest goes first. */
export class ViewBodies {
  private readonly clock: Clock
  private readonly bytesMax: number
  private readonly entries = new Map<string, Entry>()
  private total = 0

  constructor(clock: Clock, bytesMax: number) {
    this.clock = clock
    this.bytesMax = bytesMax
  }

  /** Bytes kept. */
  get bytes(): number {
    return this.total
  }

  /** The view as it is now; for an unknown service the empty one. Costs no more than its sign while that stays. */
  current(source: ViewSource, name: ViewName): ViewBody {
    const sign = source.sign(name)
    const { stale } = source.health()
    const entry = this.entries.get(viewKey(name))
    const fits = entry?.sign === sign && entry.stale === stale
    return fits && this.clock.now() - entry.at < AGE_MS_MAX ? entry : this.keep(viewOf(source, name))
  }

  /** The body of a view that was just read, kept for the lookups to come. */
  keep(view: View): ViewBody {
    const { sign, stale } = view
    const entry: Entry = { sign, stale, body: bodyOf(view), at: this.clock.now() }
    const key = viewKey(view)
    this.drop(key)
    const size = entry.body.length + key.length
    if (size > this.bytesMax) return entry
    this.entries.set(key, entry)
    this.total += size
    for (const oldest of this.entries.keys()) {
      if (this.total <= this.bytesMax) break
      this.drop(oldest)
    }
    return entry
  }

  private drop(key: string): void {
    const entry = this.entries.get(key)
    if (entry === undefined) return
    this.entries.delete(key)
    this.total -= entry.body.length + key.length
  }
}

/** The view as it is now; for an unknown service the empty one. */
export function viewOf(source: Pick<ViewSource, 'view' | 'health'>, name: ViewName): View {
  const empty = { sign: EMPTY_SIGN, instances: [], guard: { tripped: false, kept: 0 } }
  return source.view(name) ?? { ...name, ...empty, stale: source.health().stale }
}
