/**
 * Liveness: keeps the evidence about every instance, asks for probes, and writes verdicts. Beats and pings
 * only move numbers in memory; the wheel looks at each instance when its silence could first matter.
 */
import type { Guard } from '@rollcall/wire'
import type { Declaration } from '../records/declaration.js'
import { holdsRecord } from '../records/override.js'
import type { LiveContent, VerdictValue } from '../records/record.js'
import { isLive } from '../records/state.js'
import { assess, type Facts, factsOf, leaseOf } from './assess.js'
import type { Cause, Change, Follower } from '../directory/change.js'
import type { Directory, Entry, EntrySlot, ServiceNode } from '../directory/directory.js'
import { Guards, HOLD_MS } from './guards.js'
import { Insight } from './insight.js'
import { JudgedClock } from './judged-clock.js'
import type { Meter } from '../metrics.js'
import type { Notify } from './notices.js'
import type { Session, SessionOptions } from '../caller.js'
import type { ProbeOutcome, ProbeRequest } from '../ports.js'
import {
  isAskedAnew,
  isRuledAnew,
  isTarget,
  provesProcess,
  type QuestionDeps,
  Questions,
} from './question.js'
import { Refusals } from './refusals.js'
import { Sessions } from './sessions.js'
import {
  type Cell,
  LIVENESS_TABLE,
  type LivenessEvent,
  standingOf,
  type VerdictReason,
} from './transitions.js'
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
import { type LivenessOptions, rememberedMs } from './options.js'
import { enoughOf, FORGETTING, Wheel } from './wheel.js'

/** How often `tick` is expected to be called. */
export const TICK_MS = 50

/** A hint about an instance that was asked more recently than this leads to nothing. */
const HINT_GAP_MS = 1_000

/** Shorter stalls are counted, but not worth telling: a loop that is always slow would tell of nothing else. */
const STALL_MS_MIN = 1_000

/** The cause of every verdict but one that an operator reverses. */
const BY_ITSELF: Cause = { kind: 'verdict' }

/** Reach of the wheel: 2,048 slots of 50 ms. */
const WHEEL_SLOTS = 2_048

export interface LivenessDeps extends QuestionDeps {
  readonly directory: Directory
  readonly verdicts: Verdicts
  readonly meter: Meter
  readonly notify: Notify
}

export class LivenessRules implements Follower {
  private readonly deps: LivenessDeps
  private readonly options: LivenessOptions
  private readonly clock: JudgedClock
  private readonly wheel: Wheel<Scheduled>
  readonly guards: Guards
  readonly insight: Insight
  private readonly questions: Questions
  private readonly evidence: EntrySlot<Evidence>
  readonly sessions: Sessions
  private readonly events = { count: 0 }
  private readonly refusals: Refusals

  constructor(now: number, deps: LivenessDeps, options: LivenessOptions) {
    this.deps = deps
    this.options = options
    this.clock = new JudgedClock(now, TICK_MS, options.pingMs)
    this.evidence = deps.directory.takeSlot()
    this.guards = new Guards(options, deps.directory.freezes, deps.notify)
    const { evidence, clock, guards } = this
    this.insight = new Insight({ evidence, clock, guards, mayProbe: deps.mayProbe }, options)
    this.questions = new Questions(deps, options)
    this.refusals = new Refusals({ questions: this.questions, guards: this.guards }, options)
    this.wheel = new Wheel<Scheduled>(this.clock.at(now), TICK_MS, WHEEL_SLOTS)
    this.sessions = new Sessions(this.wheel, options)
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
      else this.lookAt(scheduled, t, now)
    }
    this.wheel.advance(t, look, enoughOf(this.events))
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
        if (judgedAnew && cause.kind === 'learnt') this.judgedElsewhere(before, isJudge, now)
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

