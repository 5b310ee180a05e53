/** The sockets of links between nodes, over the simulated network. */
import type { DialPeer, PeerSocket, PeerSocketEvents } from '@rollcall/protocols/peer'
import type { Network } from './network.js'
import type { SimProcess } from './process.js'
import type { StreamEnd } from './stream.js'

/** Where a node accepts its peers: another port than that of clients, so that either way can be cut alone. */
export const PEER_PORT = 7_401

/** Dials the nodes of the cluster. */
export function createSimDialler(process: SimProcess, network: Network): DialPeer {
  return (address, outcome) => {
    const host = address.slice(0, address.indexOf(':'))
    let given = false
    let events: PeerSocketEvents | undefined
    const end = network.dial(process, host, PEER_PORT, {
      opened() {
        if (!given) events = outcome.opened(socketOf(end, () => events))
      },
      message: (text) => events?.received(text),
      closed(code, reason) {
        if (events !== undefined) return events.closed(code ?? 1_006, reason)
        giveUp()
        if (!given) outcome.failed(reason)
        given = true
      },
      drained: () => events?.drained(),
    })
    const giveUp = process.clock.setTimer(CONNECT_MS, () => {
      if (events !== undefined || given) return
      given = true
      end.close(undefined, 'given up')
      outcome.failed('no answer')
    })
    return () => {
      giveUp()
      given = true
      if (events === undefined) end.close(undefined, 'given up')
    }
  }
}

const CONNECT_MS = 3_000

/** Takes over the connection of a peer. */
export function acceptPeer(end: StreamEnd, opened: (socket: PeerSocket) => PeerSocketEvents): void {
  // Before anything that is said to the peer.
  end.accepted()
  const events = opened(socketOf(end, () => events))
  end.listener = {
    message: (text) => events.received(text),
    closed: (code, reason) => events.closed(code ?? 1_006, reason),
    drained: () => events.drained(),
  }
}

function socketOf(end: StreamEnd, events: () => PeerSocketEvents | undefined): PeerSocket {
  const over = (code: number, reason: string): void => {
    if (!end.open) return
    end.close(code, reason)
    // This end hears of it as well, later.
    end.process.clock.soon(() => events()?.closed(code, reason))
  }
  return {
    // What was not read yet: nothing here takes time to be sent.
    unsentBytes: 0,
    send: (text) => end.send(text),
    pause() {},
    resume() {},
    close: over,
    destroy: () => over(1_006, ''),
  }
}
