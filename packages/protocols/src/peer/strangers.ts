/** Connections whose other side has not proven anything yet: few, and for a short time. */
import type { PeerNode } from '@rollcall/core'
import { PEER_CLOSE_CODES } from './errors.js'
import type { Handshake, HandshakeFault } from './handshake.js'
import type { LinkClock, PeerSocket, PeerSocketEvents } from './sockets.js'

/** How a handshake ends. */
export interface HandshakeOutcome {
  /** From here on the socket's events go to what is returned. */
  linked(peer: PeerNode): PeerSocketEvents
  /** `fault` undefined: the connection ended, or time was up. */
  failed(reason: HandshakeFault | 'connection ended' | 'out of time', node?: string): void
}

/** Runs one side of a handshake on a socket. `cancel` ends it without an outcome. */
export function runHandshake(
  clock: LinkClock,
  timeoutMs: number,
  socket: PeerSocket,
  handshake: Handshake,
  outcome: HandshakeOutcome,
): { readonly events: PeerSocketEvents; cancel(): void } {
  let link: PeerSocketEvents | undefined
  let over = false
  const end = (tell: () => void): void => {
    if (over) return
    over = true
    cancelTimer()
    tell()
  }
  const cancelTimer = clock.setTimer(timeoutMs, () =>
    end(() => {
      socket.destroy()
      outcome.failed('out of time')
    }),
  )
  const events: PeerSocketEvents = {
    received(text) {
      if (link !== undefined) return link.received(text)
      if (over) return
      const step = handshake.receive(text)
      switch (step.kind) {
        case 'reply':
          return socket.send(step.text)
        case 'refused':
          return end(() => {
            // No reason: a stranger learns nothing.
            socket.close(PEER_CLOSE_CODES.refused, '')
            outcome.failed(step.fault, step.node)
          })
        case 'linked':
          return end(() => {
            if (step.reply !== undefined) socket.send(step.reply)
            link = outcome.linked(step.peer)
          })
      }
    },
    drained: () => link?.drained(),
    closed(code, reason) {
      if (link !== undefined) link.closed(code, reason)
      else end(() => outcome.failed('connection ended'))
    },
  }
  return { events, cancel: () => end(() => socket.destroy()) }
}
