/**
 * The state machine of one instance in the eyes of its judge: what each event does to it in each standing. Evidence and
 * time raise events (`assess.ts`, `liveness.ts`); what they bring, why, and what may hold it back is written here and
 * nowhere else. docs/reference/liveness.md is made from it.
 */
import type { StoredRecord, VerdictValue } from '../records/record.js'

/** Where an instance stands, and what that means. */
export const STANDINGS = {
  up: 'nothing speaks against it',
  suspect: 'doubted: it is silent, its session closed, or this node never heard it',
  flapping: 'doubted for coming and going too often: it has to behave for a while',
  lost: 'down by silence; the breaker of the service counts it',
  dead: 'down for sure: its port refuses, or it has been silent for very long',
  expired: 'hidden after the removal time; remembered for the retention',
  gone: 'deregistered, which is final for this incarnation; remembered for the retention',
} as const

export type Standing = keyof typeof STANDINGS

/** What can happen to an instance. */
export const LIVENESS_EVENTS = {
  registered: 'a new incarnation was accepted',
  restored: 'an operator brought it back',
  deregistered: 'its provider, a call by host or an operator ended the incarnation',
  heard:
    'a beat, a renewal, a sound of its session, here or at another node that told, or its own HTTP or gRPC probe (with `liveness: probe` any) succeeded',
  flapped: 'the same, but it came back too often within a short time',
  moved: 'it registered over a session here, and another node judged it',
  adopted: 'the node that judged it is lost, and this one takes over',
  behaved: 'it was heard all the time for which it had to behave',
  session_closed: 'its last session closed and it was not asked since',
  grace_over: 'no new session came within the grace',
  half_lease_over: 'silent for half the lease (two pings of a session), and not asked since',
  unconfirmed: 'the probe that silence led to failed, or there can be none',
  lease_over: 'silent for the whole lease, and not asked since',
  lease_unconfirmed: 'the probe after the end of the lease failed, or there can be none',
  held_leases_over: 'silent for as long as a bare TCP success may hold it',
  never_heard: 'watched for a lease without a sound and not confirmed by a probe, or for ten minutes at all',
  question_due: 'time for another probe: its only evidence, or what holds it or may bring it back',
  hinted: 'a consumer could not reach it',
  refused:
    'its port, to which this node once connected, refused twice, and the refusals are believed; an earlier boot of it: for three leases on end',
  removal_over: 'down for the removal time',
  retention_over: 'hidden for the retention, and under no standing override',
} as const

export type LivenessEvent = keyof typeof LIVENESS_EVENTS

/** Why a verdict was written: words for people are in `explain-words.ts`. */
export type VerdictReason =
  | 'registered'
  | 'restored'
  | 'heard'
  | 'flapping'
  | 'behaved'
  | 'silence'
  | 'long_silence'
  | 'session_closed'
  | 'unheard'
  | 'refused'
  | 'down_too_long'

/** What may hold a verdict back. */
export type HoldReason = 'watcher_doubt' | 'island' | 'service_breaker' | 'freeze'

/** A verdict with its reason, and the guards that have to let it pass. */
export interface Transition {
  readonly does: 'becomes'
  readonly value: VerdictValue
  readonly reason: VerdictReason
  readonly guards: readonly HoldReason[]
  /** Reason after silence so long that the breaker of the service no longer counts it. */
  readonly late?: VerdictReason
}

/** What an event brings in a standing. */
export type Cell =
  | Transition
  /** A probe is made; this node judges from now on, and the verdict stands; the record is dropped; the incarnation is ended; nothing. */
  | { readonly does: 'asks' | 'claims' | 'forgets' | 'buries' | 'stays'; readonly why: string }
  /** The event is not raised in this standing. If it were, nothing would be judged by it. */
  | { readonly does: 'never'; readonly why: string }

/** A part of what one standing has in the table. */
type Row = Partial<Record<LivenessEvent, Cell>>

