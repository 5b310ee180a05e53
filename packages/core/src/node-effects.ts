/** What the rules of a node leave behind in a step, for the shell around them to do. */
import type { Notice } from './liveness/notices.js'
import type { Meter } from './metrics.js'
import type { Consult, JournalEntry, PassOn, PassUnreachable, ProbeRequest } from './ports.js'
import type { StoredRecord } from './records/record.js'

/** Where effects go. Called synchronously while a step runs; must not call back into the node. */
export interface NodeEffects {
  readonly persist: (entry: JournalEntry) => void
  readonly probe: (request: ProbeRequest) => void
  /** Whether a probe of an address could be made at all. Default: any. */
  readonly mayProbe?: (host: string, peer: string | undefined) => boolean
  /** Takes to its judge that an instance was heard here. Default: nowhere. */
  readonly passOn?: PassOn
  /** Takes to their judge that consumers could not reach these. Default: nowhere. */
  readonly passUnreachable?: PassUnreachable
  /** Asks another node to probe, because this one doubts its ears. Default: none. */
  readonly consult?: Consult
  readonly meter?: Meter
  /** Told how the node fares, for its log. */
  readonly noticed?: (notice: Notice) => void
  /** Dates events for people. Default: the epoch. */
  readonly wallNow?: () => number
  /** This node judges from now on what another one did. */
  readonly tookOver?: (record: StoredRecord) => void
}
