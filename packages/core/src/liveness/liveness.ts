/**
 * Liveness: keeps the evidence about every instance, and hands it to judgement (`judge.ts`). Beats and pings
 * only move numbers in memory; the wheel looks at each instance when its silence could first matter.
 */
import type { Guard } from '@rollcall/wire'
import type { Declaration } from '../records/declaration.js'
import type { Verdict } from '../records/record.js'
import { isLive } from '../records/state.js'
import type { Cause, Change, Follower } from '../directory/change.js'
import type { Directory, Entry, EntrySlot, ServiceNode } from '../directory/directory.js'
import { Guards } from './guards.js'
import { ProbeAnswers } from './probe-answers.js'
import { Hearsay, PASSING_MS } from './hearsay.js'
import { Insight } from './insight.js'
import { JudgedClock } from './judged-clock.js'
import { Judge } from './judge.js'
import type { Meter } from '../metrics.js'
import type { Notify } from './notices.js'
import type { Session, SessionOptions } from '../caller.js'
import type { Consult, PassOn, ProbeOutcome, ProbeRequest } from '../ports.js'
import { isAskedAnew, isRuledAnew, isTarget, type QuestionDeps, Questions } from './question.js'
import { Refusals } from './refusals.js'
import { SecondOpinions } from './second-opinions.js'
import { Sessions } from './sessions.js'
import type { Verdicts } from './verdicts.js'
import { attach, detach, voucher } from './vouching.js'
import {
  createEvidence,
  judgedElsewhere,
  type Evidence,
  type HeardBy,
  lastHeard,
  type Scheduled,
  type SessionEvidence,
  type SessionKeeper,
} from './evidence.js'
import type { LivenessOptions } from './options.js'
import { standingOf } from './transitions.js'
import { enoughOf, Wheel } from './wheel.js'

/** How often `tick` is expected to be called. */
export const TICK_MS = 50

/** A hint about an instance that was asked more recently than this leads to nothing. */
const HINT_GAP_MS = 1_000

/** Shorter stalls are counted, but not worth telling: a loop that is always slow would tell of nothing else. */
const STALL_MS_MIN = 1_000

/** Reach of the wheel: 2,048 slots of 50 ms. */
const WHEEL_SLOTS = 2_048

export interface LivenessDeps extends QuestionDeps {
  readonly directory: Directory
  readonly verdicts: Verdicts
  readonly meter: Meter
  readonly notify: Notify
  /** Tells other nodes what is heard here of what they judge. Without it, none. */
  readonly passOn?: PassOn | undefined
  /** Asks another node to probe. Without it, none. */
  readonly consult?: Consult | undefined
}

export class LivenessRules implements Follower {
  private readonly deps: LivenessDeps
  private readonly clock: JudgedClock
  private readonly wheel: Wheel<Scheduled>
  readonly guards: Guards
  readonly insight: Insight
  private readonly questions: Questions
  private readonly evidence: EntrySlot<Evidence>
  readonly sessions: Sessions
  private readonly refusals: Refusals
  private readonly opinions: SecondOpinions
  private readonly judge: Judge
  private readonly hearsay: Hearsay
  private readonly answers: ProbeAnswers

  constructor(now: number, deps: LivenessDeps, options: LivenessOptions) {
    this.deps = deps
    this.clock = new JudgedClock(now, TICK_MS, options.pingMs)
    this.evidence = deps.directory.takeSlot()
    this.guards = new Guards(options, deps.directory.freezes, deps.notify)
    const { evidence, clock, guards } = this
    this.insight = new Insight(
      { directory: deps.directory, evidence, clock, guards, mayProbe: deps.mayProbe },
      options,
    )
    this.questions = new Questions(deps, options)
    this.refusals = new Refusals({ questions: this.questions, guards: this.guards }, options)
    this.wheel = new Wheel<Scheduled>(this.clock.at(now), TICK_MS, WHEEL_SLOTS)
    this.sessions = new Sessions(this.wheel, options)
    this.opinions = new SecondOpinions(deps.consult, options)
    const { directory, verdicts } = deps
    const { wheel, questions, refusals, opinions } = this
    const hearsay = new Hearsay(deps.passOn)
    this.hearsay = hearsay
    this.judge = new Judge(
      { directory, verdicts, evidence, clock, wheel, guards, questions, refusals, hearsay, opinions },
      options,
    )
    const { judge } = this
    this.answers = new ProbeAnswers({
      ...{ directory, evidence, clock, questions, refusals, judge },
      hear: (entry, at) => this.hear(entry, at, 'probe'),
      hint: (entry, at) => this.hint(entry, at),
      ruledAnew: (each, at) => this.ruledAnew(each, at),
    })
  }

