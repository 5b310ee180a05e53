/** What is asked of an instance by a probe. Pure. */
import type { ProbePurpose, ProbeRequest } from '../ports.js'
import type { LiveContent } from '../records/record.js'
import type { LivenessOptions, Watch } from './watch.js'

/** Delays before the attempts to establish a baseline. */
export const BASELINE_DELAYS_MS = [0, 1_000, 5_000, 30_000] as const

/** What is asked of an instance that says nothing of it. */
const BARE_PROBE = { type: 'tcp' } as const

/** The question to the instance that is registered now. */
export function questionTo(
  watch: Watch,
  content: LiveContent,
  purpose: ProbePurpose,
  delayMs: number,
  options: LivenessOptions,
): ProbeRequest {
  const { namespace, service, group, id, incarnation } = watch.entry.record
  const closed = watch.session?.closedAt !== undefined
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

/** Whether the question was about what is registered now. */
export function isTarget(request: ProbeRequest, content: LiveContent): boolean {
  return request.host === content.host && request.port === targetPort(content)
}

function targetPort(content: LiveContent): number {
  return content.probe?.port ?? content.port
}
