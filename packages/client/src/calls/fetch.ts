/** HTTP calls with the interface of `fetch`. */
import type { IncomingMessage } from 'node:http'
import type { Instance } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import type { FetchBody, OutgoingBody } from './body.js'
import { outgoingBody } from './body.js'
import type { AttemptContext, CallOptions, Work } from './call.js'
import type { AttemptEnd, Judgement } from './judgement.js'
import { judgeError } from './judgement.js'
import type { Requester } from './requester.js'
import { RequestError } from './requester.js'
import { responseOf } from './response.js'
import { TIMEOUT_HEADER, withTimeout } from './timeout-header.js'

/** A request as `fetch` takes it: the part of the standard RequestInit that makes sense between services. */
export interface FetchInit extends Omit<CallOptions, 'judge' | 'discard'> {
  /** Default `GET`. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>> | Headers | readonly (readonly [string, string])[]
  /** A stream is sent once and never replayed; everything else can be. */
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

interface Answer {
  readonly message: IncomingMessage
  readonly instance: Instance
}

/** Sends a request to one instance after the other until one answers. */
export async function fetchFrom(deps: FetchDeps, path: string, init: FetchInit): Promise<Response> {
  const { failOn, retryOn, timeoutHeader, connectTimeoutMs = 1_000, ...options } = init
  if (!(connectTimeoutMs >= 0 && connectTimeoutMs < Infinity))
    throw new RegistryError('invalid_argument', 'a time is a number of milliseconds', {
      field: 'connectTimeoutMs',
    })
  const body = await outgoingBody(init.body)
  const method = (init.method ?? 'GET').toUpperCase()
  const headers = headersOf(init, body)
  const target = path.startsWith('/') ? path : `/${path}`
  const idempotent = body.replayable && (init.idempotent ?? REPEATABLE.has(method))
  const work = async (instance: Instance, context: AttemptContext): Promise<Answer> => {
    const request = {
      instance,
      method,
      path: target,
      headers: withTimeout(
        { ...context.headers, ...headers },
        timeoutHeader ?? TIMEOUT_HEADER,
        context.timeoutMs,
      ),
      connectTimeoutMs: Math.min(connectTimeoutMs, context.timeoutMs ?? connectTimeoutMs),
      signal: context.signal,
    }
    let outcome = await deps.requester.send({ ...request, body: body.open(), fresh: false })
    // An idle connection that the server had just closed: the instance itself may be well.
    if (
      'phase' in outcome &&
      outcome.phase === 'sent' &&
      outcome.reused &&
      idempotent &&
      !context.signal.aborted
    )
      outcome = await deps.requester.send({ ...request, body: body.open(), fresh: true })
    if ('phase' in outcome) throw new RequestError(outcome)
    return { message: outcome, instance }
  }
  const judge = (end: AttemptEnd<Answer>): Judgement | undefined => {
    if (!end.ok) return end.error instanceof RequestError ? judgeRequest(end.error) : undefined
    const status = end.answer.message.statusCode ?? 0
    const outcome = failOn?.(status) === true ? 'failure' : 'success'
    return { outcome, retry: idempotent && retryOn?.(status) === true ? 'idempotent' : 'never' }
  }
  const discard = ({ message }: Answer): void => void message.destroy()
  try {
    const { message, instance } = await deps.call(work, { ...options, idempotent, judge, discard })
    return responseOf({ message, method, instance, path: target, signal: init.signal }, () =>
      deps.broken(instance),
    )
  } catch (error) {
    body.discard()
    // The caller's own stream failed: that is no matter of any instance.
    throw error instanceof RequestError ? error.cause : error
  }
}

function judgeRequest({ failure: { phase, reused, error } }: RequestError): Judgement {
  if (phase === 'body') return { retry: 'never' }
  // The end of a connection that had served before may say nothing about the instance.
  return phase === 'sent' && reused ? { retry: 'idempotent' } : judgeError(error, phase)
}

function headersOf(init: FetchInit, body: OutgoingBody): Record<string, string> {
  const entries =
    init.headers === undefined
      ? []
      : init.headers instanceof Headers
        ? [...init.headers]
        : Array.isArray(init.headers)
          ? init.headers
          : Object.entries(init.headers)
  const headers = new Headers(entries as [string, string][])
  if (body.type !== undefined && !headers.has('content-type')) headers.set('content-type', body.type)
  if (body.length !== undefined) headers.set('content-length', String(body.length))
  return Object.fromEntries(headers)
}
