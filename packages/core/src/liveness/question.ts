/** What is asked of an instance by a probe: for evidence, or once for the baseline. */
import { type Probe, sameHost } from '@rollcall/wire'
import type { ProbeOutcome, ProbePurpose, ProbeRequest } from '../ports.js'
import type { LiveContent, StoredRecord } from '../records/record.js'
import type { Evidence } from './evidence.js'
import type { LivenessOptions } from './options.js'

/** Delays before the attempts to establish a baseline. */
const BASELINE_DELAYS_MS = [0, 1_000, 5_000, 30_000] as const

/** What is asked of an instance that says nothing of it. */
const BARE_PROBE = { type: 'tcp' } as const

export interface QuestionDeps {
  readonly probe: (request: ProbeRequest) => void
  /** Whether the address rule lets an address be probed at all; nothing is lost by asking where it does not. */
  readonly mayProbe: (host: string, peer: string | undefined) => boolean
}

export class Questions {
  private readonly deps: QuestionDeps
  private readonly options: LivenessOptions

  constructor(deps: QuestionDeps, options: LivenessOptions) {
    this.deps = deps
    this.options = options
  }

  /** Asks for evidence after `delayMs`. */
  ask(evidence: Evidence, t: number, delayMs = 0): void {
    const { content } = evidence.entry.record
    if (content.intent === 'gone') return
    evidence.asking = true
    evidence.askedAt = t
    evidence.outdated = false
    this.deps.probe(questionTo(evidence, content, 'evidence', delayMs, this.options))
  }

  /** Asks whether a connection is possible at all, so that a later refusal means something. */
  baseline(evidence: Evidence, attempt = 0): void {
    const { content } = evidence.entry.record
    if (content.intent === 'gone' || content.liveness === 'static' || content.probe?.type === 'none') return
    if (!this.deps.mayProbe(content.host, content.peer)) return
    const delayMs = BASELINE_DELAYS_MS[attempt]
    if (delayMs !== undefined)
      this.deps.probe(questionTo(evidence, content, 'baseline', delayMs, this.options))
  }

  /** Asks again later unless that succeeded, or never can. */
  baselineAnswered(evidence: Evidence, { delayMs }: ProbeRequest, outcome: ProbeOutcome): void {
    if (evidence.baseline === 'own' || outcome === 'skipped') return
    const attempt = BASELINE_DELAYS_MS.indexOf(delayMs as (typeof BASELINE_DELAYS_MS)[number])
    this.baseline(evidence, attempt + 1)
  }
}

/** The question to the instance that is registered now. */
export function questionTo(
  evidence: Evidence,
  content: LiveContent,
  purpose: ProbePurpose,
  delayMs: number,
  options: LivenessOptions,
): ProbeRequest {
  const { namespace, service, group, id, incarnation } = evidence.entry.record
  const closed = evidence.session?.closedAt !== undefined
  const { probeTimeoutMs, closedGraceMs } = options
  return {
    key: { namespace, service, group, id },
    incarnation,
    host: content.host,
    ...(content.probe ?? BARE_PROBE),
    port: targetPort(content),
    purpose,
    ...(content.peer === undefined ? {} : { peer: content.peer }),
    timeoutMs: closed ? Math.min(closedGraceMs * 0.8, probeTimeoutMs) : probeTimeoutMs,
    delayMs,
  }
}

/** Whether a probe of the record would now ask another question, or another port, than before. */
export function isAskedAnew({ content: before }: StoredRecord, { content: after }: StoredRecord): boolean {
  if (before === after || before.intent === 'gone' || after.intent === 'gone') return false
  return (
    !sameHost(before.host, after.host) ||
    targetPort(before) !== targetPort(after) ||
    before.probe?.type !== after.probe?.type
  )
}

/** Whether a probe of both records would ask the same incarnation the same question. */
export function isSameTarget(a: StoredRecord, b: StoredRecord): boolean {
  return a.incarnation === b.incarnation && !isAskedAnew(a, b)
}

/** Whether its provider has it judged by another rule than before. */
export function isRuledAnew({ content: before }: StoredRecord, { content: after }: StoredRecord): boolean {
  if (before === after || before.intent === 'gone' || after.intent === 'gone') return false
  return before.leaseMs !== after.leaseMs || before.liveness !== after.liveness
}

/**
 * Whether success proves a process: something that reads requests answered. A TCP connection proves only a
 * kernel, which accepts for a stopped process as well.
 */
export function provesProcess(type: Probe['type']): boolean {
  return type === 'http' || type === 'grpc'
}

/** Whether the question was about what is registered now. */
export function isTarget(request: ProbeRequest, content: LiveContent): boolean {
  const { type } = content.probe ?? BARE_PROBE
  return isAtTarget(request, content) && request.type === type
}

/** Whether it was asked where what is registered now is asked, be it otherwise. */
export function isAtTarget({ host, port }: ProbeRequest, content: LiveContent): boolean {
  return sameHost(host, content.host) && port === targetPort(content)
}

function targetPort(content: LiveContent): number {
  return content.probe?.port ?? content.port
}
