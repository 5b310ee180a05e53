/**
 * What nodes hear of instances that others judge. A node tells the judge, and the judge takes it as evidence of the moment
 * at which it was heard there: beats that a balancer spreads over all nodes then cost no claims.
 */
import type { PassOn } from '../ports.js'
import type { Evidence, SessionEvidence } from './evidence.js'

/**
 * A judge is told of an instance at most this many times per lease. Beats come four times per lease, and one may come just before
 * it may be told again: what passes between two tellings then has to stay below the half of a lease.
 */
const TELLINGS_PER_LEASE = 6

/**
 * On its way from node to node something may age this much without being counted: a verdict that was made meanwhile is
 * not taken back by it. What lives is heard again soon, there or by the one who told.
 */
export const PASSING_MS = 1_000

export class Hearsay {
  private readonly passOn: PassOn | undefined

  constructor(passOn: PassOn | undefined) {
    this.passOn = passOn
  }

  /** It was heard here now, by itself: its judge is told, or is to be told at the returned time. */
  heard(evidence: Evidence, t: number): number {
    return this.tell(evidence, evidence.heardAt ?? t, t)
  }

  /** Something may be due. Returns when to ask again: what a session brings from now on is not said each time. */
  due(evidence: Evidence, session: SessionEvidence | undefined, t: number): number {
    const { heardAt = -Infinity } = evidence
    const due = this.tell(evidence, Math.max(heardAt, session?.heardAt ?? -Infinity), t)
    return session === undefined || this.passOn === undefined ? due : Math.min(due, t + gapOf(evidence))
  }

  /** Tells that it was heard at a moment, unless that was told, or the last telling is too fresh: returns when it is not. */
  private tell(evidence: Evidence, heardAt: number, t: number): number {
    const { passedAt = -Infinity } = evidence
    if (this.passOn === undefined || heardAt <= passedAt) return Infinity
    const due = passedAt + gapOf(evidence)
    if (t < due) return due
    this.pass(evidence, heardAt, t)
    return Infinity
  }

  /** Another node judges it from now on, which cannot know what was heard here before. */
  judgedAnew(evidence: Evidence, t: number): void {
    const { content } = evidence.entry.record
    const { heardAt = -Infinity } = evidence
    if (content.intent !== 'gone' && t - heardAt < content.leaseMs) this.pass(evidence, heardAt, t)
  }

  private pass(evidence: Evidence, heardAt: number, t: number): void {
    const { namespace, service, group, id, verdict, content } = evidence.entry.record
    if (content.intent === 'gone' || content.liveness === 'static') return
    evidence.passedAt = t
    const ref = { namespace, service, group, id, incarnation: evidence.incarnation }
    this.passOn?.(verdict.node, ref, Math.max(0, t - heardAt))
  }
}

function gapOf({ entry }: Evidence): number {
  const { content } = entry.record
  return content.intent === 'gone' ? Infinity : content.leaseMs / TELLINGS_PER_LEASE
}
