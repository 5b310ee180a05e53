/**
 * Which session vouches for an instance. A client opens a new connection before the old one has ended, and one that
 * it gave up may deliver its last words after those of its successor: so every open session that vouched goes on
 * doing so, and only when the last of them has closed is the instance without one.
 */
import type { StoredRecord } from '../records/record.js'
import { NO_SESSIONS, type SessionEvidence, type Evidence } from './evidence.js'

/** The session vouches from now on; the one before stays behind it while it is open. */
export function attach(evidence: Evidence, session: SessionEvidence): void {
  const before = evidence.session
  if (before === session) return
  if (before !== undefined && before.closedAt === undefined)
    evidence.others = openOf([...evidence.others, before], session)
  else before?.vouched.delete(evidence)
  evidence.session = session
  session.vouched.add(evidence)
}

/** No session vouches any more. */
export function detach(evidence: Evidence): void {
  evidence.session?.vouched.delete(evidence)
  for (const session of evidence.others) session.vouched.delete(evidence)
  evidence.session = undefined
  evidence.others = NO_SESSIONS
}

/** A session has closed: others take over where there are any. Returns those that are left without one. */
export function handOver(session: SessionEvidence): readonly Evidence[] {
  const left: Evidence[] = []
  for (const evidence of session.vouched) {
    const others = openOf(evidence.others, undefined)
    const heir = others.at(-1)
    if (evidence.session !== session) evidence.others = others
    else if (heir !== undefined) {
      evidence.session = heir
      evidence.others = openOf(others, heir)
    }
    if (evidence.session === session) left.push(evidence)
    else session.vouched.delete(evidence)
  }
  return left
}

/** The open session that vouches for the incarnation that is stored, if there is one. */
export function voucher(evidence: Evidence | undefined, record: StoredRecord): SessionEvidence | undefined {
  const { content } = record
  if (evidence?.session?.closedAt !== undefined || evidence?.incarnation !== record.incarnation)
    return undefined
  return content.intent !== 'gone' && content.liveness === 'lease' ? evidence.session : undefined
}

function openOf(
  sessions: readonly SessionEvidence[],
  but: SessionEvidence | undefined,
): readonly SessionEvidence[] {
  const open = sessions.filter((session) => session.closedAt === undefined && session !== but)
  return open.length === 0 ? NO_SESSIONS : open
}
