/** What liveness knows of an instance, for an explanation and for the journal. Changes nothing. */
import type { Change } from '../directory/change.js'
import type { Directory, Entry, EntrySlot } from '../directory/directory.js'
import { isLive } from '../records/state.js'
import { factsOf, type Inspection } from './assess.js'
import type { Evidence } from './evidence.js'
import type { Guards } from './guards.js'
import type { JudgedClock } from './judged-clock.js'
import { isKept, type LivenessOptions } from './options.js'
import { voucher } from './vouching.js'
import { isSameTarget, type QuestionDeps } from './question.js'

export interface InsightDeps extends Pick<QuestionDeps, 'mayProbe'> {
  readonly directory: Pick<Directory, 'joined'>
  readonly evidence: EntrySlot<Evidence>
  readonly clock: JudgedClock
  readonly guards: Guards
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
