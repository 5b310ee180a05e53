/** What liveness knows of an instance, for an explanation and for the journal. Changes nothing. */
import type { Change } from '../directory/change.js'
import type { Directory, Entry, EntrySlot } from '../directory/directory.js'
import { isLive } from '../records/state.js'
import { factsOf, type Inspection, silentSince } from './assess.js'
import { type Evidence, lastHeard } from './evidence.js'
import type { Guards } from './guards.js'
import type { JudgedClock } from './judged-clock.js'
import { isKept, type LivenessOptions } from './options.js'
import { voucher } from './vouching.js'
import { isSameTarget, type QuestionDeps } from './question.js'

export interface InsightDeps extends Pick<QuestionDeps, 'mayProbe'> {
  readonly directory: Pick<Directory, 'joined' | 'freezes'>
  readonly evidence: EntrySlot<Evidence>
  readonly clock: JudgedClock
  readonly guards: Guards
}

/** What a node knows of the silence of an instance, for protocols whose own times decide in their answers. */
export interface KnownSilence {
  /** For how long it was not heard, at the least. */
  readonly silentMs: number
  /**
   * Whether it counts in what silence may take of its service: it may have been heard since it registered, and is not silent for so long
   * that silence is believed of any number.
   */
  readonly isCounted: boolean
  /** Whether the node doubts its ears, lost the engine, or is told to take nothing down. */
  readonly isDoubted: boolean
}

/** What holds back what follows from silence, for protocols that draw conclusions of their own. */
export interface Restraints {
  /** It was deregistered: nothing follows from silence any more. */
  readonly isGone: boolean
  /** Its namespace is frozen. */
  readonly isFrozen: boolean
  /** The node doubts its ears, is an island or was one lately, or is told to take nothing down. */
  readonly isDoubted: boolean
  /** The guard of its service keeps some that are silent. */
  readonly isGuarded: boolean
  /** For how long this node has been its judge, or has watched it. */
  readonly judgedMs: number
  /** When another node heard it last, as that told; Infinity = never. */
  readonly toldMs: number
}

export class Insight {
  private readonly deps: InsightDeps
  private readonly options: LivenessOptions

  constructor(deps: InsightDeps, options: LivenessOptions) {
    this.deps = deps
    this.options = options
  }

  /** What judgement rests on at present; undefined where nothing is observed. */
  inspect(entry: Entry, now: number): Inspection | undefined {
    const { clock, guards, directory } = this.deps
    const { options } = this
    const evidence = this.deps.evidence.get(entry)
    if (evidence === undefined) return undefined
    const { content } = entry.record
    const t = clock.at(now)
    const known = {
      t,
      options,
      evidence,
      doubtedAt: guards.doubtedAt(evidence),
      isKept: isKept(entry, directory),
    }
    if (content.intent === 'gone') return { ...known, facts: undefined, mayProbe: false }
    const mayProbe = content.probe?.type !== 'none' && this.deps.mayProbe(content.host, content.peer)
    const facts = factsOf(evidence, content, clock.wokeAt, options)
    return { ...known, facts, mayProbe }
  }

  /**
   * The silence of an instance as far as it counts: what this node judges it must have heard itself; of what another one
   * judges, that one's verdict says how long it lasted by then.
   */
  silence(entry: Entry, now: number): KnownSilence | undefined {
    const inspection = this.inspect(entry, now)
    if (inspection?.facts === undefined) return undefined
    const { t, evidence, facts } = inspection
    const { isJudge, startedAt, judgeSince } = evidence
    const silentMs = isJudge ? t - (silentSince(facts) ?? Infinity) : judgedSilenceMs(evidence, t)
    if (!(silentMs >= 0)) return undefined
    const isOwn = isJudge && judgeSince === undefined
    return {
      silentMs,
      isCounted: silentMs < this.options.unheardMs && (!isOwn || lastHeard(evidence) > startedAt),
      isDoubted: this.deps.guards.refusesSilence(evidence, t),
    }
  }

  /** What holds back conclusions about it. O(1), unlike an explanation, which looks for its events. */
  restraints(entry: Entry, now: number): Restraints {
    const { clock, guards, directory } = this.deps
    const t = clock.at(now)
    const evidence = this.deps.evidence.get(entry)
    const known = {
      isGone: entry.record.content.intent === 'gone',
      isFrozen: directory.freezes.covers(entry.record.namespace),
      isGuarded: guards.guardOf(entry.service).tripped,
    }
    if (evidence === undefined)
      return { ...known, isDoubted: known.isFrozen, judgedMs: Infinity, toldMs: Infinity }
    const { judgeSince, startedAt, toldAt } = evidence
    return {
      ...known,
      isDoubted: guards.refusesSilence(evidence, t),
      judgedMs: t - (judgeSince ?? startedAt),
      toldMs: toldAt === undefined ? Infinity : t - toldAt,
    }
  }

  /** Whether this node judges it. */
  isJudge(entry: Entry): boolean {
    return this.deps.evidence.get(entry)?.isJudge === true
  }

  /** Whether this node could probe a host that a caller at `peer` registers. */
  mayProbe(host: string, peer: string | undefined): boolean {
    return this.deps.mayProbe(host, peer)
  }

  /** Whether an open session vouches for it. */
  isVouched(entry: Entry): boolean {
    return voucher(this.deps.evidence.get(entry), entry.record) !== undefined
  }

  /** Whether the session that vouched has closed, and nothing was heard since. */
  isLeft(entry: Entry): boolean {
    return this.deps.evidence.get(entry)?.session?.closedAt !== undefined
  }

  /**
   * Whether this boot of the node, or an earlier one, connected to the instance where its record has it now: a restart
   * should know. Of a change, also before liveness has followed it.
   */
  hasBaseline({ entry, previous = entry.record }: Partial<Change> & Pick<Change, 'entry'>): boolean {
    const { record } = entry
    const evidence = this.deps.evidence.get(entry)
    if (evidence?.incarnation !== record.incarnation || evidence.baseline === 'none') return false
    return isLive(record) && isSameTarget(previous, record)
  }
}

/** How long it was silent by a verdict of another node, which doubts after half a lease and takes down after all of it. */
function judgedSilenceMs(evidence: Evidence, t: number): number {
  const { verdict, content } = evidence.entry.record
  const isSilent = verdict.reason === 'silence' || verdict.reason === 'long_silence'
  if (content.intent === 'gone' || verdict.value === 'up' || !isSilent) return Number.NaN
  return t - evidence.judgedAt + (verdict.value === 'suspect' ? content.leaseMs / 2 : content.leaseMs)
}
