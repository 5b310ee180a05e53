/** What a change of a record is called in the event log. Pure. */
import type { EventKind } from '@rollcall/wire'
import type { Change } from '../directory/change.js'
import type { EventFacts } from './event-log.js'
import { RESTORED } from '../liveness/transitions.js'
import type { Wishes } from '../records/record.js'
import { isLive, shownReason } from '../records/state.js'

/** The event of a change, or undefined where it is none (a rev, a verdict under an override). `author` signed it. */
export function eventOf(change: Change, author?: string): readonly [EventKind, EventFacts] | undefined {
  const { entry, cause, visible, before, after, previous } = change
  const { record } = entry
  const facts: EventFacts = { subject: record, from: before, to: after }
  const { content, verdict, override } = record
  if (content.intent === 'gone') {
    return previous?.content === content
      ? overrideEvent(change, facts)
      : ['deregistered', { ...facts, by: cause.kind === 'learnt' ? content.by : (author ?? content.by) }]
  }
  if (previous?.incarnation !== record.incarnation) {
    if (verdict.reason === RESTORED.reason) return ['restored', facts]
    return [before === null ? 'registered' : 'replaced', facts]
  }
  if (previous.override !== override) return overrideEvent(change, facts)
  if (!visible) return undefined
  if (before === null)
    return [verdict.reason === RESTORED.reason ? 'restored' : 'state', { ...facts, reason: verdict.reason }]
  if (after === null) return ['expired', { ...facts, reason: verdict.reason }]
  if (previous.verdict !== verdict && before !== after)
    return ['state', { ...facts, reason: shownReason(record, after) ?? verdict.reason }]
  return isLive(previous) ? ['updated', facts] : ['registered', facts]
}

function overrideEvent(
  { entry, previous }: Change,
  facts: EventFacts,
): readonly [EventKind, EventFacts] | undefined {
  const { override } = entry.record
  if (override === undefined || override === previous?.override) return undefined
  const { value, by, why } = override
  return [
    value === null ? 'override_cleared' : 'override_set',
    {
      ...facts,
      ...(value === null ? {} : { reason: wishesOf(value) }),
      ...(by === undefined ? {} : { by }),
      ...(why === undefined ? {} : { why }),
    },
  ]
}

/** Wishes in words: `drain, weight 7`. */
export function wishesOf({ drain, disable, weight }: Wishes): string {
  const wishes = [
    ...(drain === true ? ['drain'] : []),
    ...(disable === true ? ['disable'] : []),
    ...(weight === undefined ? [] : [`weight ${weight.value}`]),
  ]
  return wishes.join(', ')
}
