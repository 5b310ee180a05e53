/**
 * Liveness: keeps the evidence about every instance, asks for probes, and writes verdicts. Beats and pings
 * only move numbers in memory; the wheel looks at each instance when its silence could first matter.
 */
import type { LiveContent, VerdictValue } from '../records/record.js'
import { assess, type Facts, type Inspection } from './assess.js'
import { type Flaps, NO_FLAPS } from './damping.js'
import type { Directory, Entry } from '../directory/directory.js'
import { Guards, HOLD_MS } from './guards.js'
import { JudgedClock } from './judged-clock.js'
import type { Meter } from '../metrics.js'
import type { Notify } from '../operators/notices.js'
import { isBound } from '../operators/overrides.js'
import type { ProbeOutcome, ProbeRequest, SessionOptions } from '../ports.js'
import { provesProcess } from '../admission/probe.js'
import { isTarget, type QuestionDeps, Questions } from './question.js'
import {
  type Cell,
  LIVENESS_TABLE,
  type LivenessEvent,
  standingOf,
  type VerdictReason,
} from './transitions.js'
import { attach, detach, handOver, voucher } from './vouching.js'
import {
  createSession,
  createWatch,
  type HeardBy,
  lastHeard,
  type LivenessOptions,
  type SessionWatch,
  type Watch,
  type Watched,
} from './watch.js'
import { Wheel } from './wheel.js'

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
  readonly meter: Meter
  /** Writes a verdict of this node. */
  readonly judge: (entry: Entry, value: VerdictValue, reason: VerdictReason, now: number) => void
  /** Drops a hidden record whose retention is over. */
  readonly forget: (entry: Entry) => void
  /** Whether an operator froze the namespace. */
  readonly frozen: (namespace: string) => boolean
  readonly notify: Notify
}

export class Liveness {
  private readonly deps: LivenessDeps
  private readonly options: LivenessOptions
  private readonly clock: JudgedClock
  private readonly wheel: Wheel<Watched>
  private readonly guards: Guards
  private readonly questions: Questions
  /** Refused once: asked again within the gap. */
  private readonly refusedOnce = new Set<Watch>()

  constructor(now: number, deps: LivenessDeps, options: LivenessOptions) {
    this.deps = deps
    this.options = options
    this.clock = new JudgedClock(now, TICK_MS, options.pingMs)
    this.guards = new Guards(options, deps.frozen, deps.notify)
    this.questions = new Questions(deps, options)
    this.wheel = new Wheel<Watched>(this.clock.at(now), TICK_MS, WHEEL_SLOTS)
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
    this.wheel.advance(t, (watched) => {
      if (watched.kind === 'session') this.lookAtSession(watched, t)
      else this.lookAt(watched, t, now)
    })
  }

  /**
   * Starts the watch over an entry, or restarts it for a new incarnation or probe target. A session that
   * vouches for the same incarnation goes on doing so.
   */
  watch(
    entry: Entry,
    now: number,
    heard: boolean,
    session: SessionWatch | undefined = voucher(entry),
  ): Watch {
    const t = this.clock.at(now)
    const flaps = this.inherit(entry, t)
    this.unwatch(entry)
    const watch = createWatch(entry, t, heard, flaps)
    entry.watch = watch
    if (session !== undefined) attach(watch, session)
    this.questions.baseline(watch)
    this.guards.account(entry)
    if (heard) {
      this.guards.heard(watch)
      if (this.flapsAgain(watch, t)) this.happened(watch, 'flapped', t, now)
    }
    this.lookAt(watch, t, now)
    return watch
  }

  /** Something was heard of the instance itself: a beat, a renewal, a registration. */
  hear(entry: Entry, now: number, by: HeardBy, session?: SessionWatch): void {
    const watch = entry.watch ?? this.watch(entry, now, true, session)
    watch.heardAt = this.clock.at(now)
    watch.heardBy = by
    if (session !== undefined) attach(watch, session)
    else if (watch.session !== undefined && voucher(entry) === undefined) detach(watch)
    this.refute(watch, now)
  }

  /** Milliseconds since this node heard the instance; undefined if it never did. */
  silenceMs(entry: Entry, now: number): number | undefined {
    const { watch } = entry
    if (watch === undefined || watch.incarnation !== entry.record.incarnation) return undefined
    const heardAt = lastHeard(watch)
    return heardAt === -Infinity ? undefined : this.clock.at(now) - heardAt
  }

  /** What judgement rests on at present, for those who want to know; undefined where nothing is watched. */
  inspect({ watch, record }: Entry, now: number): Inspection | undefined {
    if (watch === undefined) return undefined
    const { content } = record
    const { options } = this
    const t = this.clock.at(now)
    const doubtedAt = this.guards.doubtedAt(watch)
    if (content.intent === 'gone') return { t, options, watch, facts: undefined, doubtedAt, mayProbe: false }
    const mayProbe = content.probe?.type !== 'none' && this.deps.mayProbe(content.host, content.peer)
    return { t, options, watch, facts: this.facts(watch, content), doubtedAt, mayProbe }
  }

