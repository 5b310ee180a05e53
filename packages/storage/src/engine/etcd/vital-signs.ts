/** Whether the other end of a connection lives: a half-open socket says nothing, and so does a process that stands still. */
import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Clock } from '@rollcall/core'
import type { EtcdTiming } from './options.js'

/**
 * Pings a connection that says nothing while calls wait, and calls `silent` once if not even that is answered. The last look
 * comes after the sockets had their turn, so that a stall of this process is not taken for the silence of the other.
 */
export function watchConnection(
  session: ClientHttp2Session,
  socket: Socket,
  clock: Clock,
  timing: Pick<EtcdTiming, 'quietMs' | 'pingMs'>,
  hooks: { readonly inUse: () => boolean; readonly silent: () => void },
): void {
  let heard = -1
  let pinged = false
  let lastPing = -Infinity
  let cancel = (): void => {}
  const unheard = (): boolean => {
    if (socket.bytesRead === heard) return true
    heard = socket.bytesRead
    pinged = false
    return false
  }
  const look = (): void => {
    cancel = clock.setTimer(timing.quietMs, look)
    if (!unheard()) return
    if (pinged) {
      cancel()
      cancel = clock.setTimer(0, () => (unheard() ? hooks.silent() : look()))
      return
    }
    // The server counts pings of a connection without calls as abuse, and those that come too often.
    if (!hooks.inUse() || clock.now() - lastPing < timing.pingMs) return
    pinged = true
    lastPing = clock.now()
    if (!session.destroyed) session.ping(() => {})
  }
  look()
  socket.on('close', () => cancel())
}
