/** One HTTP request and its answer: bounded bodies, JSON out, errors in the adapter's words, figures. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller, Clock, Logger, Meter, RefusalLog } from '@rollcall/core'
import { isRegistryError, RegistryError } from '@rollcall/wire'
import type { HttpBudgets } from './budgets.js'
import { Chunks } from './chunks.js'
import { callerOf } from './caller.js'
import { toErrorBody, type ErrorWriter } from './errors.js'
import type { RequestHeaders } from './headers.js'
import { parseJson } from './json.js'
import { countBody } from './received.js'
import { chunksOf, piecesOf, sendLast, transmit, type Piece } from './transmit.js'
import { SHORT_BYTES, type Unsent } from './unsent.js'

/** What answering needs. */
export interface HttpDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  readonly refusals: RefusalLog
  readonly bodyBytesMax: number
  readonly writeError: ErrorWriter
  readonly budgets: Pick<HttpBudgets, 'received' | 'receivedShort'>
  readonly unsent: Unsent
  /** How long a reader may take nothing of its answer before it is cut off. */
  readonly stalledMsMax: number
  /** Whether the node says goodbye: answers then end their connection. */
  stopping(): boolean
}

/** Media type of JSON. */
export const JSON_TYPE = 'application/json; charset=utf-8'

const NO_HEADERS: readonly string[] = []

/** When to try again what a limit refused: what readers and senders hold comes back within seconds. */
const RETRY_AFTER_S = '5'

/** How much of a body that is too large is still read, so that its sender gets to read the answer. */
const DISCARD_FACTOR = 4
const DISCARD_MS_MAX = 2_000

/** Which bodies are taken, by their Content-Type, and what is said of others. */
export interface AcceptedBodies {
  is(type: string | undefined): boolean
  readonly words: string
}

