/** What a node writes into its journal: which entry each change is. */
import type { Change, Follower } from './directory/change.js'
import type { LivenessRules } from './liveness/liveness.js'
import type { JournalEntry } from './ports.js'
import type { InstanceKey } from './records/record.js'

/** Whether an entry is the record of an instance. */
export function isRecordOf(
  entry: JournalEntry | undefined,
  { namespace, service, group, id }: InstanceKey,
): boolean {
  if (entry?.kind !== 'record') return false
  const { record } = entry
  return (
    record.id === id && record.service === service && record.group === group && record.namespace === namespace
  )
}

/** The record of an entry as the journal keeps it. */
export function recordEntry(
  change: Partial<Change> & Pick<Change, 'entry'>,
  { insight }: LivenessRules,
): JournalEntry {
  const { record } = change.entry
  return insight.hasBaseline(change) ? { kind: 'record', record, baseline: true } : { kind: 'record', record }
}

/** Follows what changes into the journal. */
export function journalOf(persist: (entry: JournalEntry) => void, liveness: LivenessRules): Follower {
  return {
    changed: (change) => persist(recordEntry(change, liveness)),
    declared: persist,
    forgotten({ record }) {
      const { namespace, service, group, id, incarnation } = record
      persist({ kind: 'forget', key: { namespace, service, group, id }, incarnation })
    },
  }
}
