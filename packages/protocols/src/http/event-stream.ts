/** Streams of server-sent events: bounded in number, each with head, comments and end. What they say is their feed's. */
import { type Clock, limitError, type Meter } from '@rollcall/core'
import { RegistryError } from '@rollcall/wire'
import type { Exchange } from './exchange.js'
import { createOutlet, type Outlet, type OutletOptions } from './outlet.js'
import type { Unsent } from './unsent.js'

/** Settings of the streams of one kind. */
export interface EventStreamsOptions extends OutletOptions {
  /** Most streams open at once. */
  readonly streamsMax: number
  /** Name of that limit, for the client that meets it. */
  readonly limit: string
  /** Interval of comments, so that proxies do not take a quiet stream for a dead one. */
  readonly commentMs: number
}

/** Fills one event stream. */
export interface EventFeed {
  /** Begins; the head was sent. What it throws ends the connection, and the client comes back. */
  start(): void
  /** More is unsent than may be. */
  stalled(): void
  /** Everything was sent. */
  drained(): void
  /** The stream has ended. Called once. */
  ended(): void
}

const COMMENT = bodyChunk(': still here\n\n')
/** EventSource waits this long before it comes back. */
const HEAD = bodyChunk('retry: 1000\n\n')

/** One chunk of a chunked body. */
export function bodyChunk(...parts: readonly (string | Buffer)[]): Buffer {
  const payload = parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))
  const length = payload.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Buffer.from(`${length.toString(16)}\r\n`), ...payload, Buffer.from('\r\n')])
}

interface Stream {
  readonly outlet: Outlet
  end(): void
}

/** The open event streams of one kind. */
export class EventStreams {
  private readonly clock: Clock
  private readonly unsent: Unsent
  private readonly meter: Meter
  private readonly options: EventStreamsOptions
  private readonly counted: (size: number) => void
  private readonly streams = new Set<Stream>()

  /** `counted` is told the number of streams whenever it changes. */
  constructor(
    { clock, unsent, meter }: { readonly clock: Clock; readonly unsent: Unsent; readonly meter: Meter },
    options: EventStreamsOptions,
    counted: (size: number) => void = () => {},
  ) {
    this.clock = clock
    this.unsent = unsent
    this.meter = meter
    this.options = options
    this.counted = counted
  }

  get size(): number {
    return this.streams.size
  }

  /** Answers with a stream that `feed` fills. Throws, with nothing sent, when there can be none. */
  open(exchange: Exchange, feed: (outlet: Outlet) => EventFeed): void {
    const { streamsMax, limit } = this.options
    const { req, res } = exchange
    const { socket } = res
    if (req.httpVersion === '1.0') throw new RegistryError('protocol', 'an event stream needs HTTP/1.1')
    // Pipelined behind an answer that is not finished: the connection is not ours to write to.
    if (socket === null)
      throw new RegistryError('protocol', 'open an event stream on a connection of its own')
    if (this.streams.size >= streamsMax) {
      const message = 'the node has as many streams of this kind as it may'
      throw limitError(this.meter, { quota: limit, max: streamsMax, over: 'node', message })
    }
    exchange.opened(200)
    res.writeHead(200, [
      'Content-Type', 'text/event-stream; charset=utf-8',
      'Cache-Control', 'no-store',
      'Transfer-Encoding', 'chunked',
      'X-Accel-Buffering', 'no',
    ]) // prettier-ignore
    res.flushHeaders()
    const account = { unsent: this.unsent, peer: exchange.caller.peer }
    const outlet = createOutlet(socket, this.clock, this.options, account, {
      stalled: () => source.stalled(),
      drained: () => source.drained(),
      expired: () => void socket.destroy(),
    })
    const source = feed(outlet)
    this.keep(exchange, outlet, source)
    outlet.write(HEAD)
    try {
      source.start()
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  /** Ends all of them; clients come back by themselves, here or elsewhere. */
  close(): void {
    for (const stream of this.streams) stream.end()
  }

  private keep({ res }: Exchange, outlet: Outlet, source: EventFeed): void {
    const { clock, streams, options } = this
    const comment = (): void => {
      // On top of a full buffer a comment would keep nothing alive.
      if (!outlet.stalled) outlet.write(COMMENT)
      cancelComment = clock.setTimer(options.commentMs, comment)
    }
    let cancelComment = clock.setTimer(options.commentMs, comment)
    const stream: Stream = {
      outlet,
      end: () => void (outlet.stalled ? res.destroy() : res.end()),
    }
    streams.add(stream)
    this.counted(streams.size)
    res.once('close', () => {
      cancelComment()
      outlet.close()
      source.ended()
      streams.delete(stream)
      this.counted(streams.size)
    })
  }
}
