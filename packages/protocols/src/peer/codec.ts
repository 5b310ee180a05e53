/**
 * The frames of a link that stands: JSON texts to messages and back. What is no message of this protocol is undefined;
 * a message of a type that this version does not know is `unknown`, because newer nodes say more.
 */
import type {
  AudienceTerms,
  HeardRef,
  PeerQuestionKind,
  PeerReport,
  PeerQuestions,
  ProbeOutcome,
  ProbeRequest,
} from '@rollcall/core'
import { EVENT_KINDS, type ErrorBody, type ResolvedRef, type ViewName } from '@rollcall/wire'
import {
  boolean,
  choice,
  count,
  errorResponseShape,
  eventsResponseShape,
  explanationShape,
  type Fields,
  hostField,
  idField,
  integer,
  isJsonObject,
  list,
  literal,
  nameField,
  number,
  object,
  optional,
  portField,
  predicateOf,
  type Predicate,
  probeFields,
  type Shape,
  subscribersResponseShape,
  text,
} from '@rollcall/wire/shapes'
import type { MentionedKey, NumberedRefs } from './mapping.js'

/** What travels on a link that stands. `at` is the sender's clock, which says nothing but how late a frame is. */
export type PeerFrame =
  /** Sent every second. `echo`: `at` of the last ping that arrived. */
  | { readonly type: 'ping'; readonly at: number; readonly echo?: number }
  | ({ readonly type: 'heard'; readonly at: number; readonly agoMs: number } & NumberedRefs)
  /** Entries are looked at one by one. */
  | { readonly type: 'learn'; readonly entries: readonly unknown[] }
  | { readonly type: 'unreachable'; readonly refs: readonly HeardRef[] }
  | { readonly type: 'report'; readonly report: PeerReport }
  | AskFrame
  | AnswerFrame
  | { readonly type: 'unknown' }

export interface AskFrame {
  readonly type: 'ask'
  readonly id: number
  readonly kind: PeerQuestionKind
  readonly question: PeerQuestions[PeerQuestionKind]['asks']
}

export interface AnswerFrame {
  readonly type: 'answer'
  readonly id: number
  /** Held against what was asked by `isPeerAnswer`. */
  readonly answer?: unknown
  readonly error?: ErrorBody
}

/** Keys and numbers in one `heard`, and instances in one `unreachable`: so many of the longest keys fit in a frame. */
export const HEARD_REFS_MAX = 1_024
/** Entries in one `learn`. */
export const LEARN_ENTRIES_MAX = 4_096
/** Most events of one answer. */
const EVENTS_MAX = 1_000

const ASKED = { open: false, bounds: { textCharsMax: 2_048, pairsCharsMax: 16_384 } } as const
const ANSWERED = { open: true, bounds: { textCharsMax: 16_384, pairsCharsMax: 131_072 } } as const
const OPEN = { open: true, bounds: { textCharsMax: 2_048, pairsCharsMax: 16_384 } } as const

const keyFields: Fields<Omit<ResolvedRef, 'incarnation'>> = {
  namespace: nameField,
  service: nameField,
  group: nameField,
  id: idField,
}

const nameFields: Fields<ViewName> = {
  namespace: nameField,
  service: nameField,
  group: optional(nameField),
}

const termFields: Fields<AudienceTerms> = {
  revision: optional(count()),
  seq: optional(count()),
  ageMs: optional(count()),
}

const QUESTIONS: { readonly [K in PeerQuestionKind]: Shape<PeerQuestions[K]['asks']> } = {
  probe: object<ProbeRequest>({
    ...probeFields,
    key: object(keyFields),
    incarnation: count(),
    host: hostField,
    port: portField,
    purpose: choice(['baseline', 'evidence']),
    peer: optional(text({ maxLength: 64 })),
    timeoutMs: integer({ minimum: 1, maximum: 60_000 }),
    delayMs: integer({ minimum: 0, maximum: 60_000 }),
  }),
  explain: object<ResolvedRef>({ ...keyFields, incarnation: optional(count()) }),
  subscribers: object<PeerQuestions['subscribers']['asks']>({ ...nameFields, ...termFields }),
  settled: object<PeerQuestions['settled']['asks']>({
    names: list(object<ViewName>(nameFields)),
    ...termFields,
  }),
  events: object<PeerQuestions['events']['asks']>({
    ...nameFields,
    id: optional(idField),
    kinds: optional(list(choice(EVENT_KINDS))),
    sinceMs: optional(number()),
    untilMs: optional(number()),
    limit: integer({ minimum: 1, maximum: EVENTS_MAX }),
  }),
}