  /** Looks at whatever is due. Call every TICK_MS. */
  tick(now: number): void {
    if (!this.clock.tick(now)) {
      this.deps.meter.count('rollcall_stalls_total')
      if (this.clock.lateMs >= STALL_MS_MIN)
        this.deps.notify({ kind: 'stall', lateMs: Math.round(this.clock.lateMs) })
      return
    }
    const t = this.clock.at(now)
    const look = (scheduled: Scheduled): void => {
      if (scheduled.kind === 'session') this.sessions.lookAt(scheduled, t)
      else this.judge.lookAt(scheduled, t, now)
    }
    this.wheel.advance(t, look, enoughOf(this.judge.events))
  }

  /**
   * Follows a change of a record, whatever made it: what was known of another incarnation, of another probe target or
   * of the time before an operator brought it back says nothing any more.
   */
  changed({ entry, previous, cause }: Change, now: number): void {
    const { record } = entry
    const before = this.evidence.get(entry)
    const judgedAnew = previous?.verdict !== record.verdict
    const isJudge = judgedAnew ? this.deps.verdicts.areOwn(record) : before?.isJudge === true
    const replaced = previous?.incarnation !== record.incarnation
    if (replaced || (isLive(previous) && !isLive(record))) {
      if (previous !== undefined) this.sessions.tell(before, previous, cause)
      this.observe(entry, isJudge, now, cause)
    } else if (cause.kind === 'restoration' || isAskedAnew(previous, record)) {
      this.observe(entry, isJudge, now, cause)
    } else {
      if (before !== undefined) {
        if (judgedAnew && cause.kind === 'learnt')
          this.judgedElsewhere(before, isJudge, previous.verdict, now)
        this.guards.recount(before)
        if (isRuledAnew(previous, record)) this.ruledAnew(before, now)
      }
      this.guards.account(entry)
    }
  }

  /** What is down waits for the removal time of its service. */
  declared(declaration: Declaration, now: number): void {
    if (declaration.kind !== 'service') return
    const service = this.deps.directory.find(declaration.namespace, declaration.service)
    for (const entry of service?.entries ?? []) {
      const evidence = this.evidence.get(entry)
      if (evidence !== undefined && entry.record.verdict.value === 'down') this.ruledAnew(evidence, now)
    }
  }

  /** It waits by a rule that changed: looks at it in the next tick, by when the sound that brought the rule has counted. */
  private ruledAnew(evidence: Evidence, now: number): void {
    this.wheel.schedule(evidence, this.clock.at(now))
  }

  /**
   * A verdict was learnt: what was heard before does not speak against it, what is heard from now on does. But a session that is well
   * here contradicts the very ground of a silence elsewhere, and where two claims met, it is judged here before long.
   */
  private judgedElsewhere(evidence: Evidence, isJudge: boolean, before: Verdict, now: number): void {
    const { session } = evidence
    const t = this.clock.at(now)
    const isWell = session !== undefined && session.closedAt === undefined && !session.doubted
    this.guards.left(evidence)
    this.opinions.forget(evidence)
    const anew = judgedElsewhere(evidence, isJudge, before, t)
    if (anew && !isJudge) this.hearsay.judgedAnew(evidence, t)
    const standing = standingOf(evidence.entry.record)
    if (isWell && !isJudge && standing === 'suspect') return this.judge.refute(evidence, now)
    if (session !== undefined && standing !== 'up') session.doubted = true
    this.judge.lookAt(evidence, t, now)
  }

