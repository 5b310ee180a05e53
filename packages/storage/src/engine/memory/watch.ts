/** A watch over a line, as the node sees it: when it hears nothing more it begins again where it was. */
import { EngineError, type Clock, type EngineSubscription, type EngineWatcher } from '@rollcall/core'
import { openStream, type StreamDeps } from './stream.js'

export interface WatchDeps extends StreamDeps {
  readonly clock: Clock
  readonly retryMs: number
}

export class MemoryWatch implements EngineSubscription {
  private readonly deps: WatchDeps
  private readonly watcher: EngineWatcher
  private readonly left: () => void
  /** Everything up to here was told. */
  private told: number
  private over = false
  private stop: () => void = () => {}

  /** `left` is called when the watch is over. */
  constructor(deps: WatchDeps, revision: number, watcher: EngineWatcher, left: () => void) {
    this.deps = deps
    this.watcher = watcher
    this.left = left
    this.told = revision
    this.open()
  }

  close(): void {
    if (this.over) return
    this.over = true
    this.stop()
    this.left()
  }

  private open(): void {
    const { deps, watcher } = this
    let isOpen = true
    // Without another message the stream ends, and with the line.
    const expectMore = (): (() => void) => deps.line.expect(end)
    const end = (error: EngineError): void => {
      if (!isOpen) return
      stop()
      if (error.failure === 'unavailable') this.stop = deps.clock.setTimer(deps.retryMs, () => this.open())
      else {
        this.close()
        watcher.ended(error)
      }
    }
    const heard = (): void => {
      expected()
      expected = expectMore()
    }
    let expected = expectMore()
    const closeStream = openStream(deps, this.told, {
      changed: (events, revision) => {
        heard()
        this.told = revision
        watcher.changed(events, revision)
      },
      progressed: (revision) => {
        heard()
        this.told = revision
        watcher.progressed(revision)
      },
      ended: end,
    })
    const stop = (): void => {
      isOpen = false
      expected()
      closeStream()
    }
    this.stop = stop
  }
}
