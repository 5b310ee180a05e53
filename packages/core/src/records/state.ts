/** What consumers see of a record: a pure function of its three registers. */
import {
  type Lanes,
  mix,
  parseLanes,
  type RemoveReason,
  sameHost,
  type State,
  STATE_NUMBERS,
} from '@rollcall/wire'
import type { LiveContent, StoredRecord } from './record.js'

type Address = Pick<LiveContent, 'host' | 'port'>

/** A record whose content is not `gone`. */
export interface LiveRecord extends StoredRecord {
  readonly content: LiveContent
}

/** Whether the record's incarnation was not deregistered. */
export function isLive(record: StoredRecord): record is LiveRecord {
  return record.content.intent !== 'gone'
}

/** Whether both are the same host, however it is written, and port: processes behind one port, or one after the other. */
export function sameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && sameHost(a.host, b.host)
}

/** Whether the record is the tombstone of an id that was never registered here. */
export function isStray({ content }: StoredRecord): boolean {
  return content.intent === 'gone' && content.rev === 0
}

/** The shown state, the first that holds: hidden (null), disabled, down, draining, suspect, starting, up. */
export function shownState(record: StoredRecord): State | null {
  const { content, verdict } = record
  const wishes = record.override?.value
  if (content.intent === 'gone' || verdict.value === 'expired') return null
  if (wishes?.disable === true) return 'disabled'
  if (verdict.value === 'down') return 'down'
  if (wishes?.drain === true || content.intent === 'draining') return 'draining'
  if (verdict.value === 'suspect') return 'suspect'
  return content.intent
}

/** The weight consumers balance by: the operator's for this incarnation, else the provider's. */
export function effectiveWeight(record: LiveRecord): number {
  const weight = record.override?.value?.weight
  return weight !== undefined && weight.incarnation === record.incarnation
    ? weight.value
    : record.content.weight
}

/** The digest a shown record adds to the sign of its views. */
export function shownDigest(record: LiveRecord, state: State): Lanes {
  return mix(parseLanes(record.content.digest), STATE_NUMBERS[state], effectiveWeight(record))
}

/** Why the record is in its state, where that is not obvious from the state itself. */
export function shownReason(record: StoredRecord, state: State): string | undefined {
  if (state === 'disabled') return record.override?.why ?? 'operator'
  if (state === 'suspect' || state === 'down') return record.verdict.reason
  if (state === 'draining' && record.override?.value?.drain === true) return record.override.why ?? 'operator'
  return undefined
}

/** Why an incarnation left the list, also when another incarnation took its place at another address. */
export function removal(
  previous: StoredRecord | undefined,
  record: StoredRecord,
  after: State | null,
): { readonly incarnation: number; readonly reason: RemoveReason } | undefined {
  if (after === null) return { incarnation: record.incarnation, reason: hiddenReason(record) }
  if (previous === undefined || previous.incarnation === record.incarnation) return undefined
  if (!isLive(previous) || !isLive(record)) return undefined
  if (sameAddress(previous.content, record.content)) return undefined
  return { incarnation: previous.incarnation, reason: 'replaced' }
}

/** Why a hidden record is hidden. */
export function hiddenReason(record: StoredRecord): 'deregistered' | 'expired' {
  return isLive(record) ? 'expired' : 'deregistered'
}
