/** A watch over a line: the server's side, which sends what happens, and the node's, which misses it when nothing comes. */
import { EngineError, type EngineSubscription, type EngineWatcher } from '@rollcall/core'
import type { StoreLine } from './line.js'
import type { MemoryStore } from './store.js'

export interface WatchDeps {
  readonly store: MemoryStore
  readonly line: StoreLine
  /** Rejects what the node has joined no longer. Throws EngineError. */
  readonly verify: () => void
  /** Every so often the watch says how far it is; the returned function ends that. */
  readonly every: (run: () => void) => () => void
}

/** Events in one message. */
const EVENTS_MAX = 1_000
/** Messages on their way; past that the server waits with what it has. */
const MESSAGES_MAX = 16

export class MemoryWatch implements EngineSubscription {
  private readonly deps: WatchDeps
  private readonly watcher: EngineWatcher
  private readonly left: () => void
  /** How far the server has sent. */
  private sent: number
  /** In the order in which they were sent, which is the one in which they arrive. */
  private readonly messages: (() => void)[] = []
  private over = false
  private isFinal = false
  private stopListening: () => void = () => {}
  private stopTelling: () => void = () => {}
  private takeBack: () => void
  private heard: () => void

  /** `left` is called when the watch is over. */
  constructor(deps: WatchDeps, revision: number, watcher: EngineWatcher, left: () => void) {
    this.deps = deps
    this.watcher = watcher
    this.left = left
    this.sent = revision
    this.heard = this.expectMore()
    this.takeBack = deps.line.send(() => this.open())
  }

  close(): void {
    if (this.over) return
    this.over = true
    this.heard()
    this.takeBack()
    this.leave()
    this.left()
  }

  private open(): void {
    const { store } = this.deps
    if (!store.running) {
      this.sendEnd(new EngineError('unavailable', 'no member answers'))
      return
    }
    this.stopListening = store.listen({
      changed: () => this.sendMore(),
      replaced: () => this.check(),
      stopped: () => this.sendEnd(new EngineError('unavailable', 'the members have stopped')),
    })
    this.check()
    this.sendProgress()
    this.stopTelling = this.deps.every(() => this.sendProgress())
  }

  private check(): void {
    const { store, verify } = this.deps
    try {
      verify()
      if (store.revision < this.sent)
        throw new EngineError('epoch', `the store is at ${store.revision}, the watch at ${this.sent}`)
    } catch (error) {
      this.sendEnd(error as EngineError)
      return
    }
    this.sendMore()
  }

  private sendMore(): void {
    while (!this.isFinal && this.messages.length < MESSAGES_MAX) {
      const happened = this.deps.store.after(this.sent, EVENTS_MAX)
      if (happened === undefined) {
        this.sendEnd(new EngineError('compacted', `what follows ${this.sent} is compacted`))
        return
      }
      const { events, revision } = happened
      if (events.length === 0) return
      this.sent = revision
      this.send(() => this.watcher.changed(events, revision))
    }
  }

  private sendProgress(): void {
    this.sendMore()
    if (this.isFinal || this.messages.length >= MESSAGES_MAX) return
    const { revision } = this.deps.store
    this.sent = revision
    this.send(() => this.watcher.progressed(revision))
  }

  private sendEnd(error: EngineError): void {
    if (this.isFinal) return
    this.isFinal = true
    this.leave()
    this.send(() => this.end(error))
  }

  private send(message: () => void): void {
    this.messages.push(message)
    this.deps.line.send(() => {
      const next = this.messages.shift()
      if (this.over || next === undefined) return
      this.heard()
      this.heard = this.expectMore()
      next()
      this.sendMore()
    })
  }

  private leave(): void {
    this.stopListening()
    this.stopTelling()
  }

  /** Without another message the watch ends. */
  private expectMore(): () => void {
    return this.deps.line.expect((error) => this.end(error))
  }

  private end(error: EngineError): void {
    if (this.over) return
    this.close()
    this.watcher.ended(error)
  }
}