  /** A verdict was learnt: what was heard before does not speak against it, what is heard from now on does. */
  private judgedElsewhere(evidence: Evidence, isJudge: boolean, now: number): void {
    const { session } = evidence
    const t = this.clock.at(now)
    this.guards.left(evidence)
    judgedElsewhere(evidence, isJudge, t)
    if (session !== undefined && evidence.entry.record.verdict.value !== 'up') session.doubted = true
    this.lookAt(evidence, t, now)
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
      if (this.guards.comesBack(evidence, t)) this.happened(evidence, 'flapped', t, now)
    }
    this.lookAt(evidence, t, now)
  }

  /** Takes over what the journal kept; `connected`: an earlier boot once connected to it where it is. */
  adopt(entry: Entry, connected: boolean, now: number): void {
    this.observe(entry, true, now)
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
    if (this.sessions.has(session)) attach(evidence, session)
    else if (evidence.session !== undefined && voucher(evidence, entry.record) === undefined) detach(evidence)
    this.refute(evidence, now)
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
    this.evidence.set(entry, undefined)
  }

  openSession(id: string, options: SessionOptions, keeper: SessionKeeper): SessionEvidence {
    return this.sessions.open(id, this.clock.at(keeper.now()), options, this, keeper)
  }

  /** Anything arrived on the session. O(1) unless its silence had been noticed. */
  heardSession(session: SessionEvidence, now: number): void {
    for (const evidence of this.sessions.heard(session, this.clock.at(now))) this.refute(evidence, now)
  }

  closeSession(session: SessionEvidence, now: number): void {
    const t = this.clock.at(now)
    const enough = enoughOf(this.events)
    for (const evidence of this.sessions.close(session, t))
      if (enough()) this.wheel.schedule(evidence, t)
      else this.lookAt(evidence, t, now)
  }

  /**
   * A consumer could not reach the instance: asks it. Two refusals are proof as ever (until live evidence says
   * otherwise); a failed probe means nothing while the instance is heard.
   */
  hint(entry: Entry, now: number): void {
    const evidence = this.evidence.get(entry)
    const { content } = entry.record
    if (evidence === undefined || evidence.asking || !evidence.isJudge || content.intent === 'gone') return
    if (content.probe?.type === 'none' || content.liveness === 'static') return
    const t = this.clock.at(now)
    if (t < evidence.askedAt + HINT_GAP_MS) return
    this.happened(evidence, 'hinted', t, now)
  }

  /** The answer to a probe that was asked for. */
  probed(request: ProbeRequest, outcome: ProbeOutcome, now: number): void {
    const entry = this.deps.directory.entry(request.key)
    const evidence = entry === undefined ? undefined : this.evidence.get(entry)
    if (evidence === undefined || evidence.incarnation !== request.incarnation) return
    const { content } = evidence.entry.record
    if (content.intent === 'gone' || !isTarget(request, content)) return
    if (outcome === 'succeeded') evidence.baseline = 'own'
    if (request.purpose === 'baseline') return this.questions.baselineAnswered(evidence, request, outcome)
    evidence.asking = false
    const t = this.clock.at(now)
    if (!evidence.outdated) evidence.probe = { at: t, outcome }
    const means = evidence.baseline !== 'none' && evidence.isJudge && !evidence.outdated
    if (outcome === 'refused' && means) return this.refused(evidence, content.leaseMs, t, now)
    this.refusals.interrupted(evidence)
    // A third party's endpoint has no better witness; elsewhere a bare TCP success proves a kernel only.
    if (outcome === 'succeeded' && (content.liveness === 'probe' || provesProcess(request.type)))
      this.hear(evidence.entry, now, 'probe')
    this.lookAt(evidence, t, now)
  }

  /** Its port refuses, where that means something. */
  private refused(evidence: Evidence, leaseMs: number, t: number, now: number): void {
    const counts = this.cell(evidence, 'refused').does === 'becomes'
    if (this.refusals.another(evidence, t, leaseMs, counts)) {
      this.happened(evidence, 'refused', t, now)
      // Only a hint gets here while the session is heard: its next sound is evidence to be judged.
      if (evidence.session !== undefined) evidence.session.doubted = true
    }
    this.lookAt(evidence, t, now)
  }

  /** Looks at an instance whose time may have come. */
  private lookAt(evidence: Evidence, t: number, now: number): void {
    const { entry, session } = evidence
    const { content, verdict, override } = entry.record
    if (content.intent === 'gone' || verdict.value === 'expired') {
      const over = (holdsRecord(override) ? t : evidence.judgedAt) + rememberedMs(entry.record, this.options)
      if (t >= over) return this.happened(evidence, 'retention_over', t, now)
      this.wheel.schedule(evidence, over)
    }
    if (content.intent === 'gone') return
    const damped = evidence.isJudge && !evidence.noticed && standingOf(entry.record) === 'flapping'
    const behavedAt = damped ? evidence.flaps.until : Infinity
    if (t >= behavedAt) return this.happened(evidence, 'behaved', t, now)
    const vouchedFor = session !== undefined && session.closedAt === undefined && !session.doubted
    if (vouchedFor && verdict.value === 'up') return
    const { event, silent, next } = assess(this.facts(evidence, content), t, this.options)
    if (silent === true && !evidence.noticed)
      this.guards.fellSilent(evidence, t, leaseOf(evidence, content, this.options))
    if (event !== undefined) this.happened(evidence, event, t, now)
    else this.wheel.schedule(evidence, Math.min(next, behavedAt))
  }

  /** What an event brings, given where the instance stands. */
  private cell(evidence: Evidence, event: LivenessEvent): Cell {
    return LIVENESS_TABLE[standingOf(evidence.entry.record)][event]
  }

  /** Does what the table says, unless a guard holds it back, and looks what is next. */
  private happened(evidence: Evidence, event: LivenessEvent, t: number, now: number): void {
    const { entry } = evidence
    const { content } = entry.record
    const cell = this.cell(evidence, event)
    this.events.count += cell.does === 'forgets' ? FORGETTING : 1
    if (cell.does === 'forgets') {
      this.drop(entry)
      return this.deps.directory.forget(entry)
    }
    if (content.intent === 'gone') return
    if (cell.does === 'asks') {
      this.questions.ask(evidence, t)
    } else if (cell.does === 'becomes') {
      const silentMs = t - Math.max(lastHeard(evidence), evidence.startedAt)
      const ruling = this.guards.rule(evidence, cell, {
        t,
        leaseMs: leaseOf(evidence, content, this.options),
        silentMs,
      })
      if (typeof ruling === 'string') {
        evidence.held = ruling
        return this.wheel.schedule(evidence, t + HOLD_MS)
      }
      this.guards.release(evidence)
      this.judge(evidence, ruling.value, ruling.reason, t, now)
    } else {
      return this.wheel.schedule(evidence, t + HOLD_MS)
    }
    if (this.evidence.get(entry) === evidence) this.lookAt(evidence, t, now)
  }

  private facts(evidence: Evidence, content: LiveContent): Facts {
    return factsOf(evidence, content, this.clock.wokeAt, this.options)
  }

  private judge(
    evidence: Evidence,
    value: VerdictValue,
    reason: VerdictReason,
    t: number,
    now: number,
  ): void {
    const { verdict } = evidence.entry.record
    if (verdict.value === 'up' && value !== 'up' && reason !== 'flapping')
      evidence.flaps = this.guards.flip(evidence.flaps, t)
    evidence.judgedAt = t
    if (!evidence.isJudge) {
      evidence.isJudge = true
      this.questions.baseline(evidence)
    }
    this.deps.verdicts.write(evidence.entry, value, reason, BY_ITSELF, now)
  }

  /** Live evidence reverses every negative verdict but that of a flapper, whose judge ends it. */
  private refute(evidence: Evidence, now: number): void {
    evidence.outdated = true
    evidence.probe = undefined
    this.refusals.reset(evidence)
    // What another node judges is of interest here only where this one knows better.
    if (!evidence.isJudge && this.cell(evidence, 'heard').does !== 'becomes') return
    this.guards.heard(evidence)
    // Evidence only moves deadlines away: one that waits on the wheel anyway is not judged for each beat.
    if (evidence.entry.record.verdict.value === 'up' && !Number.isNaN(evidence.wheelAt)) return
    const t = this.clock.at(now)
    const reverses = this.cell(evidence, 'heard').does === 'becomes'
    if (reverses) this.happened(evidence, this.guards.comesBack(evidence, t) ? 'flapped' : 'heard', t, now)
    else this.lookAt(evidence, t, now)
  }
}
