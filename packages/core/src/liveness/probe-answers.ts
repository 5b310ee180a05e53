/**
 * What the answers to probes say of an instance: to those that the rules asked for, and to those that a node made on behalf of
 * others, such as the checks of another registry's clients.
 */
import type { Directory, Entry, EntrySlot } from '../directory/directory.js'
import type { ProbeOutcome, ProbeRequest } from '../ports.js'
import type { LiveContent } from '../records/record.js'
import { type Evidence, lastHeard } from './evidence.js'
import type { JudgedClock } from './judged-clock.js'
import type { Judge } from './judge.js'
import { isAtTarget, isTarget, provesProcess, type Questions } from './question.js'
import type { Refusals } from './refusals.js'

export interface ProbeAnswersDeps {
  readonly directory: Directory
  readonly evidence: EntrySlot<Evidence>
  readonly clock: JudgedClock
  readonly questions: Questions
  readonly refusals: Refusals
  readonly judge: Judge
  /** The instance itself was heard. */
  hear(entry: Entry, now: number): void
  /** A consumer could not reach it. */
  hint(entry: Entry, now: number): void
  /** It waits by a rule that changed. */
  ruledAnew(evidence: Evidence, now: number): void
}

/** An answer that says something of what is registered now. */
interface Concerned {
  readonly evidence: Evidence
  readonly content: LiveContent
}

export class ProbeAnswers {
  private readonly deps: ProbeAnswersDeps

  constructor(deps: ProbeAnswersDeps) {
    this.deps = deps
  }

  /** The answer to a probe that the rules asked for. */
  probed(request: ProbeRequest, outcome: ProbeOutcome, now: number): void {
    const found = this.concerned(request)
    if (found === undefined || !isTarget(request, found.content)) return
    const { evidence, content } = found
    const { questions, judge, refusals, clock } = this.deps
    if (outcome === 'succeeded') this.connected(evidence, now)
    if (request.purpose === 'baseline') return questions.baselineAnswered(evidence, request, outcome)
    evidence.asking = false
    const t = clock.at(now)
    if (!evidence.outdated) evidence.probe = { at: t, outcome }
    if (outcome === 'refused' && !evidence.outdated && this.refused(evidence, content, t, now)) return
    refusals.interrupted(evidence)
    // A third party's endpoint has no better witness; elsewhere a bare TCP success proves a kernel only.
    if (outcome === 'succeeded' && (content.liveness === 'probe' || provesProcess(request.type)))
      this.deps.hear(evidence.entry, now)
    judge.lookAt(evidence, t, now)
  }

  /**
   * The answer to a probe that this node made on behalf of others, `agoMs` after it was asked for. Success is evidence, for the
   * provider itself named the question. Refused where it is registered, it is dead as if the rules had asked; what is refused
   * elsewhere is a reason to ask.
   */
  witnessed(request: ProbeRequest, outcome: ProbeOutcome, agoMs: number, now: number): void {
    const found = this.concerned(request)
    if (found === undefined) return
    const { evidence, content } = found
    const { refusals, clock, judge } = this.deps
    const { entry } = evidence
    const own = isAtTarget(request, content)
    if (outcome === 'succeeded') {
      if (own) this.connected(evidence, now)
      refusals.interrupted(evidence)
      return this.deps.hear(entry, now)
    }
    if (!evidence.isJudge || content.liveness === 'static') return
    const t = clock.at(now)
    // What was heard since, and a question of its own, say more.
    if (evidence.asking || lastHeard(evidence) > t - agoMs) return
    if (outcome === 'refused' && own && this.refused(evidence, content, t, now)) return
    if (outcome === 'refused') return this.deps.hint(entry, now)
    if (outcome !== 'failed' || !isTarget(request, content)) return
    evidence.probe = { at: t, outcome }
    refusals.interrupted(evidence)
    judge.lookAt(evidence, t, now)
  }

  private concerned(request: ProbeRequest): Concerned | undefined {
    const entry = this.deps.directory.entry(request.key)
    const evidence = entry === undefined ? undefined : this.deps.evidence.get(entry)
    if (evidence === undefined || evidence.incarnation !== request.incarnation) return undefined
    const { content } = evidence.entry.record
    return content.intent === 'gone' ? undefined : { evidence, content }
  }

  private connected(evidence: Evidence, now: number): void {
    if (evidence.baseline === 'own') return
    evidence.baseline = 'own'
    // From now on a refusal means something: one that was taken over in doubt is worth asking.
    if (evidence.judgeSince !== undefined) this.deps.ruledAnew(evidence, now)
  }

  /** Its port refuses. False where that means nothing. */
  private refused(evidence: Evidence, { leaseMs }: LiveContent, t: number, now: number): boolean {
    const { judge, refusals } = this.deps
    if (evidence.baseline === 'none' || !evidence.isJudge) return false
    const counts = judge.cell(evidence, 'refused').does === 'becomes'
    if (refusals.another(evidence, t, leaseMs, counts)) {
      judge.happened(evidence, 'refused', t, now)
      // Only a hint gets here while the session is heard: its next sound is evidence to be judged.
      if (evidence.session !== undefined) evidence.session.doubted = true
    }
    judge.lookAt(evidence, t, now)
    return true
  }
}
