/** What subscribers are handed, and what they say. */
import type { Delta, PartsWanted, View, ViewName } from '@rollcall/wire'
import type { ViewCapture } from '../directory/view.js'

/**
 * One publication. The same object is handed to every subscriber it concerns, so that an adapter can encode
 * it once (keyed weakly by the object) and write the same bytes to all.
 */
export type Update = { readonly kind: 'delta'; readonly seq: number; readonly delta: Delta } | ViewUpdate

export interface ViewUpdate {
  readonly kind: 'view'
  readonly seq: number
  /** As it was at one moment: a long one is written out in slices. */
  readonly captured: ViewCapture
  /** Written out as a whole whenever it is asked for. */
  readonly view: View
}

/** A consumer of publications. `deliver` must not throw and must not call back into the registry. */
export interface Subscriber {
  deliver(update: Update): void
}

/** A view to watch, with the sign of the list the consumer holds. */
export interface WatchCommand extends ViewName {
  readonly sign?: string
  /** The sums of the parts of that list, where it was asked for. */
  readonly sums?: string
  /** The consumer can compare the list by parts. Default false. */
  readonly byParts?: boolean
}

export interface Subscription {
  /**
   * Adds watches and delivers what each needs to be current: nothing, a delta, or the view. A service that was never
   * registered is the empty view. Throws `limit_exceeded` and adds nothing beyond the node's limit. Returns the views whose sign
   * is not known here and that the consumer can compare: they are delivered when it watches again and shows the sums of their parts.
   */
  watch(items: readonly WatchCommand[]): readonly PartsWanted[]
  unwatch(items: readonly ViewName[]): void
  /** Delivers the full view of each watched item again. */
  resync(items: readonly ViewName[]): void
  /** The consumer has applied every publication up to `seq`. */
  ack(seq: number): void
  /** The consumer's buffer is full: deliver nothing until `drained`, then what it lacks. */
  stalled(): void
  drained(): void
  close(): void
}
