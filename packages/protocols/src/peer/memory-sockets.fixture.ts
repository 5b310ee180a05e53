/** Sockets of links in memory, by a clock of the test: each frame arrives after a while, in order, unless the line is cut. */
import type { DialPeer, PeerSocket, PeerSocketEvents } from './sockets.js'

interface TestClock {
  now(): number
  setTimer(delayMs: number, callback: () => void): () => void
}

/** One end of a connection. */
class MemorySocket implements PeerSocket {
  events: PeerSocketEvents | undefined
  other: MemorySocket | undefined
  unsentBytes = 0
  paused = false
  closed = false
  readonly sent: string[] = []
  private held: string[] = []
  private readonly network: MemoryNetwork

  constructor(network: MemoryNetwork) {
    this.network = network
  }

  send(text: string): void {
    if (this.closed) return
    this.sent.push(text)
    this.unsentBytes += text.length
    this.network.after(() => {
      if (this.closed || this.network.cut) return
      if (this.network.stuck || this.other?.paused === true) this.held.push(text)
      else this.deliver(text)
    })
  }

  /** What the other side did not take is delivered now. */
  flush(): void {
    const held = this.held
    this.held = []
    for (const text of held) this.deliver(text)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.other?.flush()
  }

  close(code: number, reason: string): void {
    this.end(code, reason)
  }

  destroy(): void {
    this.end(1006, '')
  }

  private deliver(text: string): void {
    this.unsentBytes -= text.length
    this.other?.events?.received(text)
    this.events?.drained()
  }

  private end(code: number, reason: string): void {
    if (this.closed) return
    this.closed = true
    this.network.after(() => {
      this.events?.closed(code, reason)
      const { other } = this
      if (other === undefined || other.closed || this.network.cut) return
      other.closed = true
      other.events?.closed(code, reason)
    })
  }
}

/** Nodes by their addresses, and all connections between them. */
export class MemoryNetwork {
  /** Nothing arrives, and nothing ends either: half-open. */
  cut = false
  /** Everything is held until it is flushed: a slow peer. */
  stuck = false
  delayMs = 1
  readonly connections: { readonly dialler: MemorySocket; readonly accepter: MemorySocket }[] = []
  private readonly accepters = new Map<string, (socket: PeerSocket) => PeerSocketEvents>()
  private readonly clock: TestClock

  constructor(clock: TestClock) {
    this.clock = clock
  }

  after(run: () => void): void {
    this.clock.setTimer(this.delayMs, run)
  }

  listen(address: string, accept: (socket: PeerSocket) => PeerSocketEvents): void {
    this.accepters.set(address, accept)
  }

  readonly dial: DialPeer = (address, outcome) => {
    let given = false
    this.after(() => {
      if (given) return
      const accept = this.accepters.get(address)
      if (accept === undefined || this.cut) return outcome.failed('refused')
      const { dialler, accepter } = this.pair()
      dialler.events = outcome.opened(dialler)
      accepter.events = accept(accepter)
    })
    return () => {
      given = true
    }
  }

  /** A connection whose dialling end is the test's. */
  connect(address: string): MemorySocket {
    const { dialler, accepter } = this.pair()
    accepter.events = this.accepters.get(address)?.(accepter)
    return dialler
  }

  private pair(): { readonly dialler: MemorySocket; readonly accepter: MemorySocket } {
    const pair = { dialler: new MemorySocket(this), accepter: new MemorySocket(this) }
    pair.dialler.other = pair.accepter
    pair.accepter.other = pair.dialler
    this.connections.push(pair)
    return pair
  }
}
