/** The wait of a draining process for its consumers. */
import type { ErrorMessage, SettledAnswerMessage, ViewName } from '@rollcall/wire'
import { batches } from './batches.js'
import type { ClusterTurn } from './events.js'
import type { Outbox } from './outbox.js'
import type { MachineTimes } from '../machine/settings.js'

/**
 * The wait of a draining process until its consumers choose others: `settleMs`, or less where a node knows that
 * all subscribers have acknowledged the draining. A node that cannot tell costs nothing but the full wait.
 */
export class Settlement {
  private readonly times: MachineTimes
  private readonly outbox: Outbox
  private readonly views: readonly ViewName[]
  private asked: number | undefined
  /** The publication that tells of the draining, as the node of this connection counts. */
  private seq: number | undefined
  /** Not to be asked again before. */
  private again: number | undefined
  /** Asking leads to nothing more. */
  private done = false
  /** When the wait is over. */
  at: number

  constructor(turn: ClusterTurn, times: MachineTimes, outbox: Outbox, views: readonly ViewName[]) {
    this.times = times
    this.outbox = outbox
    this.views = views
    this.at = turn.now + (views.length === 0 ? 0 : Math.min(times.settleMs, times.closeMs))
  }

  /** The connection is gone, and the answer with it. */
  down(): void {
    this.asked = undefined
    this.seq = undefined
    this.again = undefined
  }

  /** `drained`: a registry has accepted the draining of everything. */
  tick(turn: ClusterTurn, drained: boolean): void {
    if (this.again !== undefined && turn.now >= this.again) this.again = undefined
    const waiting = this.asked !== undefined || this.again !== undefined
    if (this.done || waiting || !drained || !this.outbox.usable) return
    const [services, ...more] = batches(this.views, this.outbox.limits)
    // So many that they do not fit one message: the full wait is the least of it.
    if (services === undefined || more.length > 0) return
    const { seq } = this
    const since = seq === undefined ? {} : { seq }
    this.asked = this.outbox.request(turn, (req) => ({ type: 'settled', req, services, ...since }))
  }

  answered(turn: ClusterTurn, message: SettledAnswerMessage): void {
    if (this.asked === undefined || message.req !== this.asked) return
    this.asked = undefined
    this.seq = message.seq
    this.done = message.settled
    if (message.settled) this.at = Math.min(this.at, turn.now + this.times.lingerMs)
    else this.again = turn.now + this.times.settlePollMs
  }

  /** The node does not know the question. */
  failed(message: ErrorMessage): void {
    if (this.asked !== undefined && message.req === this.asked) this.done = true
  }

  deadline(): number {
    return Math.min(this.at, this.again ?? this.at)
  }
}
