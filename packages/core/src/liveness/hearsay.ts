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

  /** It was heard here now, by itself. */
  heard(evidence: Evidence, t: number): void {
    if (this.passOn === undefined || t < (evidence.passedAt ?? -Infinity) + gapOf(evidence)) return
    this.pass(evidence, t, t)
  }

  /** A session vouches for it here. Returns when to ask again. */
  vouched(evidence: Evidence, session: SessionEvidence, t: number): number {
    if (this.passOn === undefined) return Infinity
    const due = (evidence.passedAt ?? -Infinity) + gapOf(evidence)
    if (t < due) return due
    if (session.heardAt > (evidence.passedAt ?? -Infinity)) this.pass(evidence, session.heardAt, t)
    return t + gapOf(evidence)
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