const isOutcome = predicateOf(choice<ProbeOutcome>(['succeeded', 'refused', 'failed', 'skipped', 'unable']), {
  open: false,
})

const ANSWERS: Readonly<Record<PeerQuestionKind, Predicate>> = {
  probe: isOutcome,
  explain: orNull(predicateOf(explanationShape, ANSWERED)),
  subscribers: orNull(predicateOf(subscribersResponseShape, ANSWERED)),
  settled: predicateOf(
    object<PeerQuestions['settled']['answers']>({
      settled: boolean(),
      seq: count(),
      behind: optional(literal(true)),
    }),
    ANSWERED,
  ),
  events: predicateOf(eventsResponseShape, ANSWERED),
}

const questions = {
  probe: predicateOf(QUESTIONS.probe, ASKED),
  explain: predicateOf(QUESTIONS.explain, OPEN),
  subscribers: predicateOf(QUESTIONS.subscribers, OPEN),
  settled: predicateOf(QUESTIONS.settled, OPEN),
  events: predicateOf(QUESTIONS.events, OPEN),
} satisfies Record<PeerQuestionKind, Predicate>

const isReport = predicateOf(
  object<PeerReport>({
    island: boolean(),
    stopping: boolean(),
    judges: count(),
    sessions: count(),
    unpublished: count(),
    lagMs: count(),
    divergence: count(),
  }),
  OPEN,
)

const isRef = predicateOf(object<HeardRef>({ ...keyFields, incarnation: count() }), OPEN)

const isError = predicateOf(errorResponseShape, ANSWERED)

function orNull(predicate: Predicate): Predicate {
  return (value) => value === null || predicate(value)
}

/** Whether it answers such a question. */
export function isPeerAnswer<K extends PeerQuestionKind>(
  kind: K,
  value: unknown,
): value is PeerQuestions[K]['answers'] {
  return ANSWERS[kind](value)
}

/** Reads a frame; undefined for what is none. */
export function readFrame(data: string): PeerFrame | undefined {
  let frame: unknown
  try {
    frame = JSON.parse(data)
  } catch {
    return undefined
  }
  if (!isJsonObject(frame) || typeof frame.type !== 'string') return undefined
  const check = CHECKS[frame.type as PeerFrame['type']]
  if (check === undefined || !Object.hasOwn(CHECKS, frame.type)) return { type: 'unknown' }
  return check(frame) ? (frame as unknown as PeerFrame) : undefined
}

type Members = Readonly<Record<string, unknown>>

const CHECKS: Readonly<Record<Exclude<PeerFrame['type'], 'unknown'>, (frame: Members) => boolean>> & {
  readonly unknown?: undefined
} = {
  ping: ({ at, echo }) => isMoment(at) && (echo === undefined || isMoment(echo)),
  heard: ({ at, agoMs, reset, keys, refs }) =>
    isMoment(at) &&
    isMoment(agoMs) &&
    (reset === undefined || reset === true) &&
    (keys === undefined || isKeys(keys)) &&
    isHandles(refs),
  learn: ({ entries }) => Array.isArray(entries) && entries.length <= LEARN_ENTRIES_MAX,
  unreachable: ({ refs }) => Array.isArray(refs) && refs.length <= HEARD_REFS_MAX && refs.every(isRef),
  report: ({ report }) => isReport(report),
  ask: ({ id, kind, question }) => isHandle(id) && isKind(kind) && questions[kind](question),
  answer: ({ id, error }) => isHandle(id) && (error === undefined || isError({ error })),
}

function isKind(value: unknown): value is PeerQuestionKind {
  return typeof value === 'string' && Object.hasOwn(questions, value)
}

function isMoment(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isHandle(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isHandles(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length <= HEARD_REFS_MAX && value.every(isHandle)
}

/** Names and numbers in it are looked at where they are noted. */
function isKeys(value: unknown): value is readonly MentionedKey[] {
  if (!Array.isArray(value) || value.length > HEARD_REFS_MAX) return false
  return value.every((key) => Array.isArray(key) && key.length === 5)
}

/** A frame as it travels. */
export function writeFrame(frame: Exclude<PeerFrame, { readonly type: 'unknown' }>): string {
  return JSON.stringify(frame)
}
