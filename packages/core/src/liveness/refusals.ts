/**
 * Refusals: a process listened and does not any more. Two in a row are proof where this boot of the node once connected,
 * unless too many come at once. Where an earlier boot connected, only those are that have gone on for three leases.
 */
import { lastHeard, type Evidence } from './evidence.js'
import type { Guards } from './guards.js'
import type { LivenessOptions } from './options.js'
import type { Questions } from './question.js'

/** Leases for which refusals go on before they are believed on the word of an earlier boot. */
const EARLIER_LEASES = 3

export interface RefusalsDeps {
  readonly questions: Questions
  readonly guards: Guards
}

export class Refusals {
  private readonly deps: RefusalsDeps
  private readonly gapMs: number
  /** Refused once: asked again within the gap. */
  private readonly once = new Set<Evidence>()

  constructor(deps: RefusalsDeps, { refusalGapMs }: Pick<LivenessOptions, 'refusalGapMs'>) {
    this.deps = deps
    this.gapMs = refusalGapMs
  }

  /** Takes one more refusal at judged time `t`. True if they are believed now; `counts`: that would be news. */
  another(evidence: Evidence, t: number, leaseMs: number, counts: boolean): boolean {
    const { baseline, refusedSince } = evidence
    // What was heard meanwhile ended the series before.
    evidence.refusedSince = lastHeard(evidence) > refusedSince ? t : Math.min(refusedSince, t)
    const lastedMs = t - evidence.refusedSince
    if (baseline === 'earlier') return counts && lastedMs >= EARLIER_LEASES * leaseMs
    if (!this.once.delete(evidence)) {
      this.once.add(evidence)
      this.deps.questions.ask(evidence, t, this.gapMs / 2)
      return false
    }
    return counts && (lastedMs >= leaseMs || this.deps.guards.believesRefusal(evidence, t, leaseMs))
  }

  /** Another answer than a refusal: the next one is the first of a pair, and on the word of an earlier boot of a series. */
  interrupted(evidence: Evidence): void {
    this.once.delete(evidence)
    if (evidence.baseline === 'earlier') evidence.refusedSince = Infinity
  }

  /** It was heard, or is not observed any more: no refusal counts. */
  reset(evidence: Evidence): void {
    this.once.delete(evidence)
    evidence.refusedSince = Infinity
  }
}
