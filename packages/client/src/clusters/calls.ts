/** Calls of `register()` that wait for their clusters. */
import { RegistryError } from '@rollcall/wire'
import { earliestOf } from '../machine/deadlines.js'
import type { RegistrationState, Token, Turn } from '../machine/events.js'
import { isAccepted } from '../cluster/registration-entry.js'
import type { Reach } from './reach.js'

/** What a cluster said of one registration; undefined before it said anything. */
type Said = 'accepted' | RegistryError | undefined

interface Call {
  readonly token: Token
  /** By handle, what each of its clusters said. */
  readonly items: ReadonlyMap<number, Map<string, Said>>
  readonly deadline: number
}

/**
 * Calls of `register()` over several clusters. Each resolves when every registration of it is accepted by one
 * of its clusters, and as pending when the time is over. It is rejected when no cluster took one of them, one
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

  open(turn: Turn, token: Token, clustersOf: ReadonlyMap<number, readonly string[]>): void {
    const items = new Map(
      [...clustersOf].map(([handle, clusters]) => [
        handle,
        new Map(clusters.map((cluster): [string, Said] => [cluster, undefined])),
      ]),
    )
    const call: Call = { token, items, deadline: turn.now + this.pendingMs }
    this.calls.set(token, call)
    for (const handle of items.keys()) this.byHandle.set(handle, call)
    this.judge(turn, call)
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
    const said = isAccepted(state) ? 'accepted' : error
    if (call === undefined || said === undefined) return
    call.items.get(handle)?.set(cluster, said)
    this.judge(turn, call)
  }

  /** The caller took registrations back: they are no longer waited for. */
  withdraw(turn: Turn, handles: readonly number[]): void {
    for (const handle of handles) {
      const call = this.byHandle.get(handle)
      if (call === undefined) continue
      this.byHandle.delete(handle)
      const items = call.items.get(handle)
      for (const cluster of items?.keys() ?? []) items?.set(cluster, 'accepted')
      this.judge(turn, call)
    }
  }

  /** Forgets a call and returns its handles. */
  abandon(token: Token): readonly number[] {
    const call = this.calls.get(token)
    if (call === undefined) return []
    this.close(call)
    return [...call.items.keys()]
  }

  cancel(turn: Turn, error: RegistryError): void {
    for (const { token } of this.calls.values()) turn.emit({ type: 'reject', token, error })
    this.calls.clear()
    this.byHandle.clear()
  }

  /** A deadline has come, or a cluster came into reach or out of it. */
  tick(turn: Turn): void {
    for (const call of this.calls.values()) this.judge(turn, call)
  }

  deadline(): number | undefined {
    return earliestOf(this.calls.values(), (call) => call.deadline)
  }

  private judge(turn: Turn, call: Call): void {
    const over = turn.now >= call.deadline
    let waiting = false
    for (const said of call.items.values()) {
      const words = [...said.values()]
      if (words.includes('accepted')) continue
      waiting = true
      const refusal = words.find((word) => word instanceof RegistryError)
      const hope = [...said].some(([cluster, word]) => word === undefined && this.reach.mayAnswer(cluster))
      if (refusal instanceof RegistryError && (over || !hope)) return this.reject(turn, call, refusal)
    }
    if (waiting && !over) return
    this.close(call)
    turn.emit({ type: 'resolve', token: call.token })
  }

  private reject(turn: Turn, call: Call, error: RegistryError): void {
    this.close(call)
    this.takeBack(turn, [...call.items.keys()])
    turn.emit({ type: 'reject', token: call.token, error })
  }

  private close(call: Call): void {
    this.calls.delete(call.token)
    for (const handle of call.items.keys()) this.byHandle.delete(handle)
  }
}
