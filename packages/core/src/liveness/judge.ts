/**
 * What follows from the evidence about an instance: looks at it when its time has come, and does what the table says
 * (`transitions.ts`) of what has happened (`assess.ts`), unless a guard holds it back.
 */
import type { Cause } from '../directory/change.js'
import type { Directory, EntrySlot } from '../directory/directory.js'
import { holdsRecord } from '../records/override.js'
import type { LiveContent, VerdictValue } from '../records/record.js'
import { assess, type Facts, factsOf, leaseOf } from './assess.js'
import { lostAgain } from './damping.js'
import { type Evidence, lastHeard, type Scheduled } from './evidence.js'
import { type Guards, HOLD_MS } from './guards.js'
import type { Hearsay } from './hearsay.js'
import type { JudgedClock } from './judged-clock.js'
import { isKept, type LivenessOptions, rememberedMs } from './options.js'
import type { Questions } from './question.js'
import type { Refusals } from './refusals.js'
import type { SecondOpinions } from './second-opinions.js'
import {
  type Cell,
  LIVENESS_TABLE,
  type LivenessEvent,
  standingOf,
  type VerdictReason,
} from './transitions.js'
import type { Verdicts } from './verdicts.js'
import { detach } from './vouching.js'
import { FORGETTING, type Wheel } from './wheel.js'

/** The cause of every verdict but one that an operator reverses. */
const BY_ITSELF: Cause = { kind: 'verdict' }

/** An adoption is written, learnt, and answered by what others have heard within this. */
const HEARSAY_MS = 2_000

export interface JudgeDeps {
  readonly directory: Directory
  readonly verdicts: Verdicts
  readonly evidence: EntrySlot<Evidence>
  readonly clock: JudgedClock
  readonly wheel: Wheel<Scheduled>
  readonly guards: Guards
  readonly questions: Questions
  readonly refusals: Refusals
  readonly hearsay: Hearsay
  readonly opinions: SecondOpinions
}

export class Judge {
  private readonly deps: JudgeDeps
  private readonly options: LivenessOptions
  /** Probes and verdicts that were brought about so far. */
  readonly events: { count: number } = { count: 0 }

  constructor(deps: JudgeDeps, options: LivenessOptions) {
    this.deps = deps
    this.options = options
  }

  /** Looks at an instance whose time may have come. */
  lookAt(evidence: Evidence, t: number, now: number): void {
    const { wheel, guards, hearsay } = this.deps
    const { entry, session } = evidence
    const { content, verdict, override } = entry.record
    if ((content.intent === 'gone' || verdict.value === 'expired') && !isKept(entry, this.deps.directory)) {
      const over = (holdsRecord(override) ? t : evidence.judgedAt) + rememberedMs(entry.record, this.options)
      if (t >= over) return this.happened(evidence, 'retention_over', t, now)
      wheel.schedule(evidence, over)
    }
    if (content.intent === 'gone') return
    const vouched = session !== undefined && session.closedAt === undefined
    if (!evidence.isJudge) {
      if (vouched && t >= evidence.claimAt) return this.moved(evidence, now)
      const due = hearsay.due(evidence, vouched ? session : undefined, t)
      wheel.schedule(evidence, vouched ? Math.min(due, evidence.claimAt) : due)
      return
    }
    const isHeard = !evidence.noticed && session?.closedAt === undefined
    const damped = isHeard && standingOf(entry.record) === 'flapping'
    const behavedAt = damped ? evidence.flaps.until : Infinity
    if (t >= behavedAt) return this.happened(evidence, 'behaved', t, now)
    if (vouched && !session.doubted && verdict.value === 'up') return
    const { event, silent, next } = assess(this.facts(evidence, content), t, this.options)
    if (silent === true && !evidence.noticed)
      guards.fellSilent(evidence, t, leaseOf(evidence, content, this.options))
    if (event !== undefined) this.happened(evidence, event, t, now)
    else wheel.schedule(evidence, Math.min(next, behavedAt))
  }

  /** What an event brings, given where the instance stands. */
  cell(evidence: Evidence, event: LivenessEvent): Cell {
    return LIVENESS_TABLE[standingOf(evidence.entry.record)][event]
  }

  /** Does what the table says, unless a guard holds it back, and looks what is next. */
  happened(evidence: Evidence, event: LivenessEvent, t: number, now: number): void {
    const { directory, wheel, questions } = this.deps
    const { entry } = evidence
    const { content } = entry.record
    const cell = this.cell(evidence, event)
    this.events.count += cell.does === 'forgets' ? FORGETTING : 1
    if (cell.does === 'forgets') return directory.forget(entry)
    if (content.intent === 'gone') return
    if (cell.does === 'asks') questions.ask(evidence, t)
    else if (cell.does === 'claims') this.claim(evidence, t, now)
    else if (cell.does !== 'becomes' || !this.ruled(evidence, content, cell, t, now))
      return wheel.schedule(evidence, t + HOLD_MS)
    if (this.deps.evidence.get(entry) === evidence) this.lookAt(evidence, t, now)
  }

