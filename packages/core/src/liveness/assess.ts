/**
 * The judgement itself: from the evidence about one instance to what has happened to it by now and when to look again.
 * A pure function of its arguments; what an event brings is in `transitions.ts`, and doing it is the caller's part.
 */
import type { ProbeOutcome } from '../ports.js'
import type { LiveContent } from '../records/record.js'
import { provesProcess } from './question.js'
import { type LivenessEvent, type Standing, standingOf } from './transitions.js'
import type { Evidence } from './evidence.js'
import type { LivenessOptions } from './options.js'

/** Everything judgement depends on. */
export interface Facts {
  readonly standing: Standing
  readonly content: Pick<LiveContent, 'leaseMs' | 'liveness' | 'probe'>
  readonly evidence: Pick<
    Evidence,
    | 'isJudge'
    | 'startedAt'
    | 'judgeSince'
    | 'heardAt'
    | 'toldAt'
    | 'baseline'
    | 'asking'
    | 'askedAt'
    | 'outdated'
    | 'probe'
    | 'judgedAt'
  >
  /** The session that vouches, if one does. */
  readonly session: { readonly heardAt: number; readonly closedAt: number | undefined } | undefined
  readonly removalMs: number
  /** End of the node's last long stall. */
  readonly wokeAt: number
}

/** The facts of one instance; `wokeAt`: the end of the node's last long stall. */
export function factsOf(
  evidence: Evidence,
  content: LiveContent,
  wokeAt: number,
  options: LivenessOptions,
): Facts {
  const { entry, session } = evidence
  const removalMs = entry.service.settings?.removalMs ?? options.removalMs
  return { standing: standingOf(entry.record), content, evidence, session, removalMs, wokeAt }
}

/** How long an instance may be silent: of a session it is three pings. */
export function leaseOf(
  { session }: Pick<Facts, 'session'>,
  { leaseMs }: Pick<LiveContent, 'leaseMs'>,
  { pingMs }: LivenessOptions,
): number {
  return session === undefined ? leaseMs : 3 * pingMs
}

/** What judgement rests on at one moment. */
export interface Inspection {
  /** Judged time. */
  readonly t: number
  readonly options: LivenessOptions
  readonly evidence: Evidence
  /** Undefined for what was deregistered: nothing is judged any more. */
  readonly facts: Facts | undefined
  /** Since when the node doubts its ears where the instance is. */
  readonly doubtedAt: number | undefined
  /** Whether it can be probed at all. */
  readonly mayProbe: boolean
  /** It is hidden, and not forgotten by this node alone. */
  readonly isKept: boolean
}

export interface Assessment {
  /** What has happened; undefined = nothing that matters. */
  readonly event?: LivenessEvent
  /** Silence has lasted long enough to be noticed. */
  readonly silent?: true
  /** When to look again; Infinity = only on the next event. */
  readonly next: number
}

/** Times of silence, relative to the last sound. */
interface Silence {
  /** The moment from which silence counts. */
  readonly from: number
  /** A probe is made after this much of it. */
  readonly halfMs: number
  readonly leaseMs: number
  /** What an instance that is up has come to when the lease is over. */
  readonly over: 'lease_over' | 'never_heard'
}

/** Judges one instance at judged time `t`. */
export function assess(facts: Facts, t: number, options: LivenessOptions): Assessment {
  const { standing, content, evidence } = facts
  const { leaseMs, liveness } = content
  if (!evidence.isJudge || liveness === 'static' || standing === 'gone') return { next: Infinity }
  if (standing === 'expired') return liveness === 'probe' ? keepAsking(facts, t, leaseMs) : { next: Infinity }
  const isDown = standing === 'lost' || standing === 'dead'
  const lasting = isDown ? removal(facts, t) : doubt(facts, t, options)
  const goesOn = liveness === 'probe' || (standing === 'lost' && provesProcess(content.probe?.type ?? 'tcp'))
  if (!goesOn || evidence.asking) return lasting
  // Asked first: a verdict may be held back for long.
  const asking = keepAsking(facts, t, liveness === 'probe' ? leaseMs / 3 : leaseMs / 2)
  return { ...lasting, ...asking, next: Math.min(lasting.next, asking.next) }
}

