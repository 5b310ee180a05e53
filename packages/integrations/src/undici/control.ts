/** The controller that the handler of a request holds across its attempts. */
import type { Dispatcher } from 'undici'

type RawHeaders = Exclude<Dispatcher.DispatchController['rawHeaders'], undefined>

/** What the handler of a request controls, whichever attempt is under way. */
export class Control implements Dispatcher.DispatchController {
  rawHeaders: RawHeaders = null
  rawTrailers: RawHeaders = null
  reason: Error | null = null
  paused = false
  private readonly abortion = new AbortController()
  private target: Dispatcher.DispatchController | undefined

  /** Aborted when the handler wants no answer any more. */
  get signal(): AbortSignal {
    return this.abortion.signal
  }

  get aborted(): boolean {
    return this.reason !== null
  }

  abort(reason: Error): void {
    if (this.aborted) return
    this.reason = reason
    this.abortion.abort(reason)
    this.target?.abort(reason)
  }

  pause(): void {
    this.paused = true
    this.target?.pause()
  }

  resume(): void {
    this.paused = false
    this.target?.resume()
  }

  /** From now on it controls the connection of the answer, which waits for that. */
  take(target: Dispatcher.DispatchController): void {
    this.target = target
    if (this.reason !== null) target.abort(this.reason)
    else if (!this.paused) target.resume()
  }
}
