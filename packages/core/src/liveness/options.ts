/** The timing and the guards of judgement, with their defaults. */
import { DEFAULTS } from '@rollcall/wire'
import type { Entry } from '../directory/nodes.js'
import type { StoredRecord } from '../records/record.js'
import { isStray } from '../records/state.js'
import { DAMPING_DEFAULTS, type DampingOptions } from './damping.js'
import { SERVICE_BREAKER_DEFAULTS, type ServiceBreakerOptions } from './service-breaker.js'
import { WATCHER_BREAKER_DEFAULTS, type WatcherBreakerOptions } from './watcher-breaker.js'

/** The timing of judgement. Formulas: docs/operating/tuning.md. */
export interface LivenessOptions {
  /** Sessions send something this often. Two missed = silence, three = the lease of a session. */
  readonly pingMs: number
  /** A closed session's instance is suspect after this long without a new session. */
  readonly closedGraceMs: number
  /** Two refusals no further apart than this are believed. */
  readonly refusalGapMs: number
  /** `down` for this long makes `expired`; a service may set its own. */
  readonly removalMs: number
  /** Hidden records are remembered this long. */
  readonly retentionMs: number
  /** The same for what was never registered here: long enough for a registration that is under way. */
  readonly strayMs: number
  /** An incarnation this node never heard may go down by silence after watching it this long. */
  readonly unheardMs: number
  /** A connection attempt counts as failed after this long. */
  readonly probeTimeoutMs: number
  /** A bare TCP success holds `suspect` for at most this many leases. */
  readonly heldLeases: number
  readonly watcherBreaker: WatcherBreakerOptions
  readonly serviceBreaker: ServiceBreakerOptions
  readonly damping: DampingOptions
}

export const LIVENESS_DEFAULTS: LivenessOptions = {
  pingMs: 3_000,
  closedGraceMs: 500,
  refusalGapMs: 100,
  removalMs: 60_000,
  retentionMs: 3_600_000,
  strayMs: 2 * DEFAULTS.leaseMs,
  unheardMs: 600_000,
  probeTimeoutMs: 1_000,
  heldLeases: 3,
  watcherBreaker: WATCHER_BREAKER_DEFAULTS,
  serviceBreaker: SERVICE_BREAKER_DEFAULTS,
  damping: DAMPING_DEFAULTS,
}

/** How long a hidden record is remembered. */
export function rememberedMs(record: StoredRecord, { retentionMs, strayMs }: LivenessOptions): number {
  return isStray(record) ? Math.min(retentionMs, strayMs) : retentionMs
}

/**
 * Whether a hidden record is remembered for longer than that: while an engine holds it, and a deregistration until one does.
 * `joined`: there is one.
 */
export function isKept({ record, revision }: Entry, { joined }: { readonly joined: boolean }): boolean {
  return joined && (revision > 0 || record.content.intent === 'gone')
}
