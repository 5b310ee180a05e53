/**
 * The judgement itself: from the evidence about one instance to what is to be done now and when to look
 * again. A pure function of its arguments; writing verdicts and making probes is the caller's part.
 */
import type { LiveContent, VerdictValue } from '../records/record.js'
import type { LivenessOptions, Watch } from './watch.js'

/** Everything judgement depends on. */
export interface Facts {
  readonly value: VerdictValue
  readonly content: Pick<LiveContent, 'leaseMs' | 'liveness'>
  readonly watch: Pick<
    Watch,
    'startedAt' | 'heardAt' | 'asking' | 'askedAt' | 'outdated' | 'probe' | 'judgedAt'
  >
  /** The session that vouches, if one does. */
  readonly session: { readonly heardAt: number; readonly closedAt: number | undefined } | undefined
  readonly removalMs: number
  /** End of the node's last long stall. */
  readonly wokeAt: number
}

/** What judgement rests on at one moment. */
export interface Inspection {
  /** Judged time. */
  readonly t: number
  readonly options: LivenessOptions
  readonly watch: Watch
  /** Undefined for what was deregistered: nothing is judged any more. */
  readonly facts: Facts | undefined
  /** Since when the node doubts its ears where the instance is. */
  readonly doubtedAt: number | undefined
  /** Whether it can be probed at all. */
  readonly mayProbe: boolean
}

export interface Assessment {
  /** A verdict to write now. */
  readonly verdict?: { readonly value: VerdictValue; readonly reason: string }
  /** Make an evidence probe now. */
  readonly ask?: true
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
  readonly reason: string
}

/** Judges one instance at judged time `t`. */
export function assess(facts: Facts, t: number, options: LivenessOptions): Assessment {
  const { value, content, watch } = facts
  if (content.liveness === 'static') return { next: Infinity }
  if (value === 'expired')
    return content.liveness === 'probe' ? keepAsking(facts, t, content.leaseMs) : { next: Infinity }
  const lasting = value === 'down' ? removal(facts, t) : doubt(facts, t, options)
  if (content.liveness !== 'probe' || lasting.ask || watch.asking) return lasting
  const asking = keepAsking(facts, t, content.leaseMs / 3)
  return { ...lasting, ...asking, next: Math.min(lasting.next, asking.next) }
}

/** A third party's endpoint has no beats: its probes are its evidence, made at an even pace. */
function keepAsking(facts: Facts, t: number, everyMs: number): Assessment {
  const { watch } = facts
  if (watch.asking) return { next: Infinity }
  const due = watch.askedAt + everyMs
  return due <= t ? { ask: true, next: t + everyMs } : { next: due }
}

function removal(facts: Facts, t: number): Assessment {
  const due = facts.watch.judgedAt + facts.removalMs
  return due <= t ? { verdict: { value: 'expired', reason: 'down_too_long' }, next: Infinity } : { next: due }
}

function doubt(facts: Facts, t: number, options: LivenessOptions): Assessment {
  const { value, session } = facts
  if (session?.closedAt !== undefined && value === 'up') return closed(facts, t, session.closedAt, options)
  const heardAt = lastHeard(facts)
  if (heardAt === undefined) return unheard(facts, t, options)
  const leaseMs = session === undefined ? facts.content.leaseMs : 3 * options.pingMs
  const halfMs = session === undefined ? facts.content.leaseMs / 2 : 2 * options.pingMs
  const judged = judgeSilence(facts, t, { from: heardAt, halfMs, leaseMs, reason: 'silence' }, options)
  return t < heardAt + halfMs ? judged : { ...judged, silent: true }
}

/**
 * A closed session: one question at once and, if a connection was taken, one more after the grace; suspect then, or
 * when what silence before it has left of the lease is over. After a long stall clients have given their sessions up
 * for the node's silence, not for theirs: they get a lease to be back.
 */