  /**
   * Begins to collect evidence about an entry, or begins anew for a new incarnation or probe target. A session that
   * vouches for the same incarnation goes on doing so. `isJudge`: this node judges it.
   */
  observe(entry: Entry, isJudge: boolean, now: number, cause?: Cause): void {
    const heard = cause?.kind === 'registration'
    const before = this.evidence.get(entry)
    const session = heard && this.sessions.has(cause.session) ? cause.session : voucher(before, entry.record)
    const t = this.clock.at(now)
    const flaps = this.guards.inherit(entry, before, t)
    this.drop(entry)
    const evidence = createEvidence(entry, t, { heard, isJudge, flaps })
    this.evidence.set(entry, evidence)
    if (session !== undefined) attach(evidence, session)
    if (isJudge) this.questions.baseline(evidence)
    this.guards.account(entry)
    if (heard && isJudge) {
      this.guards.heard(evidence)
      if (this.guards.comesBack(evidence, t)) this.judge.happened(evidence, 'flapped', t, now)
    }
    this.judge.lookAt(evidence, t, now)
  }

  /**
   * Begins to observe what the journal kept; `connected`: an earlier boot once connected to it where it is. A node that is
   * joined with others judges none of it before it has adopted it.
   */
  load(entry: Entry, connected: boolean, now: number): void {
    this.observe(entry, !this.deps.directory.joined, now)
    const evidence = this.evidence.get(entry)
    if (!connected || evidence?.baseline !== 'none') return
    evidence.baseline = 'earlier'
    this.ruledAnew(evidence, now)
  }

  /** Something was heard of the instance itself: a beat, a renewal, a registration. */
  hear(entry: Entry, now: number, by: HeardBy, session?: Session): void {
    const evidence = this.evidence.get(entry)
    if (evidence === undefined) return
    evidence.heardAt = this.clock.at(now)
    evidence.heardBy = by
    if (this.sessions.has(session)) {
      attach(evidence, session)
      return this.judge.moved(evidence, now)
    }
    if (evidence.session !== undefined && voucher(evidence, entry.record) === undefined) detach(evidence)
    this.judge.refute(evidence, now)
  }

  /**
   * Another node heard the instance at most `agoMs` ago. To its judge that is evidence of that moment: it reverses no verdict
   * that was made since, or while this was on its way. Another node only remembers it, and tells it to none.
   */
  told(entry: Entry, incarnation: number, agoMs: number, now: number): void {
    const evidence = this.evidence.get(entry)
    if (evidence?.incarnation !== incarnation || entry.record.content.intent === 'gone') return
    const at = this.clock.at(now) - agoMs
    if (at <= (evidence.toldAt ?? -Infinity)) return
    evidence.toldAt = at
    if (!evidence.isJudge) return
    const closedAt = evidence.session?.closedAt ?? Infinity
    if (at - PASSING_MS > closedAt) detach(evidence)
    if (at - PASSING_MS > Math.max(evidence.askedAt, this.judgedAgainstAt(evidence)))
      this.judge.refute(evidence, now)
  }

  /** When the negative verdict that stands was made; -Infinity where none does. */
  private judgedAgainstAt({ entry, judgedAt }: Evidence): number {
    return entry.record.verdict.value === 'up' ? -Infinity : judgedAt
  }

  /** Judges an instance whose judge is lost; what is heard of it would have been heard here from judged time `watchedAt` on. */
  adopt(entry: Entry, watchedAt: number, now: number): void {
    const evidence = this.evidence.get(entry)
    if (evidence === undefined) return
    this.judge.adopt(evidence, watchedAt, this.clock.at(now), now)
    this.deps.meter.count('rollcall_adoptions_total')
  }

  /** The engine does not know of this incarnation: it is suspect until it is heard, and judged here from now on. */
  doubt(entry: Entry, now: number): void {
    const evidence = this.evidence.get(entry)
    if (evidence !== undefined) this.judge.doubt(evidence, this.clock.at(now), now)
  }

  /** The time by which instances are judged. */
  judgedTime(now: number): number {
    return this.clock.at(now)
  }

  /** The node lost the engine that joins it with its peers, or has it again. */
  isolate(island: boolean, now: number): void {
    this.guards.isolate(island, this.clock.at(now))
  }