  /** Ends the watch: the record is replaced, gone or forgotten. */
  unwatch(entry: Entry): void {
    const { watch } = entry
    if (watch === undefined) return
    detach(watch)
    this.refusedOnce.delete(watch)
    this.wheel.cancel(watch)
    this.guards.left(watch)
    entry.watch = undefined
  }

  openSession(id: string, now: number, options: SessionOptions): SessionWatch {
    const t = this.clock.at(now)
    const session = createSession(id, t, options)
    this.wheel.schedule(session, t + 2 * this.options.pingMs)
    return session
  }

  /** Anything arrived on the session. O(1) unless its silence had been noticed. */
  heardSession(session: SessionWatch, now: number): void {
    if (session.closedAt !== undefined) return
    session.heardAt = this.clock.at(now)
    if (!session.doubted) return
    session.doubted = false
    this.wheel.schedule(session, session.heardAt + 2 * this.options.pingMs)
    for (const watch of session.watches) this.refute(watch, now)
  }

  closeSession(session: SessionWatch, now: number): void {
    if (session.closedAt !== undefined) return
    const t = this.clock.at(now)
    session.closedAt = t
    this.wheel.cancel(session)
    for (const watch of handOver(session)) this.lookAt(watch, t, now)
  }

  /**
   * A consumer could not reach the instance: asks it. Two refusals are proof as ever (until live evidence says
   * otherwise); a failed probe means nothing while the instance is heard.
   */
  hint({ watch, record }: Entry, now: number): void {
    const { content } = record
    if (watch === undefined || watch.asking || content.intent === 'gone') return
    if (content.probe?.type === 'none' || content.liveness === 'static') return
    const t = this.clock.at(now)
    if (t < watch.askedAt + HINT_GAP_MS) return
    // An earlier hint's refusals are no part of this series: the instance was heard since.
    if (!watch.noticed) watch.refusedSince = Infinity
    this.happened(watch, 'hinted', t, now)
  }

  /** The answer to a probe that was asked for. */
  probed(request: ProbeRequest, outcome: ProbeOutcome, now: number): void {
    const watch = this.deps.directory.entry(request.key)?.watch
    if (watch === undefined || watch.incarnation !== request.incarnation) return
    const { content } = watch.entry.record
    if (content.intent === 'gone' || !isTarget(request, content)) return
    if (outcome === 'succeeded') watch.baseline = true
    if (request.purpose === 'baseline') return this.questions.baselineAnswered(watch, request, outcome)
    watch.asking = false
    const t = this.clock.at(now)
    if (!watch.outdated) watch.probe = { at: t, outcome }
    if (outcome === 'refused' && watch.baseline && !watch.outdated) return this.refused(watch, t, now)
    this.refusedOnce.delete(watch)
    // A third party's endpoint has no better witness; elsewhere a bare TCP success proves a kernel only.
    if (outcome === 'succeeded' && (content.liveness === 'probe' || provesProcess(request.type)))
      this.hear(watch.entry, now, 'probe')
    this.lookAt(watch, t, now)
  }

  /** Two refusals in a row, where a connection was once possible, are proof and need no lease. */
  private refused(watch: Watch, t: number, now: number): void {
    const { content } = watch.entry.record
    const leaseMs = content.intent === 'gone' ? 0 : content.leaseMs
    watch.refusedSince = Math.min(watch.refusedSince, t)
    if (!this.refusedOnce.delete(watch)) {
      this.refusedOnce.add(watch)
      this.questions.evidence(watch, t, this.options.refusalGapMs / 2)
    } else if (this.cell(watch, 'refused').does === 'becomes') {
      const insists = t - watch.refusedSince >= leaseMs
      if (insists || this.guards.believesRefusal(watch, t, leaseMs)) {
        this.happened(watch, 'refused', t, now)
        // Only a hint gets here while the session is heard: its next sound is evidence to be judged.
        if (watch.session !== undefined) watch.session.doubted = true
      }
    }
    this.lookAt(watch, t, now)
  }

  private lookAtSession(session: SessionWatch, t: number): void {
    if (session.closedAt !== undefined) return
    const silentMs = t - session.heardAt
    if (silentMs >= 3 * this.options.pingMs) {
      session.options.onSilent?.()
      return
    }
    if (silentMs < 2 * this.options.pingMs) {
      this.wheel.schedule(session, session.heardAt + 2 * this.options.pingMs)
      return
    }
    session.doubted = true
    this.wheel.schedule(session, session.heardAt + 3 * this.options.pingMs)
    for (const watch of session.watches) this.wheel.schedule(watch, t)
  }

