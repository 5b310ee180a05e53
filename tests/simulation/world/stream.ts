/** Streams over the simulated network. */
import type { Network } from './network.js'
import type { SimProcess } from './process.js'

/** What happens at one end of a stream. `closed` comes at most once, and last. */
export interface StreamListener {
  opened?(): void
  message(text: string): void
  closed(code: number | undefined, reason: string): void
  /** Everything sent was read by the other side. */
  drained?(): void
}

type Segment =
  | { readonly kind: 'open' }
  | { readonly kind: 'data'; readonly text: string }
  | { readonly kind: 'close'; readonly code?: number; readonly reason: string }

/** Makes both ends of a stream; the server's end has no owner yet. */
export function connectStream(
  network: Network,
  client: SimProcess,
  listener: StreamListener,
): [client: StreamEnd, server: StreamEnd] {
  const ends: [StreamEnd, StreamEnd] = [new StreamEnd(network, client), new StreamEnd(network, client)]
  ends[0].peer = ends[1]
  ends[1].peer = ends[0]
  ends[0].listener = listener
  network.ends.add(ends[0])
  return ends
}

/** One end of a TCP-like stream: ordered, delayed, held up by cuts, never losing the middle of what was sent. */
export class StreamEnd {
  process: SimProcess
  life: number
  peer!: StreamEnd
  listener: StreamListener | undefined
  open = true
  /** The SYN was answered. */
  met = false
  /** Something on the way has forgotten the connection: nothing passes any more, in either direction. */
  forgotten = false
  /** Bytes sent and not yet read by the other process. */
  unreadBytes = 0
  private readonly network: Network
  private sending: Segment[] = []
  private received: Segment[] = []
  private lastAt = 0
  private stuck = false

  constructor(network: Network, process: SimProcess) {
    this.network = network
    this.process = process
    this.life = process.life
  }

  /** The kernel of the server has accepted. */
  attach(process: SimProcess): void {
    this.process = process
    this.life = process.life
    this.met = true
    this.network.ends.add(this)
  }

  /** The server's process has taken the connection over. */
  accepted(): void {
    this.push({ kind: 'open' })
  }

  send(text: string): void {
    if (!this.open) return
    this.unreadBytes += text.length
    this.push({ kind: 'data', text })
  }

  /** Says goodbye after what was sent before. This end hears nothing more. */
  close(code: number | undefined, reason: string): void {
    if (!this.open) return
    this.shut()
    if (this.met) this.push({ kind: 'close', reason, ...(code === undefined ? {} : { code }) })
  }

  /** The process is gone: the kernel ends the stream in order, or resets it at once. */
  die(orderly: boolean): void {
    this.shut()
    if (!orderly) {
      this.sending = []
      const { host } = this.process
      const other = this.peer.process.host
      // A reset is one packet, which is not repeated.
      if (this.network.blocked(host, other)) return
    }
    this.push({ kind: 'close', reason: 'connection lost' })
  }

  /** Something on the way ends the connection for both sides. */
  reset(): void {
    for (const end of [this, this.peer]) {
      end.sending = []
      end.forgotten = true
      end.interrupted(this.network.latency(end.process.host, end.peer.process.host))
    }
  }

  /** No process listened. */
  refused(afterMs: number): void {
    this.interrupted(afterMs)
  }

  /** The way is free again: what waits is sent anew within `withinMs`. */
  retry(withinMs: number): void {
    if (!this.stuck) return
    this.stuck = false
    const { queue } = this.network
    queue.after(this.network.latency(this.process.host, this.peer.process.host) + withinMs, () => {
      while (this.sending.length > 0 && !this.stuck && !this.forgotten) this.arrive()
    })
  }

  private interrupted(afterMs: number): void {
    this.network.queue.after(afterMs, () => {
      if (!this.open) return
      this.received.push({ kind: 'close', reason: 'connection reset' })
      this.wake()
    })
  }

  private push(segment: Segment): void {
    this.sending.push(segment)
    const { queue } = this.network
    const latency = this.network.latency(this.process.host, this.peer.process.host)
    this.lastAt = Math.max(this.lastAt, queue.now + latency)
    queue.at(this.lastAt, () => this.arrive())
  }

  private arrive(): void {
    const { peer, network } = this
    if (this.stuck || this.forgotten || this.sending.length === 0) return
    if (network.blocked(this.process.host, peer.process.host)) {
      this.stuck = true
      return
    }
    const segment = this.sending.shift() as Segment
    if (peer.open && peer.process.life === peer.life) {
      peer.received.push(segment)
      peer.wake()
    } else if (
      segment.kind === 'data' &&
      this.open &&
      !network.blocked(peer.process.host, this.process.host)
    ) {
      // This connection is not known there any more.
      this.interrupted(network.latency(peer.process.host, this.process.host))
    }
  }

  private wake(): void {
    if (this.process.life === this.life) this.process.deliver(() => this.read())
  }

  private read(): void {
    const segment = this.received.shift()
    if (segment === undefined || !this.open) return
    if (segment.kind === 'data') {
      this.peer.wasRead(segment.text.length)
      this.listener?.message(segment.text)
    } else if (segment.kind === 'open') {
      this.listener?.opened?.()
    } else {
      this.shut()
      this.listener?.closed(segment.code, segment.reason)
    }
  }

  private wasRead(bytes: number): void {
    this.unreadBytes -= bytes
    if (this.unreadBytes > 0 || !this.open || this.listener?.drained === undefined) return
    if (this.process.life === this.life) this.process.deliver(() => this.listener?.drained?.())
  }

  private shut(): void {
    this.open = false
    this.network.ends.delete(this)
  }
}
