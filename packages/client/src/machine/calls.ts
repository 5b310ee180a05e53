import type { RegistryError } from '@rollcall/wire'
import { earliestOf } from './deadlines.js'
import type { Token, Turn } from './events.js'

interface Call {
  readonly token: Token
  readonly handles: readonly number[]
  readonly waiting: Set<number>
  /** First refusal; the call is rejected with it once every item is answered. */
  refusal: RegistryError | undefined
  readonly deadline: number
}

/**
 * Calls of `register()` that wait: each resolves when all its items are accepted, or as pending when no
 * registry has answered in time, and is rejected as a whole when one is refused: then nothing of it stays.
 */
export class Calls {
  private readonly pendingMs: number
  private readonly takeBack: (turn: Turn, handles: readonly number[]) => void
  private readonly calls = new Map<Token, Call>()
  private readonly byHandle = new Map<number, Call>()

  /** `takeBack` deregisters what was accepted of a call that is rejected. */
  constructor(pendingMs: number, takeBack: (turn: Turn, handles: readonly number[]) => void) {
    this.pendingMs = pendingMs
    this.takeBack = takeBack
  }

  open(turn: Turn, token: Token, handles: readonly number[]): void {
    const call: Call = {
      token,
      handles,
      waiting: new Set(handles),
      refusal: undefined,
      deadline: turn.now + this.pendingMs,
    }
    this.calls.set(token, call)
    for (const handle of handles) this.byHandle.set(handle, call)
    if (handles.length === 0) this.finish(turn, call)
  }

  accepted(turn: Turn, handle: number): void {
    this.answered(turn, handle)
  }

  /** Whether a call was waiting for this handle: then its caller hears of the refusal. */
  refused(turn: Turn, handle: number, error: RegistryError): boolean {
    const call = this.byHandle.get(handle)
    if (call === undefined) return false
    call.refusal ??= error
    this.answered(turn, handle)
    return true
  }

  /** Handles that were taken back count as answered. */
  withdraw(turn: Turn, handles: readonly number[]): void {
    for (const handle of handles) this.answered(turn, handle)
  }

  /** Forgets a call and returns its handles. */
  abandon(token: Token): readonly number[] {
    const call = this.calls.get(token)
    if (call === undefined) return []
    this.close(call)
    return call.handles
  }

  cancel(turn: Turn, error: RegistryError): void {
    for (const call of this.calls.values()) turn.emit({ type: 'reject', token: call.token, error })
    this.calls.clear()
    this.byHandle.clear()
  }

  tick(turn: Turn): void {
    for (const call of this.calls.values()) if (turn.now >= call.deadline) this.finish(turn, call)
  }

  deadline(): number | undefined {
    return earliestOf(this.calls.values(), (call) => call.deadline)
  }

  private answered(turn: Turn, handle: number): void {
    const call = this.byHandle.get(handle)
    if (call === undefined) return
    call.waiting.delete(handle)
    if (call.waiting.size === 0) this.finish(turn, call)
  }

  private finish(turn: Turn, call: Call): void {
    this.close(call)
    if (call.refusal === undefined) {
      turn.emit({ type: 'resolve', token: call.token })
      return
    }
    this.takeBack(turn, call.handles)
    turn.emit({ type: 'reject', token: call.token, error: call.refusal })
  }

  private close(call: Call): void {
    this.calls.delete(call.token)
    for (const handle of call.handles) this.byHandle.delete(handle)
  }
}
