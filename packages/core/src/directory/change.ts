/** What happens in a directory: why a record is proposed, what applying it did, and what follows from there. */
import type { State } from '@rollcall/wire'
import type { Session } from '../caller.js'
import type { Declaration } from '../records/declaration.js'
import type { StoredRecord } from '../records/record.js'
import { isLive } from '../records/state.js'
import type { Entry } from './directory.js'

/** Why a record is proposed. `session` is the one that asks, if a session does, and `peer` the address it came from. */
export type Cause =
  | { readonly kind: 'registration'; readonly session: Session | undefined }
  | { readonly kind: 'removal'; readonly session: Session | undefined; readonly peer: string | undefined }
  | { readonly kind: 'verdict' | 'override' | 'restoration' }
  /** The journal, or another replica, says so. */
  | { readonly kind: 'learnt' }

/** What applying a record did. */
export interface Change {
  readonly entry: Entry
  readonly cause: Cause
  /** Whether subscribers see a difference. */
  readonly visible: boolean
  readonly before: State | null
  readonly after: State | null
  /** The record the key had before, if any. */
  readonly previous: StoredRecord | undefined
}

/**
 * What follows the changes of a directory: each follower is told once per change, in a fixed order, after the change is
 * complete. It may propose a change of its own, which then reaches the followers before the call returns.
 */
export interface Follower {
  /** A record changed. */
  changed?(change: Change, now: number): void
  /** A hidden record was dropped altogether. */
  forgotten?(entry: Entry): void
  /** A declaration was made, or taken back. */
  declared?(declaration: Declaration, now: number): void
}

/**
 * True when an expired record is now deregistered. No view changes, but clients that keep it as a last resort must
 * drop it.
 */
export function isFarewell({ before, entry, previous }: Change): boolean {
  return before === null && previous !== undefined && isLive(previous) && !isLive(entry.record)
}
