/** HTTP calls with the interface of `fetch`. */
import type { IncomingMessage } from 'node:http'
import type { Instance } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import { invalid } from '../machine/errors.js'
import type { Keys } from '../machine/keys-of-options.js'
import { checkKeys } from '../machine/keys-of-options.js'
import type { FetchBody, SendableBody } from './body.js'
import { outgoingBody } from './body.js'
import type { CallOptions, Work } from './call.js'
import { CALL_KEYS } from './call.js'
import type { AttemptEnd, Judgement } from './judgement.js'
import { judgeError } from './judgement.js'
import type { FetchHeaders, RequestHead } from './request.js'
import { checkHeaderName, requestHead } from './request.js'
import type { Requester } from './requester.js'
import { RequestError } from './requester.js'
import { responseOf } from './response.js'
import { TIMEOUT_HEADER, withTimeout } from './timeout-header.js'

/** A request as `fetch` takes it: the part of the standard RequestInit that makes sense between services. */
export interface FetchInit extends Omit<CallOptions, 'judge' | 'discard'> {
  /** Default `GET`. */
  readonly method?: string
  readonly headers?: FetchHeaders
  /**
   * A stream is sent once and never replayed, and destroyed when the call or the connection is over, however it ended;
   * everything else can be sent again.
   */
  readonly body?: FetchBody
  /** Default: what HTTP says of the method, true for GET, HEAD, OPTIONS, PUT and DELETE. Never for a stream. */
  readonly idempotent?: boolean | undefined
  /**
   * Which answers count against the instance, as `report(instance, 'failure')` does: three in a row and it is
   * left out for a while. Default: none; every answer is handed over as it is in any case.
   */
  readonly failOn?: (status: number) => boolean
  /**
   * Which answers are asked for again at another instance, where the call is idempotent; the last one is handed
   * over as it is. Default: none.
   */
  readonly retryOn?: (status: number) => boolean
  /** Time for connecting to one instance. Default 1,000: a lost SYN is better retried elsewhere. */
  readonly connectTimeoutMs?: number
  /**
   * Name of the header that carries the milliseconds left of `timeoutMs` and `tryTimeoutMs`, so that a provider need
   * do no work in vain; `false` sends none. Default `x-rollcall-timeout-ms`; a header of the caller's own stays.
   */
  readonly timeoutHeader?: string | false
  /** Time until the response begins, waiting and all attempts together. Default none; waiting ends after 5 s. */
  readonly timeoutMs?: number | undefined
}

/** What `fetch` works with. */
export interface FetchDeps {
  readonly requester: Requester
  /** Makes a call, as `Service.call` does. */
  call<T>(work: Work<T>, options: CallOptions<T>): Promise<T>
  /** The answer of an instance broke off. */
  broken(instance: Instance): void
}

const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

const { judge: _judge, discard: _discard, ...OF_CALL } = CALL_KEYS
const FETCH_KEYS: Keys<FetchInit> = {
  ...OF_CALL,
  method: true,
  headers: true,
  body: true,
  failOn: true,
  retryOn: true,
  connectTimeoutMs: true,
  timeoutHeader: true,
}
/** With what the standard has for browsers: it means nothing between services, and code written for both is no mistake. */
const KNOWN = {
  ...FETCH_KEYS,
  cache: true,
  credentials: true,
  dispatcher: true,
  duplex: true,
  integrity: true,
  keepalive: true,
  mode: true,
  priority: true,
  redirect: true,
  referrer: true,
  referrerPolicy: true,
  window: true,
}

interface Answer {
  readonly message: IncomingMessage
  readonly instance: Instance
}

/**
 * Sends a request to one instance after the other until one answers. Rejects with `invalid_argument`, before any attempt,
 * for what cannot be sent.
 */
export async function fetchFrom(deps: FetchDeps, path: string, init: FetchInit): Promise<Response> {
  const body = await outgoingBody(init.body)
  try {
    checkKeys(init, KNOWN, 'fetch')
    const { failOn, retryOn, timeoutHeader = TIMEOUT_HEADER, connectTimeoutMs = 1_000, ...options } = init
    if (!(connectTimeoutMs >= 0 && connectTimeoutMs < Infinity))
      throw invalid('a time is a number of milliseconds', 'connectTimeoutMs')
    if (timeoutHeader !== false) checkHeaderName(timeoutHeader, 'timeoutHeader')
    const head = requestHead(path, init, body)
    const idempotent = body.replayable && (init.idempotent ?? REPEATABLE.has(head.method))
    const work = attemptsOf(deps.requester, { ...head, body, connectTimeoutMs, timeoutHeader, idempotent })
    const judge = (end: AttemptEnd<Answer>): Judgement | undefined => {
      if (!end.ok) return end.error instanceof RequestError ? judgeRequest(end.error) : undefined
      const status = end.answer.message.statusCode ?? 0
      const outcome = failOn?.(status) === true ? 'failure' : 'success'
      return { outcome, retry: idempotent && retryOn?.(status) === true ? 'idempotent' : 'never' }
    }
    const { message, instance } = await deps.call(work, { ...options, idempotent, judge, discard })
    const { method, target } = head
    const answered = { message, method, instance, path: target, signal: init.signal }
    try {
      return responseOf(answered, () => deps.broken(instance))
    } catch (error) {
      discard({ message, instance })
      throw error
    }
  } catch (error) {
    body.discard()
    throw error instanceof RequestError ? unsendable(error) : error
  }
}

interface Sending extends RequestHead {
  readonly body: SendableBody
  readonly connectTimeoutMs: number
  readonly timeoutHeader: string | false
  readonly idempotent: boolean
}

/** One attempt of a request. */
function attemptsOf(requester: Requester, sending: Sending): Work<Answer> {
  const { method, target, headers, body, connectTimeoutMs, timeoutHeader, idempotent } = sending
  return async (instance, { signal, timeoutMs, headers: more }) => {
    const request = {
      instance,
      method,
      path: target,
      headers: withTimeout({ ...more, ...headers }, timeoutHeader, timeoutMs),
      body: body.content,
      connectTimeoutMs: Math.min(connectTimeoutMs, timeoutMs ?? connectTimeoutMs),
      signal,
    }
    let outcome = await requester.send({ ...request, fresh: false })
    // An idle connection that the server had just closed: the instance itself may be well.
    const isStale = 'phase' in outcome && outcome.phase === 'sent' && outcome.reused
    if (isStale && idempotent && !signal.aborted) outcome = await requester.send({ ...request, fresh: true })
    if ('phase' in outcome) throw new RequestError(outcome)
    return { message: outcome, instance }
  }
}

function discard({ message }: Answer): void {
  message.destroy()
}

/** The caller's own stream failed, or what it asked for cannot be sent: no matter of any instance. */
function unsendable({ failure: { phase, error } }: RequestError): RegistryError {
  const what = phase === 'body' ? 'the body could not be read' : 'the request cannot be sent'
  const message = `${what}: ${error.message}`
  return new RegistryError('invalid_argument', message, {
    cause: error,
    ...(phase === 'body' && { field: 'body' }),
  })
}

function judgeRequest({ failure: { phase, reused, error } }: RequestError): Judgement {
  if (phase === 'body') return { retry: 'never' }
  // The end of a connection that had served before may say nothing about the instance.
  return phase === 'sent' && reused ? { retry: 'idempotent' } : judgeError(error, phase)
}
