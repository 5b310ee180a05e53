/** The way to one peer that this node dials: attempts with pauses that grow, until there is a link, and again when it ends. */
import type { PeerNode } from '@rollcall/core'
import { dialHandshake, type LinkIdentity } from './handshake.js'
import type { ResolvedPeerOptions } from './options.js'
import type { RefusalLines } from './refusal-lines.js'
import type { DialPeer, LinkClock, PeerSocket, PeerSocketEvents } from './sockets.js'
import { runHandshake } from './strangers.js'

/** Chance, as links need it. */
export interface PeerRandom {
  /** A fraction in [0, 1). */
  fraction(): number
  /** What cannot be guessed: 64 hex digits. */
  secret(): string
}

export interface DiallingDeps {
  readonly clock: LinkClock
  readonly random: PeerRandom
  readonly dial: DialPeer
  readonly refused: RefusalLines
}

/** A link that stood for so long was none of a series of failures. */
const STEADY_MS = 10_000

/** Keeps dialling one peer. */
export class Dialling {
  private readonly deps: DiallingDeps
  private readonly options: ResolvedPeerOptions
  private readonly me: LinkIdentity
  private readonly peer: PeerNode
  private readonly linked: (socket: PeerSocket) => PeerSocketEvents
  private failures = 0
  private linkedAt = 0
  private cancel: () => void = () => {}

  constructor(
    deps: DiallingDeps,
    options: ResolvedPeerOptions,
    me: LinkIdentity,
    peer: PeerNode,
    linked: (socket: PeerSocket) => PeerSocketEvents,
  ) {
    this.deps = deps
    this.options = options
    this.me = me
    this.peer = peer
    this.linked = linked
    this.attempt()
  }

  /** The link that came of it has ended. */
  ended(): void {
    if (this.deps.clock.now() - this.linkedAt >= STEADY_MS) this.failures = 0
    this.again()
  }

  /** Dials no more; a link that stands is not touched. */
  close(): void {
    this.cancel()
    this.cancel = () => {}
  }

  private attempt(): void {
    this.cancel = this.deps.dial(this.peer.address, {
      opened: (socket) => this.greet(socket),
      failed: (reason) => this.failed('no connection', reason),
    })
  }

  private greet(socket: PeerSocket): PeerSocketEvents {
    const { clock, random } = this.deps
    const handshake = dialHandshake(this.me, this.peer, random.secret())
    const run = runHandshake(clock, this.options.handshakeMs, socket, handshake, {
      linked: () => {
        this.linkedAt = clock.now()
        this.cancel = () => {}
        return this.linked(socket)
      },
      failed: (reason) => this.failed(reason),
    })
    this.cancel = () => run.cancel()
    return run.events
  }

  private failed(reason: string, detail?: string): void {
    // One that joins, or is about to be gone, does not know this node for a moment.
    if (this.failures > 2) {
      const { node, address } = this.peer
      this.deps.refused(reason, { node, address, detail })
    }
    this.again()
  }

  private again(): void {
    const { retryMsMin, retryMsMax } = this.options
    const pauseMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(this.failures, 16))
    this.failures++
    this.cancel = this.deps.clock.setTimer(pauseMs * (0.5 + this.deps.random.fraction() / 2), () =>
      this.attempt(),
    )
  }
}
