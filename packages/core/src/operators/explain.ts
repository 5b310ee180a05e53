/** Why an instance is, or is not, in the list: everything its state rests on, in one answer. Changes nothing. */
import type {
  Explanation,
  ExplainedContent,
  ExplainedEvidence,
  ExplainedGuards,
  ExplainedJudge,
  FreezeSummary,
  Guard,
  RegistryEvent,
} from '@rollcall/wire'
import type { Inspection } from '../liveness/assess.js'
import type { Entry } from '../directory/directory.js'
import { explainInWords } from './explain-words.js'
import { toldOverride } from './overrides.js'
import { forecast } from '../liveness/forecast.js'
import { rememberedMs } from '../liveness/options.js'
import { holdsRecord } from '../records/override.js'
import type { Content } from '../records/record.js'

/** What an explanation is made from, beside the entry. */
export interface ExplainFacts {
  readonly inspection: Inspection | undefined
  /** This node judges it. */
  readonly isJudge: boolean
  /** What the breaker of the service does. */
  readonly guard: Guard
  readonly freezes: readonly FreezeSummary[]
  /** How long the override still stands, where it ends by itself. */
  readonly remainingMs: number | undefined
  readonly events: readonly RegistryEvent[]
}

/** Explains an entry at `now`. */
export function explain(entry: Entry, facts: ExplainFacts, now: number): Explanation {
  const { record, state } = entry
  const { namespace, service, group, id, incarnation, verdict, override } = record
  const { inspection, events } = facts
  const next = nextOf(inspection)
  const forgottenInMs = forgottenOf(entry, inspection)
  const explanation: Omit<Explanation, 'summary'> = {
    namespace,
    service,
    group,
    id,
    incarnation,
    listed: state !== null,
    ...(state === null ? {} : { state }),
    stateAgeMs: age(entry.since, now),
    content: contentOf(record.content),
    verdict,
    judge: judgeOf(entry, facts),
    ...(override === undefined
      ? {}
      : { override: { ...toldOverride(override), ...defined({ remainingMs: facts.remainingMs }) } }),
    ...(inspection === undefined ? {} : { evidence: evidenceOf(inspection) }),
    guards: guardsOf(entry, facts),
    ...defined({ next, forgottenInMs }),
    events,
  }
  return { ...explanation, summary: explainInWords(explanation) }
}

function judgeOf({ record }: Entry, { inspection, isJudge }: ExplainFacts): ExplainedJudge {
  const { node, claim } = record.verdict
  const judge = { node, claim, own: isJudge }
  if (inspection === undefined) return judge
  const { t, evidence } = inspection
  return { ...judge, sinceMs: age(evidence.judgeSince ?? evidence.startedAt, t) }
}

function contentOf(content: Content): ExplainedContent {
  const { intent, rev } = content
  const live = content.intent === 'gone' ? content.last : content
  const by = content.intent === 'gone' ? { by: content.by } : {}
  if (live === undefined) return { intent, rev, ...by }
  const { host, port, weight, zone, leaseMs, liveness, probe, peer, restored, foreign } = live
  return {
    intent,
    rev,
    ...by,
    host,
    port,
    weight,
    leaseMs,
    liveness,
    ...defined({ zone, probe, peer, restored, via: foreign?.protocol }),
  }
}

function evidenceOf({ t, evidence, mayProbe }: Inspection): ExplainedEvidence {
  const { session, probe } = evidence
  return {
    watchedMs: age(evidence.startedAt, t),
    ...heardOf(t, evidence),
    ...(evidence.toldAt === undefined ? {} : { toldMs: age(evidence.toldAt, t) }),
    ...(session === undefined
      ? {}
      : {
          session: {
            open: session.closedAt === undefined,
            silentMs: age(session.heardAt, t),
            ...(session.closedAt === undefined ? {} : { closedMs: age(session.closedAt, t) }),
          },
        }),
    baseline: evidence.baseline === 'own',
    probeAllowed: mayProbe,
    probeUnderWay: evidence.asking,
    ...(probe === undefined ? {} : { probe: { outcome: probe.outcome, ageMs: age(probe.at, t) } }),
  }
}

function heardOf(
  t: number,
  { heardAt, heardBy, session }: Inspection['evidence'],
): Pick<ExplainedEvidence, 'heardMs' | 'heardBy'> {
  if (session !== undefined && session.heardAt >= (heardAt ?? -Infinity)) {
    return { heardMs: age(session.heardAt, t), heardBy: 'session' }
  }
  return heardAt === undefined ? {} : { heardMs: age(heardAt, t), ...defined({ heardBy }) }
}

function guardsOf({ record }: Entry, { inspection, guard, freezes }: ExplainFacts): ExplainedGuards {
  const guards: ExplainedGuards = { service: guard, freezes }
  if (inspection === undefined) return guards
  const { t, evidence, doubtedAt } = inspection
  const damped = record.verdict.reason === 'flapping' && evidence.flaps.until > t
  return {
    ...guards,
    ...defined({
      held: evidence.held,
      watcherDoubtMs: doubtedAt === undefined ? undefined : age(doubtedAt, t),
      dampedMs: damped ? Math.round(evidence.flaps.until - t) : undefined,
    }),
  }
}

function nextOf(inspection: Inspection | undefined): Explanation['next'] {
  if (inspection?.facts === undefined) return undefined
  const { t, facts, options } = inspection
  const found = forecast(facts, t, options)
  return found === undefined
    ? undefined
    : { verdict: found.value, reason: found.reason, inMs: Math.round(found.at - t) }
}

function forgottenOf({ record, state }: Entry, inspection: Inspection | undefined): number | undefined {
  if (state !== null || inspection === undefined || holdsRecord(record.override)) return undefined
  const { evidence, options, t, isKept } = inspection
  if (isKept) return undefined
  return Math.max(0, Math.round(evidence.judgedAt + rememberedMs(record, options) - t))
}

function age(since: number, now: number): number {
  return Math.max(0, Math.round(now - since))
}

/** Only the members that are there. */
function defined<T extends object>(members: T): { [name in keyof T]?: Exclude<T[name], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [name in keyof T]?: Exclude<T[name], undefined>
  }
}