function becomes(value: VerdictValue, reason: VerdictReason, ...guards: readonly HoldReason[]): Transition {
  return { does: 'becomes', value, reason, guards }
}

function cell<const Does extends 'asks' | 'claims' | 'forgets' | 'buries' | 'stays' | 'never'>(
  does: Does,
  why: string,
): { readonly does: Does; readonly why: string } {
  return { does, why }
}

/** The verdict every accepted incarnation begins with. */
export const REGISTERED: Transition = becomes('up', 'registered')
/** The verdict under which an operator brings something back. */
export const RESTORED: Transition = becomes('up', 'restored')

const BACK = becomes('up', 'heard')
const FLAPPING = becomes('suspect', 'flapping')
const DOUBTED = becomes('suspect', 'silence', 'watcher_doubt')
const LOST: Transition = {
  ...becomes('down', 'silence', 'watcher_doubt', 'island', 'freeze', 'service_breaker'),
  late: 'long_silence',
}
/** Down for sure: its port refuses. */
export const REFUSED: Transition = becomes('down', 'refused')

const BURIED = cell('buries', 'a deregistration is final, whatever was thought of the instance')
const FORGOTTEN = cell('forgets', 'it is not remembered any more')
const ASKED = cell('asks', 'a refusal is proof, and its own probe is evidence')
const THIRD_PARTY = cell('asks', 'with `liveness: probe` a probe is its only evidence')
const SHOWN = cell('never', 'it is listed')
const NOT_DAMPED = cell('never', 'it does not have to behave')
const NO_REMOVAL = cell('never', 'it is not down')
const IN_DOUBT = cell('never', 'it is doubted already')
const IS_DOWN = cell('never', 'its silence was judged')
const IS_HIDDEN = cell('never', 'it left the list')
const IS_GONE = cell('never', 'the deregistered are not judged')
const KNOWN_DOWN = cell('stays', 'it is down already')
const REVERSED = cell('never', 'it was heard, which reverses the verdict')
const ADOPTED = cell('claims', 'the verdict stands: to take over is no evidence')
const UNCHOSEN = cell('stays', 'no consumer is offered it')

/** What silence brings to an instance that is doubted, for whatever reason. */
const SILENT_SUSPECT = {
  session_closed: IN_DOUBT,
  grace_over: IN_DOUBT,
  half_lease_over: IN_DOUBT,
  unconfirmed: IN_DOUBT,
  lease_over: cell('asks', 'no instance goes down by silence unasked'),
  lease_unconfirmed: LOST,
  held_leases_over: LOST,
  never_heard: IN_DOUBT,
  question_due: cell('asks', 'a TCP success holds it, a refusal is proof, and its own probe is evidence'),
  hinted: ASKED,
  refused: REFUSED,
  removal_over: NO_REMOVAL,
  retention_over: SHOWN,
} satisfies Row

/** What silence brings to an instance that is down: nothing more. */
const SILENT_DOWN = {
  session_closed: IS_DOWN,
  grace_over: IS_DOWN,
  half_lease_over: IS_DOWN,
  unconfirmed: IS_DOWN,
  lease_over: IS_DOWN,
  lease_unconfirmed: IS_DOWN,
  held_leases_over: IS_DOWN,
  never_heard: IS_DOWN,
  hinted: UNCHOSEN,
  refused: KNOWN_DOWN,
  retention_over: SHOWN,
} satisfies Row

/** What does not happen to an instance that is hidden. */
function unjudged(why: Cell) {
  return {
    behaved: why,
    session_closed: why,
    grace_over: why,
    half_lease_over: why,
    unconfirmed: why,
    lease_over: why,
    lease_unconfirmed: why,
    held_leases_over: why,
    never_heard: why,
    removal_over: why,
  } satisfies Row
}