  /** Writes the verdict of a cell, or says that a guard holds it back. */
  private ruled(
    evidence: Evidence,
    content: LiveContent,
    cell: Extract<Cell, { does: 'becomes' }>,
    t: number,
    now: number,
  ): boolean {
    const { guards, opinions } = this.deps
    const leaseMs = leaseOf(evidence, content, this.options)
    const silentMs = t - Math.max(lastHeard(evidence), evidence.startedAt)
    const ruling = guards.rule(evidence, cell, { t, leaseMs, silentMs })
    if (typeof ruling === 'string') {
      evidence.held = ruling
      if (ruling === 'watcher_doubt') opinions.ask(evidence, t, leaseMs)
      return false
    }
    guards.release(evidence)
    opinions.forget(evidence)
    this.judge(evidence, ruling.value, ruling.reason, t, now)
    return true
  }

  facts(evidence: Evidence, content: LiveContent): Facts {
    return factsOf(evidence, content, this.deps.clock.wokeAt, this.options)
  }

  judge(evidence: Evidence, value: VerdictValue, reason: VerdictReason, t: number, now: number): void {
    const { guards, verdicts } = this.deps
    const standing = standingOf(evidence.entry.record)
    if (standing === 'flapping' && value === 'down') evidence.flaps = lostAgain(evidence.flaps)
    if (standing === 'up' && value !== 'up' && reason !== 'flapping')
      evidence.flaps = guards.flip(evidence.flaps, t)
    evidence.judgedAt = t
    if (!evidence.isJudge) this.begin(evidence, t, t)
    verdicts.write(evidence.entry, value, reason, BY_ITSELF, now)
  }

  /** Takes over from another judge, whose verdict stands: by a session that moved here, or by adoption. */
  private claim(evidence: Evidence, t: number, now: number): void {
    evidence.claimAt = Infinity
    if (!evidence.isJudge) this.begin(evidence, t, t)
    // How long it has been down is not known here: its removal time begins anew, as after a restart.
    if (evidence.entry.record.verdict.value !== 'expired') evidence.judgedAt = t
    this.deps.verdicts.take(evidence.entry, BY_ITSELF, now)
  }

  /** This node is its judge from now on, and counts what it hears or does not hear from `watchedAt` on. */
  private begin(evidence: Evidence, watchedAt: number, t: number): void {
    evidence.isJudge = true
    evidence.judgeSince = t
    evidence.startedAt = Math.max(evidence.startedAt, watchedAt)
    // One that was given up here long before, for one at the former judge, says nothing now.
    if ((evidence.session?.closedAt ?? Infinity) < evidence.startedAt) detach(evidence)
    this.deps.guards.takeOver(evidence, t)
    this.deps.questions.baseline(evidence)
  }

  /** Judges an instance whose judge is lost; what was heard of it would have been heard here from `watchedAt` on. */
  adopt(evidence: Evidence, watchedAt: number, t: number, now: number): void {
    const { content } = evidence.entry.record
    if (evidence.isJudge || content.intent === 'gone') return
    // Other nodes that heard it say so as soon as they know who judges.
    const silenceMs = evidence.heardAt === undefined ? content.leaseMs : content.leaseMs / 2
    this.begin(evidence, Math.max(watchedAt, t - silenceMs + HEARSAY_MS), t)
    this.happened(evidence, 'adopted', t, now)
  }

  /** Takes over an instance of which only the journal speaks, and doubts it. */
  doubt(evidence: Evidence, t: number, now: number): void {
    this.judge(evidence, 'suspect', 'unheard', t, now)
    this.lookAt(evidence, t, now)
  }

  /** It registered over a session here: it is judged where its session is. */
  moved(evidence: Evidence, now: number): void {
    if (evidence.isJudge || this.cell(evidence, 'heard').does === 'becomes') return this.refute(evidence, now)
    evidence.outdated = true
    evidence.probe = undefined
    this.deps.guards.heard(evidence)
    this.happened(evidence, 'moved', this.deps.clock.at(now), now)
  }

  /** Live evidence reverses every negative verdict but that of a flapper, whose judge ends it. */
  refute(evidence: Evidence, now: number): void {
    const { guards, refusals, clock, hearsay, opinions, wheel } = this.deps
    evidence.outdated = true
    evidence.probe = undefined
    refusals.reset(evidence)
    const reverses = this.cell(evidence, 'heard').does === 'becomes'
    // What another node judges is of interest here only where this one knows better.
    if (!evidence.isJudge && !reverses)
      return wheel.schedule(evidence, hearsay.heard(evidence, clock.at(now)))
    if (evidence.held !== undefined) opinions.forget(evidence)
    guards.heard(evidence)
    // Evidence only moves deadlines away: one that waits on the wheel anyway is not judged for each beat.
    if (evidence.entry.record.verdict.value === 'up' && !Number.isNaN(evidence.wheelAt)) return
    const t = clock.at(now)
    if (reverses) this.happened(evidence, guards.comesBack(evidence, t) ? 'flapped' : 'heard', t, now)
    else this.lookAt(evidence, t, now)
  }
}