/** One request. Answers exactly once; whatever comes after the answer, or after the peer left, is dropped. */
export class Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly headers: RequestHeaders
  /** Taken at once: a connection that is gone by the time of the answer tells no address. */
  readonly caller: Caller
  private readonly deps: HttpDeps
  private readonly startedAt: number
  private answered = false
  /** Set for requests that wait by design, whose time says nothing. */
  patient = false
  /** Headers of any answer, beside its own: names and values in turn. Cheaper than to set each of them. */
  more: readonly string[] = NO_HEADERS

  constructor(deps: HttpDeps, req: IncomingMessage, res: ServerResponse, headers: RequestHeaders) {
    this.deps = deps
    this.req = req
    this.res = res
    this.headers = headers
    this.caller = callerOf(req)
    this.startedAt = deps.clock.now()
  }

  /** Answers with a JSON value. */
  json(status: number, value: unknown): void {
    this.text(status, JSON.stringify(value))
  }

  /**
   * Answers with JSON that is text or bytes already. `tag` is an ETag. Throws `limit_exceeded`, with nothing sent, where the
   * peer leaves too much unread; not for what a command did, which has to be told.
   */
  text(status: number, body: string | Buffer, tag?: string): void {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    if (this.reads) this.deps.unsent.admit(this.caller.peer, typeof body === 'string' ? length : body)
    const headers = ['Content-Type', JSON_TYPE, 'Content-Length', String(length)]
    if (tag !== undefined) headers.push('ETag', tag, 'Cache-Control', 'no-cache')
    this.finish(status, headers, body)
  }

  /** Answers with bytes of any type, as `text` does; an encoding is that of the bytes. */
  bytes(status: number, type: string, body: Buffer | Chunks, encoding?: string): void {
    if (this.reads) this.deps.unsent.admit(this.caller.peer, body)
    const headers = ['Content-Type', type, 'Content-Length', String(body.length)]
    if (encoding !== undefined) headers.push('Content-Encoding', encoding)
    this.finish(status, headers, body)
  }

  /** Answers without a body. */
  empty(status: number): void {
    this.finish(status, status === 204 ? [] : ['Content-Length', '0'], undefined)
  }

  /** 304. */
  unchanged(tag: string): void {
    this.finish(304, ['ETag', tag, 'Cache-Control', 'no-cache'], undefined)
  }

  /** Answers with an error; `last` ends the connection. Methods in its `details.allow` are named in a header. */
  fail(error: unknown, last = false): void {
    const { logger, refusals, writeError } = this.deps
    const told = toErrorBody(error, logger)
    refusals.note(told, this.caller.peer)
    const { status, type, body } = writeError(told)
    const all = ['Content-Type', type, 'Content-Length', String(Buffer.byteLength(body))]
    const allow = isRegistryError(error) ? error.details?.['allow'] : undefined
    if (Array.isArray(allow)) all.push('Allow', allow.join(', '))
    if (last) all.push('Connection', 'close')
    this.finish(status, all, body)
  }

  /**
   * Answers with JSON that is made as its reader takes it; what `next` throws ends the connection. `heldBytes` is the most
   * that the node holds of it at a time. Throws `limit_exceeded`, with nothing sent, where the peer leaves too much unread.
   */
  inPieces(heldBytes: number, next: () => Piece): void {
    const { res, deps, caller } = this
    deps.unsent.admit(caller.peer, heldBytes)
    this.opened(200)
    if (res.destroyed) return
    res.writeHead(200, ['Content-Type', JSON_TYPE, ...this.more])
    if (this.req.method === 'HEAD') {
      res.end()
      return
    }
    res.once('close', deps.unsent.holdUpTo(caller.peer, heldBytes))
    transmit(res, deps, next, (error) => this.breakOff(error))
  }

  /** Notes an answer that is not sent through here: the head of an event stream. */
  opened(status: number): void {
    this.answered = true
    this.deps.meter.count('rollcall_http_requests_total', 1, classOf(status))
  }

  /** Whether the request changes nothing, so that it may be refused until the answer is sent. */
  private get reads(): boolean {
    return this.req.method === 'GET' || this.req.method === 'HEAD'
  }

  /** Ends an answer that is under way, for a fault of our own: its reader sees that it is not whole. */
  private breakOff(error: unknown): void {
    this.deps.logger.error({ error }, 'answer broken off')
    this.res.destroy()
  }

  private finish(status: number, headers: string[], body: string | Buffer | Chunks | undefined): void {
    const { res, deps } = this
    if (this.answered) return
    this.answered = true
    deps.meter.count('rollcall_http_requests_total', 1, classOf(status))
    if (!this.patient)
      deps.meter.observe(
        'rollcall_http_request_duration_seconds',
        (deps.clock.now() - this.startedAt) / 1_000,
      )
    if (res.headersSent || res.destroyed) return
    if (this.more.length > 0) headers.push(...this.more)
    if (status === 429) headers.push('Retry-After', RETRY_AFTER_S)
    if (deps.stopping() && !headers.includes('Connection')) headers.push('Connection', 'close')
    res.writeHead(status, headers)
    if (body === undefined || this.req.method === 'HEAD') res.end()
    else this.send(body)
  }

  /** Sends a body behind its head. */
  private send(body: string | Buffer | Chunks): void {
    const { res, deps, caller } = this
    if (body.length <= SHORT_BYTES) return sendLast(res, deps, body instanceof Chunks ? body.whole() : body)
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    res.once('close', deps.unsent.hold(caller.peer, bytes))
    const next = bytes instanceof Chunks ? chunksOf(bytes) : piecesOf(bytes)
    transmit(res, deps, next, (error) => this.breakOff(error))
  }

  /**
   * Reads the body as JSON and hands it to `take`; whatever `take` throws or rejects with becomes the answer. Memory is
   * bounded by `mostBytes`, if that is less than what the node takes, and by what the peer may send at a time; time by the
   * request timeout of the listener.
   */
  body(take: (body: unknown) => void | Promise<void>, mostBytes: number = Infinity): void {
    this.rawBody(JSON_BODIES, (bytes) => take(parseJson(bytes)), mostBytes)
  }

  /** The same for the bytes of a body of other types. */
  rawBody(
    accepted: AcceptedBodies,
    take: (body: Buffer) => void | Promise<void>,
    mostBytes: number = Infinity,
  ): void {
    const { req } = this
    const bytesMax = Math.min(mostBytes, this.deps.bodyBytesMax)
    let count: (bytes: number) => void
    try {
      count = this.expectBody(bytesMax, accepted)
    } catch (error) {
      if (this.headers.expect === undefined) this.refuseBody(error)
      else this.fail(error)
      return
    }
    this.goOn()
    let chunks: Buffer[] = []
    let bytes = 0
    const read = (chunk: Buffer): void => {
      try {
        bytes += chunk.length
        if (bytes > bytesMax) throw tooLarge(bytesMax)
        count(chunk.length)
        chunks.push(chunk)
      } catch (error) {
        chunks = []
        req.off('data', read)
        req.off('end', done)
        this.refuseBody(error)
      }
    }
    const done = (): void => {
      this.guard(() => take(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes)))
    }
    req.on('data', read)
    req.on('end', done)
  }

  /** Throws what the head says against the body. A long answer to it would not be refused any more: it has to have room now. */
  private expectBody(bytesMax: number, accepted: AcceptedBodies): (bytes: number) => void {
    const { deps, caller, headers, res } = this
    const fault = bodyFault(headers, bytesMax, accepted)
    if (fault !== undefined) throw fault
    const stated = headers.contentLength === undefined ? undefined : Number(headers.contentLength)
    deps.unsent.admit(caller.peer, stated ?? SHORT_BYTES)
    return countBody(deps.budgets, caller.peer, res, stated)
  }

  /** Has the body sent by a client that waits for a word (RFC 9110 section 10.1.1). */
  private goOn(): void {
    if (this.headers.expect === undefined || this.req.httpVersion === '1.0') return
    this.res.writeContinue()
    // The listener ends the connection after an answer without that word.
    this.res.removeHeader('Connection')
  }

  /** Runs a handler; its failure, now or later, becomes the answer. */
  guard(run: () => void | Promise<void>): void {
    try {
      run()?.catch((error: unknown) => this.fail(error))
    } catch (error) {
      this.fail(error)
    }
  }

  /**
   * Answers while the body is still coming: what remains is read and dropped, within bounds, because closing
   * a connection with unread bytes makes the peer's system throw the answer away.
   */
  private refuseBody(error: unknown): void {
    const { req, deps } = this
    let room = deps.bodyBytesMax * DISCARD_FACTOR
    const answer = (whole: boolean): void => {
      cancel()
      req.off('data', drop)
      req.off('end', ended)
      this.fail(error, !whole)
    }
    const drop = (chunk: Buffer): void => {
      room -= chunk.length
      if (room < 0) answer(false)
    }
    const ended = (): void => answer(true)
    const cancel = deps.clock.setTimer(DISCARD_MS_MAX, () => answer(false))
    req.on('data', drop)
    req.on('end', ended)
    req.once('close', cancel)
  }
}