function closed(facts: Facts, t: number, closedAt: number, options: LivenessOptions): Assessment {
  const { watch, wokeAt } = facts
  const sessionMs = 3 * options.pingMs
  const grace = Math.max(closedAt + options.closedGraceMs, wokeAt + sessionMs)
  const lease = Math.max(lastHeard(facts) ?? closedAt, wokeAt) + sessionMs
  if (t >= lease) return { silent: true, verdict: { value: 'suspect', reason: 'silence' }, next: t }
  if (t >= grace) {
    // A dying process may have taken one more connection: the kernel closes its files one by one.
    const again = watch.probe?.outcome === 'succeeded' && watch.askedAt < grace && !watch.asking
    const verdict = { value: 'suspect', reason: 'session_closed' } as const
    return { silent: true, ...(again ? { ask: true as const } : {}), verdict, next: t }
  }
  const asked = watch.asking || (watch.askedAt >= closedAt && !watch.outdated)
  return { silent: true, ...(asked ? {} : { ask: true as const }), next: Math.min(grace, lease) }
}

/** The last moment this node itself heard the instance. For a probed endpoint, watching is hearing. */
function lastHeard({ watch, session, content }: Facts): number | undefined {
  const own = watch.heardAt ?? (content.liveness === 'probe' ? watch.startedAt : undefined)
  if (session === undefined) return own
  return own === undefined ? session.heardAt : Math.max(own, session.heardAt)
}

function judgeSilence(facts: Facts, t: number, silence: Silence, options: LivenessOptions): Assessment {
  const { value, watch } = facts
  const half = silence.from + silence.halfMs
  const end = silence.from + silence.leaseMs
  if (t < half) return { next: half }
  const answer = watch.probe !== undefined && watch.probe.at >= silence.from ? watch.probe : undefined
  if (value === 'up') {
    if (t >= end) return { verdict: { value: 'suspect', reason: silence.reason }, next: t }
    if (watch.asking) return { next: end }
    if (answer === undefined) return { ask: true, next: end }
    return answer.outcome === 'succeeded'
      ? { next: end }
      : { verdict: { value: 'suspect', reason: silence.reason }, next: t }
  }
  if (t < end) return { next: end }
  if (watch.asking) return { next: t + silence.leaseMs }
  if (answer === undefined || answer.at < end) return { ask: true, next: t + silence.leaseMs }
  const held = silence.from + options.heldLeases * silence.leaseMs
  if (answer.outcome !== 'succeeded' || t >= held)
    return { verdict: { value: 'down', reason: silence.reason }, next: t }
  const again = answer.at + silence.halfMs
  return again <= t ? { ask: true, next: held } : { next: Math.min(again, held) }
}

/**
 * An incarnation this node never heard (adopted, or from the journal): its silence says little. After one
 * lease and a failed or missing probe it may be doubted; only after long watching does silence count fully.
 */
function unheard(facts: Facts, t: number, options: LivenessOptions): Assessment {
  const { value, watch, content } = facts
  const { leaseMs } = content
  const matured = watch.startedAt + options.unheardMs
  if (t >= matured) {
    const from = matured - leaseMs
    return judgeSilence(facts, t, { from, halfMs: leaseMs / 2, leaseMs, reason: 'unheard' }, options)
  }
  if (value !== 'up') return { next: matured }
  const first = watch.startedAt + leaseMs
  if (t < first) return { next: first }
  if (watch.asking) return { next: matured }
  const answer = watch.probe
  if (answer !== undefined && answer.at >= first && answer.outcome !== 'succeeded') {
    return { verdict: { value: 'suspect', reason: 'unheard' }, next: t }
  }
  // An answer from before says nothing now; that a consumer's hint had asked must not put the question off.
  const again = answer !== undefined && answer.at >= first ? answer.at + leaseMs : t
  return again <= t ? { ask: true, next: t + leaseMs } : { next: Math.min(again, matured) }
}
