/** Puts publications together: numbers them, builds each once for all who need it, and counts what that costs. */
import { type Delta, EMPTY_SIGN, type Remove } from '@rollcall/wire'
import type { SubscribedView } from './audience.js'
import { Comparisons } from './comparisons.js'
import type { Update, ViewUpdate } from './subscription.js'
import type { Views } from './views.js'
import type { Directory } from '../directory/directory.js'
import type { Meter } from '../metrics.js'
import { deltaSince, wholeView } from '../directory/view.js'

/** A full view is built again after this long even if nothing changed, because it carries ages. */
const VIEW_AGE_MS_MAX = 1_000

/** From here on a list is told as it was lately with what changed since, rather than built and encoded anew. */
const LONG = 2_000

/** Signs for which a delta is kept at hand; beyond that they are built anew. */
const RESUMED_MAX = 16

export interface UpdatesDeps {
  readonly directory: Directory
  readonly views: Views
  readonly meter: Meter
}

export class Updates {
  private readonly deps: UpdatesDeps
  readonly comparisons: Comparisons
  /** The number of the last publication. */
  seq = 0
  /** Instances in the publications that were built. */
  work = 0

  constructor(deps: UpdatesDeps) {
    this.deps = deps
    this.comparisons = new Comparisons(deps.directory)
  }

  /**
   * The full view, as it was built last where that still fits, and what leads on from there. `acked` is what its reader has
   * applied. A long view is so built and encoded at most once a second, however busy it is and however many come.
   */
  full(watched: SubscribedView, sign: string, acked: number, now: number): readonly [Update, Update?] {
    const { full } = watched
    // A number that was acknowledged already would count as applied before it arrives.
    if (full !== undefined && now - full.at < VIEW_AGE_MS_MAX && full.update.seq > acked) {
      if (full.sign === sign) return [full.update]
      const { size } = full.update.captured
      const onwards = size < LONG ? undefined : this.resumption(watched, full.sign, sign, now)
      if (onwards !== undefined) return [full.update, onwards]
    }
    const update = this.view(watched, now)
    // An empty one is built faster than it is worth to keep one for every name that is watched and never registered.
    if (sign !== EMPTY_SIGN) watched.full = { sign, at: now, update }
    this.deps.meter.count('rollcall_publications_total', 1, 'view')
    return [update]
  }

  /** What was kept of a view for the next who need it is no longer the present; a long list still leads there. */
  changed(watched: SubscribedView): void {
    watched.resumed = undefined
    if (watched.full !== undefined && watched.full.update.captured.size < LONG) watched.full = undefined
  }

  /** The delta from a sign to the present. Many come back with one sign: it is built and encoded once for them. */
  resumption(
    watched: SubscribedView,
    sign: string,
    current: string,
    now: number,
    sums?: string,
  ): Update | undefined {
    const { updates } = this.resumed(watched, current, now)
    let update = updates.get(sign)
    if (update === undefined) {
      const delta = deltaSince(this.deps.directory, watched.name, sign, current, now)
      if (delta === undefined)
        return sums === undefined ? undefined : this.difference(watched, sign, sums, now)
      update = this.delta(delta)
      updates.set(sign, update)
    }
    return update
  }

  /** What leads from a list that was never one of this node's, of which the sums of its parts are shown. */
  private difference(
    { key, name }: SubscribedView,
    sign: string,
    sums: string,
    now: number,
  ): Update | undefined {
    return this.comparisons.difference(key, name, { sign, sums }, now, (delta) => this.delta(delta))
  }

  private resumed(
    watched: SubscribedView,
    current: string,
    now: number,
  ): NonNullable<SubscribedView['resumed']> {
    const { resumed } = watched
    const fits = resumed !== undefined && resumed.to === current && now - resumed.at < VIEW_AGE_MS_MAX
    if (fits && resumed.updates.size < RESUMED_MAX) return resumed
    return (watched.resumed = { to: current, at: now, updates: new Map() })
  }

  /** What leads from one sign to another: a delta, or the view where the first is no longer known. */
  between(watched: SubscribedView, from: string, to: string, now: number): Update {
    const delta = deltaSince(this.deps.directory, watched.name, from, to, now)
    const update = delta === undefined ? this.view(watched, now) : this.delta(delta)
    this.deps.meter.count('rollcall_publications_total', 1, update.kind)
    return update
  }

  /** Removes that change no list. */
  removal(watched: SubscribedView, sign: string, removes: readonly Remove[]): Update {
    this.deps.meter.count('rollcall_publications_total', 1, 'delta')
    return this.delta({ ...watched.name, from: sign, to: sign, upserts: [], removes })
  }

  private delta(delta: Delta): Update {
    this.work += delta.upserts.length + delta.removes.length
    return { kind: 'delta', seq: ++this.seq, delta }
  }

  private view({ name }: SubscribedView, now: number): ViewUpdate {
    const captured = this.deps.views.capture(name, now)
    this.work += captured.size
    return {
      kind: 'view',
      seq: ++this.seq,
      captured,
      get view() {
        return wholeView(captured)
      },
    }
  }
}