/**
 * A third party's endpoint has no beats: its probes are its evidence, made at an even pace. So are those of an
 * instance that silence took, where they can prove a process. Where no process listened any more, whatever answers later is
 * another process, and may register for itself.
 */
function keepAsking({ evidence }: Facts, t: number, everyMs: number): Assessment {
  if (evidence.asking) return { next: Infinity }
  const due = evidence.askedAt + everyMs
  return due <= t ? { event: 'question_due', next: t + everyMs } : { next: due }
}

function removal({ evidence, removalMs }: Facts, t: number): Assessment {
  const due = evidence.judgedAt + removalMs
  return due <= t ? { event: 'removal_over', next: t } : { next: due }
}

function doubt(facts: Facts, t: number, options: LivenessOptions): Assessment {
  const { standing, session } = facts
  if (session?.closedAt !== undefined && standing === 'up') return closed(facts, t, session.closedAt, options)
  const heardAt = silentSince(facts)
  if (heardAt === undefined) return unheard(facts, t, options)
  const leaseMs = leaseOf(facts, facts.content, options)
  const halfMs = session === undefined ? facts.content.leaseMs / 2 : 2 * options.pingMs
  const judged = judgeSilence(facts, t, { from: heardAt, halfMs, leaseMs, over: 'lease_over' }, options)
  return t < heardAt + halfMs ? judged : { ...judged, silent: true }
}

/**
 * A closed session: one question at once and, if a connection was taken, one more after the grace; suspect then, or
 * when what silence before it has left of the lease is over. After a long stall clients have given their sessions up
 * for the node's silence, not for theirs: they get a lease to be back.
 */
function closed(facts: Facts, t: number, closedAt: number, options: LivenessOptions): Assessment {
  const { evidence, wokeAt } = facts
  const sessionMs = 3 * options.pingMs
  const grace = Math.max(closedAt + options.closedGraceMs, wokeAt + sessionMs)
  const lease = Math.max(silentSince(facts) ?? closedAt, wokeAt) + sessionMs
  if (t >= lease) return { silent: true, event: 'lease_over', next: t }
  if (t >= grace) {
    // A dying process may have taken one more connection: the kernel closes its files one by one.
    const again = evidence.probe?.outcome === 'succeeded' && evidence.askedAt < grace && !evidence.asking
    return { silent: true, event: again ? 'question_due' : 'grace_over', next: t }
  }
  const asked = evidence.asking || (evidence.askedAt >= closedAt && !evidence.outdated)
  return { silent: true, ...(asked ? {} : { event: 'session_closed' }), next: Math.min(grace, lease) }
}

/** What this node itself heard counts until for so many leases only others have heard the instance. */
const OWN_LEASES = 3

/**
 * From when on silence counts, which it does where this node itself heard the instance: from the last sound on, here or at
 * another node that told. What was heard long before others did, or before this node took over, is not of its hearing any
 * more. For a probed endpoint, watching is hearing.
 */
export function silentSince(facts: Facts): number | undefined {
  const { evidence, session, content } = facts
  const { startedAt, judgeSince, toldAt = -Infinity } = evidence
  const heardAt = evidence.heardAt ?? (content.liveness === 'probe' ? startedAt : -Infinity)
  const own = Math.max(heardAt, session?.heardAt ?? -Infinity)
  const others = Math.max(toldAt, judgeSince === undefined ? -Infinity : startedAt)
  if (others - own > OWN_LEASES * content.leaseMs) return undefined
  return own === -Infinity ? undefined : Math.max(own, others)
}

/**
 * A node that just took over suspects no sooner than after a lease of hearing, and takes down after another one: those
 * that hear the instance have the time between to say so.
 */
function trustedUntil({ evidence, session, content }: Facts): number {
  const tookOver = evidence.judgeSince !== undefined && session === undefined
  return tookOver ? evidence.startedAt + content.leaseMs : -Infinity
}

