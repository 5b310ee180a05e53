/**
 * Second opinions: while a node doubts its ears it publishes no silence, unless a probe by another node fails too. Another
 * node is asked for that, a few instances at a time and each at most once per lease.
 */
import type { Consult } from '../ports.js'
import type { Evidence } from './evidence.js'
import type { LivenessOptions } from './options.js'
import { questionTo } from './question.js'

/** Questions to other nodes under way at once: a mass silence is asked about bit by bit, and peers stay unharmed. */
const OPEN_MAX = 64

/** What the way to the other node and back may take beside the probe itself. */
const WAY_MS = 2_000

export class SecondOpinions {
  private readonly consult: Consult | undefined
  private readonly options: LivenessOptions
  /** When each was asked about last, of those whose verdict is held back. */
  private readonly askedAt = new Map<Evidence, number>()
  /** Those about which an answer may still come, oldest first. */
  private readonly open = new Set<Evidence>()

  constructor(consult: Consult | undefined, options: LivenessOptions) {
    this.consult = consult
    this.options = options
  }

  /** The silence of an instance is not believed: another node may know better. */
  ask(evidence: Evidence, t: number, leaseMs: number): void {
    const { content } = evidence.entry.record
    if (this.consult === undefined || content.intent === 'gone' || content.probe?.type === 'none') return
    if (t < (this.askedAt.get(evidence) ?? -Infinity) + leaseMs) return
    this.expire(t)
    if (this.open.size >= OPEN_MAX) return
    this.askedAt.set(evidence, t)
    this.open.add(evidence)
    this.consult(questionTo(evidence, content, 'evidence', 0, this.options))
  }

  /** An answer came. False where none was expected. */
  answered(evidence: Evidence): boolean {
    return this.open.delete(evidence)
  }

  /** Nothing more is to be known of it from others. */
  forget(evidence: Evidence): void {
    this.open.delete(evidence)
    this.askedAt.delete(evidence)
  }

  /** What was not answered in time is under way no longer. */
  private expire(t: number): void {
    for (const evidence of this.open) {
      const at = this.askedAt.get(evidence) ?? -Infinity
      if (t < at + this.options.probeTimeoutMs + WAY_MS) return
      this.open.delete(evidence)
    }
  }
}
