/** One TCP connection of a DNS client: queries one after the other, each answered in its turn. */
import type { Socket } from 'node:net'
import type { Clock } from '@rollcall/core'
import type { MessageAnswers } from './answers.js'
import { framed, Frames } from './frames.js'

export interface DnsStreamDeps {
  readonly dns: MessageAnswers
  readonly clock: Clock
  /** Called with each whole query. */
  readonly asked: () => void
}

export interface StreamBounds {
  /** How long a client may take for a query, or to read what it asked for. */
  readonly idleMs: number
  /** Longest query. A name and some options; more is no question. */
  readonly queryBytesMax: number
  /** Answers that a client has not read, beyond which no more of its queries are. */
  readonly unsentBytesMax: number
  /** Queries of one connection that are answered before the others have their turn, and how long that may take. */
  readonly turnQueriesMax: number
  readonly turnMsMax: number
}

/** Answers what comes over a socket until its client ends it, stands still or sends what is no DNS. */
export function serveStream(socket: Socket, deps: DnsStreamDeps, bounds: StreamBounds): void {
  const stream = new Stream(socket, deps, bounds)
  socket.setNoDelay(true)
  socket.on('data', (piece) => stream.received(piece))
  socket.on('drain', () => stream.drained())
  socket.on('end', () => stream.ended())
  // A client that is gone: 'close' follows.
  socket.on('error', () => {})
  socket.on('close', () => stream.closed())
}

class Stream {
  private readonly socket: Socket
  private readonly deps: DnsStreamDeps
  private readonly bounds: StreamBounds
  private readonly frames: Frames
  private readonly idle: IdleWatch
  /** Its client asks no more. */
  private isLast = false
  /** A query waits for its answer, and those behind it. */
  private waits = false
  /** A turn is due, in which what was received is answered. */
  private due = false
  private cancelTurn = (): void => {}

  constructor(socket: Socket, deps: DnsStreamDeps, bounds: StreamBounds) {
    this.socket = socket
    this.deps = deps
    this.bounds = bounds
    this.frames = new Frames(bounds.queryBytesMax)
    this.idle = watchIdle(deps.clock, bounds.idleMs, () => socket.destroy())
  }

  received(piece: Buffer): void {
    this.frames.push(piece)
    if (!this.due) this.turn()
  }

  drained(): void {
    this.idle.moved()
    this.later()
  }

  ended(): void {
    this.isLast = true
    if (!this.due) this.turn()
  }

  closed(): void {
    this.cancelTurn()
    this.idle.cancel()
  }

  /** True when all that was received has been answered, as far as it is whole. */
  private answerSome(): boolean {
    const { socket, deps, bounds, idle, frames } = this
    const until = deps.clock.now() + bounds.turnMsMax
    for (let answered = 0; answered < bounds.turnQueriesMax; answered++) {
      if (socket.writableLength > bounds.unsentBytesMax) return false
      const message = frames.next()
      if (message === undefined) return true
      if (message === 'tooLong') {
        socket.destroy()
        return true
      }
      idle.moved()
      deps.asked()
      const answer = deps.dns.answer(message, 'tcp', socket.remoteAddress)
      if (answer instanceof Promise) {
        this.waits = true
        void answer.then((later) => this.goOn(later))
        return false
      }
      if (answer !== undefined) socket.write(framed(answer))
      if (deps.clock.now() >= until) return false
    }
    return false
  }

  /** Sends an answer that came later, and reads on. */
  private goOn(answer: Buffer | undefined): void {
    this.waits = false
    if (this.socket.destroyed) return
    this.idle.moved()
    if (answer !== undefined) this.socket.write(framed(answer))
    this.later()
  }

  private turn(): void {
    const { socket, bounds } = this
    this.due = false
    if (socket.destroyed || this.waits) return
    if (this.answerSome()) {
      if (this.isLast) socket.end()
      else socket.resume()
      return
    }
    socket.pause()
    // Otherwise it goes on when the answer is there, or the client has read.
    if (!this.waits && socket.writableLength <= bounds.unsentBytesMax) this.later()
  }

  private later(): void {
    if (this.due) return
    this.due = true
    this.cancelTurn = this.deps.clock.setTimer(0, () => this.turn())
  }
}

interface IdleWatch {
  moved(): void
  cancel(): void
}

/** Calls `end` when nothing has moved for so long. */
function watchIdle(clock: Clock, idleMs: number, end: () => void): IdleWatch {
  let movedAt = clock.now()
  let cancel = (): void => {}
  const watch = (): void => {
    const leftMs = movedAt + idleMs - clock.now()
    if (leftMs <= 0) end()
    else cancel = clock.setTimer(leftMs, watch)
  }
  watch()
  return {
    moved: () => {
      movedAt = clock.now()
    },
    cancel: () => cancel(),
  }
}