  /** Another node probed it because this one doubts its ears: where that failed too, the silence is believed. */
  consulted(request: ProbeRequest, outcome: ProbeOutcome, now: number): void {
    const entry = this.deps.directory.entry(request.key)
    const evidence = entry === undefined ? undefined : this.evidence.get(entry)
    if (evidence?.incarnation !== request.incarnation || !this.opinions.answered(evidence)) return
    const { content } = evidence.entry.record
    if (content.intent === 'gone' || !isTarget(request, content)) return
    if (evidence.held !== 'watcher_doubt' || (outcome !== 'failed' && outcome !== 'refused')) return
    this.guards.confirmed(evidence)
    this.ruledAnew(evidence, now)
  }

  /** A hidden record was dropped altogether. */
  forgotten(entry: Entry): void {
    this.drop(entry)
  }

  /** Milliseconds since this node heard the instance; undefined if it never did. */
  silenceMs(entry: Entry, now: number): number | undefined {
    const evidence = this.evidence.get(entry)
    if (evidence === undefined || evidence.incarnation !== entry.record.incarnation) return undefined
    const heardAt = lastHeard(evidence)
    return heardAt === -Infinity ? undefined : this.clock.at(now) - heardAt
  }

  /** Whether this very session vouches for the entry. */
  isVouchedBy(entry: Entry, session: Session): boolean {
    return this.evidence.get(entry)?.session === session
  }

  /** What the breaker of a service does at present. */
  guardOf(service: ServiceNode | undefined): Guard {
    return this.guards.guardOf(service)
  }

  /** Forgets the evidence: the record is replaced, gone or forgotten. */
  private drop(entry: Entry): void {
    const evidence = this.evidence.get(entry)
    if (evidence === undefined) return
    detach(evidence)
    this.refusals.reset(evidence)
    this.wheel.cancel(evidence)
    this.guards.left(evidence)
    this.opinions.forget(evidence)
    this.evidence.set(entry, undefined)
  }

  openSession(id: string, options: SessionOptions, keeper: SessionKeeper): SessionEvidence {
    return this.sessions.open(id, this.clock.at(keeper.now()), options, this, keeper)
  }

  /** Anything arrived on the session. O(1) unless its silence had been noticed. */
  heardSession(session: SessionEvidence, now: number): void {
    for (const evidence of this.sessions.heard(session, this.clock.at(now))) this.judge.refute(evidence, now)
  }

  movedSession(session: SessionEvidence, now: number): void {
    for (const { entry } of this.sessions.close(session, this.clock.at(now))) this.hear(entry, now, 'beat')
  }

  closeSession(session: SessionEvidence, now: number): void {
    const t = this.clock.at(now)
    const enough = enoughOf(this.judge.events)
    for (const evidence of this.sessions.close(session, t))
      if (enough()) this.wheel.schedule(evidence, t)
      else this.judge.lookAt(evidence, t, now)
  }

  /**
   * A consumer could not reach the instance: asks it. Two refusals are proof as ever (until live evidence says
   * otherwise); a failed probe means nothing while the instance is heard. Where another node judges it, that node is
   * returned, once in HINT_GAP_MS: it has to know.
   */
  hint(entry: Entry, now: number): string | undefined {
    const evidence = this.evidence.get(entry)
    const { content, verdict } = entry.record
    if (evidence === undefined || evidence.asking || content.intent === 'gone') return undefined
    if (content.probe?.type === 'none' || content.liveness === 'static') return undefined
    const t = this.clock.at(now)
    if (t < Math.max(evidence.askedAt, evidence.hintedAt) + HINT_GAP_MS) return undefined
    if (!evidence.isJudge) {
      evidence.hintedAt = t
      return verdict.node
    }
    this.judge.happened(evidence, 'hinted', t, now)
    return undefined
  }

  /** The answer to a probe that was asked for. */
  probed(request: ProbeRequest, outcome: ProbeOutcome, now: number): void {
    this.answers.probed(request, outcome, now)
  }

  /** The answer to a probe that this node made on behalf of others, `agoMs` after it was asked for. */
  witnessed(request: ProbeRequest, outcome: ProbeOutcome, agoMs: number, now: number): void {
    this.answers.witnessed(request, outcome, agoMs, now)
  }
}
