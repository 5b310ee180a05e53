/** One TCP connection of a DNS client: queries one after the other, each answered in its turn. */
import type { Socket } from 'node:net'
import type { Clock } from '@rollcall/core'
import type { MessageAnswers } from './answers.js'
import { framed, Frames } from './frames.js'

export interface DnsStreamDeps {
  readonly dns: MessageAnswers
  readonly clock: Clock
}

export interface StreamBounds {
  /** How long a client may take for a query, or to read what it asked for. */
  readonly idleMs: number
  /** Longest query. A name and some options; more is no question. */
  readonly queryBytesMax: number
  /** Answers that a client has not read, beyond which no more of its queries are. */
  readonly unsentBytesMax: number
  /** Queries of one connection that are answered before the others have their turn. */
  readonly turnQueriesMax: number
}

/** Answers what comes over a socket until its client ends it, stands still or sends what is no DNS. */
export function serveStream(socket: Socket, { dns, clock }: DnsStreamDeps, bounds: StreamBounds): void {
  const { remoteAddress } = socket
  const frames = new Frames(bounds.queryBytesMax)
  const idle = watchIdle(clock, bounds.idleMs, () => socket.destroy())
  let ended = false
  // Whether a turn is due, in which what was received is answered.
  let due = false
  let cancelTurn = (): void => {}

  /** True when all that was received has been answered, as far as it is whole. */
  function answerSome(): boolean {
    for (let answered = 0; answered < bounds.turnQueriesMax; answered++) {
      if (socket.writableLength > bounds.unsentBytesMax) return false
      const message = frames.next()
      if (message === undefined) return true
      if (message === 'tooLong') {
        socket.destroy()
        return true
      }
      idle.moved()
      const answer = dns.answer(message, 'tcp', remoteAddress)
      if (answer !== undefined) socket.write(framed(answer))
    }
    return false
  }

  function turn(): void {
    due = false
    if (socket.destroyed) return
    if (answerSome()) {
      if (ended) socket.end()
      else socket.resume()
      return
    }
    socket.pause()
    // Otherwise it goes on when the client has read.
    if (socket.writableLength <= bounds.unsentBytesMax) later()
  }

  function later(): void {
    if (due) return
    due = true
    cancelTurn = clock.setTimer(0, turn)
  }

  socket.setNoDelay(true)
  socket.on('data', (piece) => {
    frames.push(piece)
    if (!due) turn()
  })
  socket.on('drain', () => {
    idle.moved()
    later()
  })
  socket.on('end', () => {
    ended = true
    if (!due) turn()
  })
  // A client that is gone: 'close' follows.
  socket.on('error', () => {})
  socket.on('close', () => {
    cancelTurn()
    idle.cancel()
  })
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
