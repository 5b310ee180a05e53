/** Deregistrations that are not answered yet. */
import type { DeregisteredMessage, ErrorMessage, InstanceRef } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import { batches } from './batches.js'
import { earliest, earliestOf } from '../machine/deadlines.js'
import type { Token } from '../machine/events.js'
import type { ClusterTurn } from './events.js'
import type { Outbox } from './outbox.js'
import type { MachineTimes } from '../machine/settings.js'

interface Departure {
  readonly ref: InstanceRef
  /** The call that waits for the answer. */
  readonly token: Token | undefined
  /** Set while a request is under way. */
  req: number | undefined
  askAgainAt: number | undefined
}

interface Caller {
  remaining: number
  readonly deadline: number
}

/** Most deregistrations kept for a registry that is away; beyond it the oldest are left to the lease. */
const DEPARTURES_MAX = 100_000

/** Deregistrations under way: each is repeated on every connection until a node has answered it. */
export class Departures {
  private readonly times: MachineTimes
  private readonly outbox: Outbox
  private readonly callers = new Map<Token, Caller>()
  private departures: Departure[] = []

  constructor(times: MachineTimes, outbox: Outbox) {
    this.times = times
    this.outbox = outbox
  }

  /** How many are not answered yet. */
  get size(): number {
    return this.departures.length
  }

  /** Takes instances back; the token is settled when a node has answered for all of them. */
  add(turn: ClusterTurn, refs: readonly InstanceRef[], token: Token | undefined): void {
    if (refs.length === 0) {
      if (token !== undefined) turn.emit({ type: 'resolve', token })
      return
    }
    if (token !== undefined)
      this.callers.set(token, { remaining: refs.length, deadline: turn.now + this.times.closeMs })
    for (const ref of refs) this.departures.push({ ref, token, req: undefined, askAgainAt: undefined })
    const excess = this.departures.length - DEPARTURES_MAX
    if (excess > 0) for (const departure of this.departures.splice(0, excess)) this.settle(turn, departure)
  }

  /** The connection is gone, and with it every answer. */
  down(): void {
    for (const departure of this.departures) {
      departure.req = undefined
      departure.askAgainAt = undefined
    }
  }

  answered(turn: ClusterTurn, message: DeregisteredMessage): void {
    // Removed, unknown or superseded: in each case nothing of this incarnation is left.
    const done = this.departures.filter((departure) => departure.req === message.req)
    this.departures = this.departures.filter((departure) => departure.req !== message.req)
    for (const departure of done) this.settle(turn, departure)
  }

  failed(turn: ClusterTurn, message: ErrorMessage): void {
    for (const departure of this.departures) {
      if (departure.req !== message.req) continue
      departure.req = undefined
      departure.askAgainAt = turn.now + this.times.retryMsMax
    }
  }

  tick(turn: ClusterTurn): void {
    for (const [token, caller] of this.callers) {
      if (turn.now < caller.deadline) continue
      this.callers.delete(token)
      const error = new RegistryError(
        'timeout',
        'no registry confirmed the deregistration in time; it is still being tried',
      )
      turn.emit({ type: 'reject', token, error })
    }
    for (const departure of this.departures) {
      if (departure.askAgainAt === undefined || turn.now < departure.askAgainAt) continue
      departure.req = undefined
      departure.askAgainAt = undefined
    }
    this.flush(turn)
  }

  deadline(): number | undefined {
    return earliest(
      earliestOf(this.callers.values(), (caller) => caller.deadline),
      earliestOf(this.departures, (departure) => departure.askAgainAt),
    )
  }

  private flush(turn: ClusterTurn): void {
    if (!this.outbox.usable) return
    const unsent = this.departures.filter(
      (departure) => departure.req === undefined && departure.askAgainAt === undefined,
    )
    const byRef = new Map(unsent.map((departure) => [departure.ref, departure]))
    for (const batch of batches([...byRef.keys()], this.outbox.limits)) {
      const req = this.outbox.request(turn, (number) => ({
        type: 'deregister',
        req: number,
        instances: batch,
      }))
      for (const ref of batch) {
        const departure = byRef.get(ref)!
        departure.req = req
        departure.askAgainAt = turn.now + this.times.requestTimeoutMs
      }
    }
  }

  private settle(turn: ClusterTurn, departure: Departure): void {
    const { token } = departure
    const caller = token === undefined ? undefined : this.callers.get(token)
    if (token === undefined || caller === undefined) return
    caller.remaining -= 1
    if (caller.remaining > 0) return
    this.callers.delete(token)
    turn.emit({ type: 'resolve', token })
  }
}
