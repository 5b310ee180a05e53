/**
 * The sessions of a node: what was heard on them, when their silence matters, and what they are told. What follows for
 * the instances that they vouch for is left to the caller.
 */
import type { Cause } from '../directory/change.js'
import {
  type Evidence,
  type Scheduled,
  SessionEvidence,
  type SessionJudge,
  type SessionKeeper,
} from './evidence.js'
import { type LivenessOptions } from './options.js'
import type { Session, SessionOptions } from '../caller.js'
import { Line } from './line.js'
import { handOver } from './vouching.js'
import { isLive, sameAddress } from '../records/state.js'
import type { StoredRecord } from '../records/record.js'
import type { Wheel } from './wheel.js'

const NONE: readonly Evidence[] = []

export class Sessions {
  private readonly wheel: Wheel<Scheduled>
  private readonly pingMs: number
  /** Those that were opened here: no other one vouches. */
  private readonly opened = new WeakSet<Session>()
  readonly line: Line = new Line()

  constructor(wheel: Wheel<Scheduled>, { pingMs }: Pick<LivenessOptions, 'pingMs'>) {
    this.wheel = wheel
    this.pingMs = pingMs
  }

  open(
    id: string,
    t: number,
    options: SessionOptions,
    judge: SessionJudge,
    keeper: SessionKeeper,
  ): SessionEvidence {
    const session = new SessionEvidence(id, t, options, judge, keeper)
    this.opened.add(session)
    this.wheel.schedule(session, t + 2 * this.pingMs)
    return session
  }

  /** Whether the session was opened here. */
  has(session: Session | undefined): session is SessionEvidence {
    return session !== undefined && this.opened.has(session)
  }

  /** Anything arrived on the session. O(1). Returns those for whom that is news, because its silence was noticed. */
  heard(session: SessionEvidence, t: number): Iterable<Evidence> {
    if (session.closedAt !== undefined) return NONE
    session.heardAt = t
    if (!session.doubted) return NONE
    session.doubted = false
    this.wheel.schedule(session, t + 2 * this.pingMs)
    return session.vouched
  }

  /** The connection ended. Returns those for whom no other session vouches. */
  close(session: SessionEvidence, t: number): readonly Evidence[] {
    if (session.closedAt !== undefined) return NONE
    session.closedAt = t
    this.wheel.cancel(session)
    const left = handOver(session)
    this.line.closed(session)
    for (const { entry } of left) this.line.vacant(entry)
    return left
  }

  /** Looks at a session whose time may have come: two missed pings are silence, three end it. */
  lookAt(session: SessionEvidence, t: number): void {
    if (session.closedAt !== undefined) return
    const silentMs = t - session.heardAt
    if (silentMs >= 3 * this.pingMs) {
      session.options.onSilent?.()
      return
    }
    if (silentMs < 2 * this.pingMs) {
      this.wheel.schedule(session, session.heardAt + 2 * this.pingMs)
      return
    }
    session.doubted = true
    this.wheel.schedule(session, session.heardAt + 3 * this.pingMs)
    for (const evidence of session.vouched) this.wheel.schedule(evidence, t)
  }

  /**
   * Tells the session that vouched for the `previous` record that its incarnation ended, unless it ended it itself. Behind
   * another process at the same address it stands in line.
   */
  tell(evidence: Evidence | undefined, previous: StoredRecord, cause: Cause): void {
    const session = evidence?.session
    if (evidence === undefined || session === undefined || session.closedAt !== undefined) return
    if ('session' in cause && cause.session === session) return
    const { record } = evidence.entry
    const { namespace, service, group, id, incarnation } = previous
    const replaced = record.incarnation !== incarnation
    const isNext =
      replaced && isLive(previous) && isLive(record) && sameAddress(previous.content, record.content)
    const standby = isNext && this.line.join(evidence.entry, session)
    const reason = replaced ? 'superseded' : 'deregistered'
    const ended = { namespace, service, group, id, incarnation, reason } as const
    session.options.onRemoved?.([standby ? { ...ended, standby } : ended])
  }
}
