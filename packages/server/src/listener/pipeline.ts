/**
 * One request under way per connection. Node hands over every request that it finds in one read of the socket; RFC 9112
 * section 9.3.2 lets a server answer them one after the other. Those that wait cost what they are in bytes, and go with
 * their connection. Reading goes on meanwhile, because only a reader learns that a connection is gone: so what may wait
 * is bounded below the size at which Node stops to read.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Clock, limitRefusal, type Meter, type RefusalLog } from '@rollcall/core'
import { refusePipelined } from './client-faults.js'

/**
 * Most requests that wait on one connection; the next is refused, and ends it. As many again, and it is cut off at once,
 * because Node holds every request that it has read. Programs that pipeline send tens.
 */
const WAITING_MAX = 128
/** Most bytes of them, heads and bodies. Node stops to read when it holds this much of a body. */
const WAITING_BYTES_MAX = 16_384

/** Handles a request. */
type Serve = (request: IncomingMessage, response: ServerResponse) => void

/** The requests of all connections of a server. */
export interface Pipeline {
  /** Serves a request: at once, or when the answers before it on its connection are finished. */
  take(request: IncomingMessage, response: ServerResponse): void
  /** The answer that is under way on a connection. */
  underWay(socket: Duplex): ServerResponse | undefined
}

interface Line {
  current: ServerResponse | undefined
  waiting: { readonly request: IncomingMessage; readonly response: ServerResponse }[]
  waitingBytes: number
  /** Requests that were refused, and those that came after: they are not looked at. */
  refused: number
  /** Hears that an answer is over. One for all of them: to make it anew would be a good part of what a beat costs. */
  readonly finished: () => void
}

export interface PipelineDeps {
  readonly clock: Clock
  readonly meter: Meter
  readonly refusals: RefusalLog
}

export function createPipeline(deps: PipelineDeps, serve: Serve): Pipeline {
  const { clock } = deps
  const lines = new WeakMap<Duplex, Line>()
  const begin = (line: Line, request: IncomingMessage, response: ServerResponse): void => {
    line.current = response
    response.on('close', line.finished)
    serve(request, response)
  }
  const next = (line: Line): void => {
    line.current = undefined
    const first = line.waiting.shift()
    // Also after an answer that ends its connection.
    if (first === undefined || !first.request.socket.writable) return
    line.waitingBytes -= sizeOf(first.request)
    begin(line, first.request, first.response)
  }
  const createLine = (socket: Duplex): Line => {
    const line: Line = {
      current: undefined,
      waiting: [],
      waitingBytes: 0,
      refused: 0,
      finished: () => {
        if (line.waiting.length === 0) line.current = undefined
        // One client with many requests takes turns with the others.
        else clock.setTimer(0, () => next(line))
      },
    }
    socket.once('close', () => (line.waiting = []))
    lines.set(socket, line)
    return line
  }
  return {
    take(request, response) {
      const { socket } = request
      const line = lines.get(socket) ?? createLine(socket)
      if (line.refused > 0) return refuse(deps, line, request, response)
      if (line.current === undefined) return begin(line, request, response)
      line.waitingBytes += sizeOf(request)
      if (line.waiting.length >= WAITING_MAX || line.waitingBytes > WAITING_BYTES_MAX)
        return refuse(deps, line, request, response)
      line.waiting.push({ request, response })
    },
    underWay: (socket) => lines.get(socket)?.current,
  }
}

function refuse(
  { meter, refusals }: PipelineDeps,
  line: Line,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  // Its body is read and dropped: a connection that is not read from would not be seen to end.
  request.resume()
  line.refused++
  if (line.refused === 1) {
    const message = 'too much was sent ahead of the answers'
    const limit = { quota: 'pipelinedMax', max: WAITING_MAX, over: 'connection', message } as const
    const error = limitRefusal(meter, limit)
    refusals.note(error, request.socket.remoteAddress)
    // Node keeps the answer until those before it are sent.
    refusePipelined(response, error)
  } else if (line.refused > WAITING_MAX) request.socket.destroy()
}

/** What a request holds while it waits. A body of no stated length may be of any. */
function sizeOf({ url = '', rawHeaders, headers }: IncomingMessage): number {
  if (headers['transfer-encoding'] !== undefined) return Infinity
  const head = rawHeaders.reduce((sum, text) => sum + text.length, url.length)
  return head + Number(headers['content-length'] ?? 0)
}