/** The table. A standing, an event or a cell that is missing does not compile. */
export const LIVENESS_TABLE: Readonly<Record<Standing, Readonly<Record<LivenessEvent, Cell>>>> = {
  up: {
    registered: REGISTERED,
    restored: SHOWN,
    deregistered: BURIED,
    heard: cell('stays', 'a sound writes nothing'),
    flapped: FLAPPING,
    moved: cell('claims', 'the judge is the node that has its session'),
    adopted: ADOPTED,
    behaved: NOT_DAMPED,
    session_closed: cell('asks', 'a killed process refuses'),
    grace_over: becomes('suspect', 'session_closed', 'watcher_doubt'),
    half_lease_over: cell('asks', 'before the end of the lease only a failed probe makes suspect'),
    unconfirmed: DOUBTED,
    lease_over: DOUBTED,
    lease_unconfirmed: cell('never', 'it is suspect from the end of the lease on'),
    held_leases_over: cell('never', 'it is suspect from the end of the lease on'),
    never_heard: becomes('suspect', 'unheard', 'watcher_doubt'),
    question_due: cell('asks', 'a probe is its only evidence, or the only witness of one never heard'),
    hinted: ASKED,
    refused: REFUSED,
    removal_over: NO_REMOVAL,
    retention_over: SHOWN,
  },
  suspect: {
    registered: REGISTERED,
    restored: SHOWN,
    deregistered: BURIED,
    heard: BACK,
    flapped: FLAPPING,
    moved: REVERSED,
    adopted: ADOPTED,
    behaved: NOT_DAMPED,
    ...SILENT_SUSPECT,
  },
  flapping: {
    registered: REGISTERED,
    restored: SHOWN,
    deregistered: BURIED,
    heard: cell('stays', 'evidence does not refute it: its judge ends it'),
    flapped: cell('stays', 'it has to behave for longer'),
    moved: cell('claims', 'the judge is the node that has its session, where it still has to behave'),
    adopted: ADOPTED,
    behaved: becomes('up', 'behaved'),
    ...SILENT_SUSPECT,
  },
  lost: {
    registered: REGISTERED,
    restored: SHOWN,
    deregistered: BURIED,
    heard: BACK,
    flapped: FLAPPING,
    moved: REVERSED,
    adopted: ADOPTED,
    behaved: NOT_DAMPED,
    ...SILENT_DOWN,
    question_due: cell('asks', 'silence may have been wrong: its own probe brings it back'),
    removal_over: becomes('expired', 'down_too_long', 'island', 'freeze', 'service_breaker'),
  },
  dead: {
    registered: REGISTERED,
    restored: SHOWN,
    deregistered: BURIED,
    heard: BACK,
    flapped: FLAPPING,
    moved: REVERSED,
    adopted: ADOPTED,
    behaved: NOT_DAMPED,
    ...SILENT_DOWN,
    question_due: THIRD_PARTY,
    removal_over: becomes('expired', 'down_too_long', 'island', 'freeze'),
  },
  expired: {
    registered: REGISTERED,
    restored: RESTORED,
    deregistered: BURIED,
    heard: BACK,
    flapped: FLAPPING,
    moved: REVERSED,
    adopted: ADOPTED,
    ...unjudged(IS_HIDDEN),
    question_due: THIRD_PARTY,
    hinted: UNCHOSEN,
    refused: KNOWN_DOWN,
    retention_over: FORGOTTEN,
  },
  gone: {
    registered: REGISTERED,
    restored: RESTORED,
    deregistered: cell('stays', 'it is deregistered'),
    heard: IS_GONE,
    flapped: IS_GONE,
    moved: IS_GONE,
    adopted: IS_GONE,
    ...unjudged(IS_GONE),
    question_due: IS_GONE,
    hinted: IS_GONE,
    refused: IS_GONE,
    retention_over: FORGOTTEN,
  },
}

/** Where a record stands. */
export function standingOf({ content, verdict }: StoredRecord): Standing {
  if (content.intent === 'gone') return 'gone'
  const { value, reason } = verdict
  if (value === 'suspect') return reason === FLAPPING.reason ? 'flapping' : 'suspect'
  if (value === 'down') return reason === REFUSED.reason || reason === LOST.late ? 'dead' : 'lost'
  return value
}
