/**
 * Looks twice a second whether the journal's files are still what it left there, and notes how far the log goes. A
 * commit alone notices that its own log was removed or cut, but not that a file was moved or that another is gone.
 */
import type { Clock } from '@rollcall/core'
import type { OpenLog } from './files.js'
import type { Holding } from './holding.js'
import { LOOK_MS } from './options.js'
import type { WatermarkWriter } from './watermark.js'

/** What an inspector works with. */
export interface InspectorDeps {
  readonly clock: Clock
  readonly holding: Holding
  readonly watermark: WatermarkWriter
  /** The log that is being written; without one there is nothing to look after. */
  log(): OpenLog | undefined
  /** The files are not to be trusted any more. */
  fail(error: unknown): void
}

/** The loop. Started once. */
export class Inspector {
  readonly #deps: InspectorDeps
  #cancel: (() => void) | undefined
  #stopped = false

  constructor(deps: InspectorDeps) {
    this.#deps = deps
  }

  start(): void {
    if (this.#stopped) return
    // `inspect` never rejects.
    this.#cancel = this.#deps.clock.setTimer(LOOK_MS, () => void this.inspect().then(() => this.start()))
  }

  /** Idempotent. */
  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  async inspect(): Promise<void> {
    const { holding, watermark } = this.#deps
    const log = this.#deps.log()
    if (log === undefined) return
    try {
      await holding.confirm(log)
    } catch (error) {
      if (this.#deps.log() === log) this.#deps.fail(error)
      return
    }
    if (this.#deps.log() !== log) return
    // Only for a reader after a crash: nothing is lost if it cannot be written now, and the next look tries again.
    await watermark.write(log).catch(() => undefined)
  }
}
