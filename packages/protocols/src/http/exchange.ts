/** One HTTP request and its answer: bounded bodies, JSON out, errors in the adapter's words, figures. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller, Clock, Logger, Meter } from '@rollcall/core'
import { isRegistryError, RegistryError } from '@rollcall/wire'
import { callerOf } from './caller.js'
import { toErrorBody, type ErrorWriter } from './errors.js'
import type { RequestHeaders } from './headers.js'
import { parseJson } from './json.js'

/** What answering needs. */
export interface HttpDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
  readonly bodyBytesMax: number
  readonly writeError: ErrorWriter
  /** Whether the node says goodbye: answers then end their connection. */
  stopping(): boolean
}

/** Media type of JSON. */
export const JSON_TYPE = 'application/json; charset=utf-8'

/** How much of a body that is too large is still read, so that its sender gets to read the answer. */
const DISCARD_FACTOR = 4
const DISCARD_MS_MAX = 2_000

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

  /** Answers with JSON that is text or bytes already. `tag` is an ETag. */
  text(status: number, body: string | Buffer, tag?: string): void {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    const headers = ['Content-Type', JSON_TYPE, 'Content-Length', String(length)]
    if (tag !== undefined) headers.push('ETag', tag, 'Cache-Control', 'no-cache')
    this.finish(status, headers, body)
  }

  /** 304. */
  unchanged(tag: string): void {
    this.finish(304, ['ETag', tag, 'Cache-Control', 'no-cache'], undefined)
  }

  /** Answers with an error; `last` ends the connection. Methods in its `details.allow` are named in a header. */
  fail(error: unknown, last = false): void {
    const { status, type, body } = this.deps.writeError(toErrorBody(error, this.deps.logger))
    const all = ['Content-Type', type, 'Content-Length', String(Buffer.byteLength(body))]
    const allow = isRegistryError(error) ? error.details?.['allow'] : undefined
    if (Array.isArray(allow)) all.push('Allow', allow.join(', '))
    if (last) all.push('Connection', 'close')
    this.finish(status, all, body)
  }

  /** Notes an answer that is not sent through here: the head of an event stream. */
  opened(status: number): void {
    this.answered = true
    this.deps.meter.count('rollcall_http_requests_total', 1, classOf(status))
  }

  /** Ends an answer that is under way, for a fault of our own: its reader sees that it is not whole. */
  breakOff(error: unknown): void {
    this.deps.logger.error({ error }, 'answer broken off')
    this.res.destroy()
  }

  private finish(status: number, headers: string[], body: string | Buffer | undefined): void {
    const { res, deps } = this
    if (this.answered) return
    this.answered = true
    deps.meter.count('rollcall_http_requests_total', 1, classOf(status))
    if (!this.patient)
      deps.meter.observe('rollcall_http_request_duration_ms', deps.clock.now() - this.startedAt)
    if (res.headersSent || res.destroyed) return
    if (deps.stopping() && !headers.includes('Connection')) headers.push('Connection', 'close')
    res.writeHead(status, headers)
    res.end(body)
  }

  /**
   * Reads the body as JSON and hands it to `take`; whatever `take` throws or rejects with becomes the answer.
   * Memory is bounded by `bodyBytesMax`, time by the request timeout of the listener.
   */
  body(take: (body: unknown) => void | Promise<void>): void {
    const { req } = this
    const { bodyBytesMax } = this.deps
    const fault = bodyFault(this.headers, bodyBytesMax)
    if (fault !== undefined) {
      if (this.headers.expect === undefined) this.refuseBody(fault)
      else this.fail(fault)
      return
    }
    this.goOn()
    let chunks: Buffer[] = []
    let bytes = 0
    const read = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes <= bodyBytesMax) {
        chunks.push(chunk)
        return
      }
      chunks = []
      req.off('data', read)
      req.off('end', done)
      this.refuseBody(tooLarge(bodyBytesMax))
    }
    const done = (): void => {
      this.guard(() =>
        take(parseJson(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes))),
      )
    }
    req.on('data', read)
    req.on('end', done)
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
  private refuseBody(error: RegistryError): void {
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

/** What the head says of a body that is not taken. */
function bodyFault(
  { contentType, contentEncoding = 'identity', contentLength = '0' }: RequestHeaders,
  bytesMax: number,
): RegistryError | undefined {
  if (!isJson(contentType))
    return new RegistryError(
      'unsupported_media_type',
      'a JSON body is needed, with content-type: application/json',
    )
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