  /** Looks at an instance whose time may have come. */
  private lookAt(watch: Watch, t: number, now: number): void {
    const { entry, session } = watch
    const { content, verdict, override } = entry.record
    if (content.intent === 'gone' || verdict.value === 'expired') {
      const over = isBound(override)
        ? t + this.options.retentionMs
        : watch.judgedAt + this.options.retentionMs
      if (t >= over) return this.happened(watch, 'retention_over', t, now)
      this.wheel.schedule(watch, over)
    }
    if (content.intent === 'gone') return
    const behavedAt = watch.noticed ? Infinity : this.dampedUntil(watch)
    if (t >= behavedAt) return this.happened(watch, 'behaved', t, now)
    const vouchedFor = session !== undefined && session.closedAt === undefined && !session.doubted
    if (vouchedFor && verdict.value === 'up') return
    const { event, silent, next } = assess(this.facts(watch, content), t, this.options)
    if (silent === true && !watch.noticed) this.guards.fellSilent(watch, t, this.leaseOf(watch, content))
    if (event !== undefined) this.happened(watch, event, t, now)
    else this.wheel.schedule(watch, Math.min(next, behavedAt))
  }

  /** What an event brings, given where the instance stands. */
  private cell(watch: Watch, event: LivenessEvent): Cell {
    return LIVENESS_TABLE[standingOf(watch.entry.record)][event]
  }

  /** Does what the table says, unless a guard holds it back, and looks what is next. */
  private happened(watch: Watch, event: LivenessEvent, t: number, now: number): void {
    const { entry } = watch
    const { content } = entry.record
    const cell = this.cell(watch, event)
    if (cell.does === 'forgets') {
      this.unwatch(entry)
      return this.deps.forget(entry)
    }
    if (content.intent === 'gone') return
    if (cell.does === 'asks') {
      this.questions.evidence(watch, t)
    } else if (cell.does === 'becomes') {
      const silentMs = t - Math.max(lastHeard(watch), watch.startedAt)
      const ruling = this.guards.rule(watch, cell, { t, leaseMs: this.leaseOf(watch, content), silentMs })
      if (typeof ruling === 'string') {
        watch.held = ruling
        return this.wheel.schedule(watch, t + HOLD_MS)
      }
      this.guards.release(watch)
      this.judge(watch, ruling.value, ruling.reason, t, now)
    } else {
      return this.wheel.schedule(watch, t + HOLD_MS)
    }
    if (entry.watch === watch) this.lookAt(watch, t, now)
  }

  private leaseOf({ session }: Watch, { leaseMs }: LiveContent): number {
    return session === undefined ? leaseMs : 3 * this.options.pingMs
  }

  private facts(watch: Watch, content: LiveContent): Facts {
    const { entry, session } = watch
    const removalMs = entry.service.settings?.removalMs ?? this.options.removalMs
    return {
      standing: standingOf(entry.record),
      content,
      watch,
      session,
      removalMs,
      wokeAt: this.clock.wokeAt,
    }
  }

  /** What a new watch knows of the old one's flips; losing a live incarnation to another is one more. */
  private inherit(entry: Entry, t: number): Flaps {
    const { watch, record } = entry
    if (watch === undefined) return standingOf(record) === 'flapping' ? this.guards.adopted(t) : NO_FLAPS
    if (record.content.intent === 'gone') return watch.flaps
    const replaced =
      watch.incarnation !== record.incarnation && watch.countedIn !== undefined && !watch.noticed
    return replaced ? this.guards.flip(watch.flaps, t) : watch.flaps
  }

  /** Notes that it is back. True if it flaps: then it has to behave first. */
  private flapsAgain(watch: Watch, t: number): boolean {
    const { flaps, damped } = this.guards.comeBack(watch, t)
    watch.flaps = flaps
    return damped
  }

  /** Until when it has to behave; Infinity if it does not. */
  private dampedUntil({ entry, flaps }: Watch): number {
    return standingOf(entry.record) === 'flapping' ? flaps.until : Infinity
  }

  private judge(watch: Watch, value: VerdictValue, reason: VerdictReason, t: number, now: number): void {
    const { verdict } = watch.entry.record
    if (verdict.value === 'up' && value !== 'up' && reason !== 'flapping')
      watch.flaps = this.guards.flip(watch.flaps, t)
    watch.judgedAt = t
    this.deps.judge(watch.entry, value, reason, now)
    this.guards.account(watch.entry)
  }

  /** Live evidence reverses every negative verdict but that of a flapper, whose judge ends it. */
  private refute(watch: Watch, now: number): void {
    watch.outdated = true
    watch.probe = undefined
    this.refusedOnce.delete(watch)
    watch.refusedSince = Infinity
    this.guards.heard(watch)
    // Evidence only moves deadlines away: one that waits on the wheel anyway is not judged for each beat.
    if (watch.entry.record.verdict.value === 'up' && !Number.isNaN(watch.wheelAt)) return
    const t = this.clock.at(now)
    const reverses = this.cell(watch, 'heard').does === 'becomes'
    if (reverses) this.happened(watch, this.flapsAgain(watch, t) ? 'flapped' : 'heard', t, now)
    else this.lookAt(watch, t, now)
  }
}