const JSON_BODIES: AcceptedBodies = {
  is: isJson,
  words: 'a JSON body is needed, with content-type: application/json',
}

/** What the head says of a body that is not taken. */
function bodyFault(
  { contentType, contentEncoding = 'identity', contentLength = '0' }: RequestHeaders,
  bytesMax: number,
  accepted: AcceptedBodies,
): RegistryError | undefined {
  if (!accepted.is(contentType)) return new RegistryError('unsupported_media_type', accepted.words)
  if (contentEncoding.toLowerCase() !== 'identity')
    return new RegistryError(
      'unsupported_media_type',
      'the body is encoded; send it as it is, without Content-Encoding',
    )
  return Number(contentLength) > bytesMax ? tooLarge(bytesMax) : undefined
}

function tooLarge(bytesMax: number): RegistryError {
  return new RegistryError('body_too_large', `the body is larger than ${bytesMax} bytes`, {
    details: { bytesMax },
  })
}

function isJson(type: string | undefined): boolean {
  if (type === undefined) return false
  return type === 'application/json' || /^application\/json\s*(;|$)/i.test(type)
}

function classOf(status: number): string {
  return status < 300 ? (status < 200 ? '1xx' : '2xx') : status < 400 ? '3xx' : status < 500 ? '4xx' : '5xx'
}
