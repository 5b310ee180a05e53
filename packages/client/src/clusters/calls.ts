/** Calls of `register()` that wait for their clusters. */
import type { RegistryError } from '@rollcall/wire'
import { earliestOf } from '../machine/deadlines.js'
import type { RegistrationState, Token, Turn } from '../machine/events.js'
import { isAccepted } from '../cluster/registration-entry.js'
import type { Reach } from './reach.js'

interface Call {
  readonly token: Token
  readonly deadline: number
  /** By handle, where it was asked for. */
  readonly clusters: ReadonlyMap<number, readonly string[]>
  /** Handles that no cluster has accepted. */
  readonly waiting: Set<number>
  /** Of those that wait, the refusals by cluster. */
  readonly refusals: Map<number, Map<string, RegistryError>>
}

/**
 * Calls of `register()` over several clusters. Each resolves when every registration of it is accepted by one
 * of its clusters, or stands by there, and as pending when the time is over. It is rejected when no cluster took one of them, one
 * refused it, and all the others have refused too or are out of reach; then nothing of the call stays.
 */
export class RegisterCalls {
  private readonly pendingMs: number
  private readonly reach: Reach
  private readonly takeBack: (turn: Turn, handles: readonly number[]) => void
  private readonly calls = new Map<Token, Call>()
  private readonly byHandle = new Map<number, Call>()

  constructor(pendingMs: number, reach: Reach, takeBack: (turn: Turn, handles: readonly number[]) => void) {
    this.pendingMs = pendingMs
    this.reach = reach
    this.takeBack = takeBack
  }

  open(turn: Turn, token: Token, clusters: ReadonlyMap<number, readonly string[]>): void {
    const waiting = new Set(clusters.keys())
    const deadline = turn.now + this.pendingMs
    const call: Call = { token, deadline, clusters, waiting, refusals: new Map() }
    this.calls.set(token, call)
    for (const handle of waiting) this.byHandle.set(handle, call)
    this.review(turn, call)
  }

  /** A cluster told how a registration stands. */
  told(
    turn: Turn,
    handle: number,
    cluster: string,
    state: RegistrationState,
    error: RegistryError | undefined,
  ): void {
    const call = this.byHandle.get(handle)
    if (call === undefined || !call.waiting.has(handle)) return
    if (isAccepted(state) || state === 'standby') return this.done(turn, call, handle)
    if (error === undefined) return
    const refusals = call.refusals.get(handle) ?? new Map<string, RegistryError>()
    call.refusals.set(handle, refusals.set(cluster, error))
    this.review(turn, call)
  }

  /** The caller took registrations back: they are no longer waited for. */
  withdraw(turn: Turn, handles: readonly number[]): void {
    for (const handle of handles) {
      const call = this.byHandle.get(handle)
      this.byHandle.delete(handle)
      if (call !== undefined) this.done(turn, call, handle)
    }
  }

  /** Forgets a call and returns its handles. */
  abandon(token: Token): readonly number[] {
    const call = this.calls.get(token)
    if (call === undefined) return []
    this.close(call)
    return [...call.clusters.keys()]
  }

  cancel(turn: Turn, error: RegistryError): void {
    for (const { token } of this.calls.values()) turn.emit({ type: 'reject', token, error })
    this.calls.clear()
    this.byHandle.clear()
  }

  /** A deadline has come, or a cluster came into reach or out of it. */
  tick(turn: Turn): void {
    for (const call of this.calls.values()) this.review(turn, call)
  }

  deadline(): number | undefined {
    return earliestOf(this.calls.values(), (call) => call.deadline)
  }

  private done(turn: Turn, call: Call, handle: number): void {
    call.waiting.delete(handle)
    call.refusals.delete(handle)
    this.review(turn, call)
  }

  /** Costs what was refused, not what waits: a call may be of thousands, which are answered one by one. */
  private review(turn: Turn, call: Call): void {
    const over = turn.now >= call.deadline
    for (const [handle, refusals] of call.refusals) {
      const hope = call.clusters
        .get(handle)!
        .some((cluster) => !refusals.has(cluster) && this.reach.mayAnswer(cluster))
      const [refusal] = refusals.values()
      if (refusal !== undefined && (over || !hope)) return this.reject(turn, call, refusal)
    }
    if (call.waiting.size > 0 && !over) return
    this.close(call)
    turn.emit({ type: 'resolve', token: call.token })
  }

  private reject(turn: Turn, call: Call, error: RegistryError): void {
    this.close(call)
    this.takeBack(turn, [...call.clusters.keys()])
    turn.emit({ type: 'reject', token: call.token, error })
  }

  private close(call: Call): void {
    this.calls.delete(call.token)
    for (const handle of call.clusters.keys()) this.byHandle.delete(handle)
  }
}