function judgeSilence(facts: Facts, t: number, silence: Silence, options: LivenessOptions): Assessment {
  const { standing, evidence } = facts
  const half = silence.from + silence.halfMs
  const trusted = trustedUntil(facts)
  const end = Math.max(silence.from, standing === 'up' ? -Infinity : trusted) + silence.leaseMs
  if (t < half) return { next: half }
  const answer =
    evidence.probe !== undefined && evidence.probe.at >= silence.from ? evidence.probe : undefined
  if (standing === 'up') {
    if (t >= end) return { event: silence.over, next: t }
    if (evidence.asking) return { next: end }
    if (answer === undefined) return { event: 'half_lease_over', next: end }
    if (!confirms(answer.outcome)) return { next: end }
    return t < Math.min(end, trusted) ? { next: Math.min(end, trusted) } : { event: 'unconfirmed', next: t }
  }
  if (t < end) return { next: end }
  if (evidence.asking) return { next: t + silence.leaseMs }
  // What was answered a lease ago says nothing now: a verdict may have been held back since.
  const isOld = answer !== undefined && confirms(answer.outcome) && t >= answer.at + silence.leaseMs
  if (answer === undefined || answer.at < end || isOld)
    return { event: 'lease_over', next: t + silence.leaseMs }
  if (confirms(answer.outcome)) return { event: 'lease_unconfirmed', next: t }
  const held = silence.from + options.heldLeases * silence.leaseMs
  if (t >= held) return { event: 'held_leases_over', next: t }
  const again = answer.at + silence.halfMs
  return again <= t ? { event: 'question_due', next: held } : { next: Math.min(again, held) }
}

/**
 * An incarnation this node never heard (adopted, or from the journal): its silence says little. After one
 * lease and a failed or missing probe it may be doubted; only after long watching does silence count fully.
 */
function unheard(facts: Facts, t: number, options: LivenessOptions): Assessment {
  const { standing, evidence, content } = facts
  const { leaseMs } = content
  const { toldAt } = evidence
  const watched = Math.max(evidence.startedAt, toldAt ?? -Infinity)
  const matured = watched + options.unheardMs
  if (t >= matured) {
    const from = matured - leaseMs
    return judgeSilence(facts, t, { from, halfMs: leaseMs / 2, leaseMs, over: 'never_heard' }, options)
  }
  if (standing !== 'up') {
    // Asked about only where a refusal means something.
    const asking = evidence.baseline !== 'none' ? keepAsking(facts, t, leaseMs / 2) : { next: Infinity }
    return { ...asking, next: Math.min(asking.next, matured) }
  }
  const first = watched + leaseMs
  if (t < first) return { next: first }
  const judged = unconfirmed(facts, t, { first, matured })
  // By those who told, this node heard it after all.
  return toldAt === undefined ? judged : { ...judged, silent: true }
}

/** An incarnation that was not heard for a lease is up only while probes confirm it. */
function unconfirmed(
  { evidence, content }: Facts,
  t: number,
  { first, matured }: { readonly first: number; readonly matured: number },
): Assessment {
  const { leaseMs } = content
  if (evidence.asking) return { next: matured }
  // An answer from before says nothing now; that a consumer's hint had asked must not put the question off.
  const answer = evidence.probe !== undefined && evidence.probe.at >= first ? evidence.probe : undefined
  if (answer === undefined) return { event: 'question_due', next: t + leaseMs }
  if (confirms(answer.outcome)) return { event: 'never_heard', next: t }
  const again = answer.at + leaseMs
  return again <= t ? { event: 'question_due', next: t + leaseMs } : { next: Math.min(again, matured) }
}

/**
 * Whether an answer speaks for silence: it failed, or there can be none. Not if this node could not ask: its own
 * troubles are no instance's death.
 */
function confirms(outcome: ProbeOutcome): boolean {
  return outcome !== 'succeeded' && outcome !== 'unable'
}
