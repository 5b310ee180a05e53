/** One stream of a watch over a line: the server's side, which sends what happens in its order. */
import { EngineError, type EngineWatcher } from '@rollcall/core'
import type { StoreLine } from './line.js'
import type { MemoryStore } from './store.js'

export interface StreamDeps {
  readonly store: MemoryStore
  readonly line: StoreLine
  /** Rejects a store that is not the one that the node has joined. Throws EngineError. */
  readonly verify: () => void
  /** Every so often the stream says how far it is; the returned function ends that. */
  readonly every: (run: () => void) => () => void
}

/** Events in one message. */
const EVENTS_MAX = 1_000
/** Messages on their way; past that the server waits with what it has. */
const MESSAGES_MAX = 16

/** Tells what follows a revision until it has told its end, or the returned function is called. */
export function openStream(deps: StreamDeps, revision: number, receiver: EngineWatcher): () => void {
  const stream = new ServerStream(deps, revision, receiver)
  const takeBack = deps.line.send(() => stream.open())
  return () => {
    takeBack()
    stream.close()
  }
}

class ServerStream {
  private readonly deps: StreamDeps
  private readonly receiver: EngineWatcher
  /** How far is sent. */
  private sent: number
  /** In the order in which they were sent, which is the one in which they arrive. */
  private readonly messages: (() => void)[] = []
  private over = false
  private isFinal = false
  private leave: () => void = () => {}

  constructor(deps: StreamDeps, revision: number, receiver: EngineWatcher) {
    this.deps = deps
    this.receiver = receiver
    this.sent = revision
  }

  open(): void {
    const { store, every } = this.deps
    if (!store.running) {
      this.sendEnd(new EngineError('unavailable', 'no member answers'))
      return
    }
    const stopListening = store.listen({
      changed: () => this.sendMore(),
      replaced: () => this.check(),
      stopped: () => this.sendEnd(new EngineError('unavailable', 'the members have stopped')),
    })
    const stopTelling = every(() => this.sendProgress())
    this.leave = () => {
      stopListening()
      stopTelling()
    }
    this.check()
    this.sendProgress()
  }

  close(): void {
    this.over = true
    this.leave()
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
      this.send(() => this.receiver.changed(events, revision))
    }
  }

  private sendProgress(): void {
    this.sendMore()
    if (this.isFinal || this.messages.length >= MESSAGES_MAX) return
    const { revision } = this.deps.store
    this.sent = revision
    this.send(() => this.receiver.progressed(revision))
  }

  private sendEnd(error: EngineError): void {
    if (this.isFinal) return
    this.isFinal = true
    this.leave()
    this.send(() => this.receiver.ended(error))
  }

  private send(message: () => void): void {
    this.messages.push(message)
    this.deps.line.send(() => {
      const next = this.messages.shift()
      if (this.over || next === undefined) return
      next()
      if (!this.over) this.sendMore()
    })
  }
}
