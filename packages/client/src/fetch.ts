import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import type { Instance } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import { abortedError } from './driver.js'
import type { FailureKind } from './ejections.js'
import type { AttemptFailure, Requester } from './request.js'

/** A request as `fetch` takes it: the part of the standard RequestInit that makes sense between services. */
export interface FetchInit {
  /** Default `GET`. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>> | Headers | readonly (readonly [string, string])[]
  /** A stream is sent once and never replayed; everything else can be. */
  readonly body?: string | Uint8Array | ArrayBuffer | URLSearchParams | ReadableStream | Readable | null
  readonly signal?: AbortSignal
  /**
   * `safe` (default): again elsewhere when the request was certainly not sent, or when its method may be
   * repeated by definition (GET, HEAD, OPTIONS, PUT, DELETE). `always`: also when it may have been executed.
   */
  readonly retry?: 'safe' | 'always' | 'never'
  /**
   * Which answers count against the instance, as `report(instance, 'failure')` does: three in a row and it is
   * left out for a while. Default: none; every answer is handed over as it is in any case.
   */
  readonly failOn?: (status: number) => boolean
  /**
   * Most instances tried. Default 3 that may have cost time, and up to 16 in all: a refused connection costs none,
   * and half of a service may have died a moment ago.
   */
  readonly attempts?: number
  /** Time for connecting to one instance. Default 1,000: a lost SYN is better retried elsewhere. */
  readonly connectTimeoutMs?: number
  /** Time until the response begins, waiting and all attempts together. Default none; `ready` has its own 5 s. */
  readonly timeoutMs?: number
}

/** Where attempts go and who hears of their outcome. */
export interface FetchTarget {
  readonly service: string
  /** Another instance than those tried; undefined when there is none. */
  choose(tried: ReadonlySet<Instance>): Instance | undefined
  /** Whether one more attempt is allowed; each yes is used up. */
  mayRetry(): boolean
  /** Whether the deadline of the whole call has passed. */
  expired(): boolean
  failed(instance: Instance, kind: FailureKind): void
  succeeded(instance: Instance): void
  /** Why there is nobody to call. */
  nobody(): RegistryError
}

/** What to do after a failed attempt: try another instance, the same on a new connection, or give up. */
export type FailoverStep = 'elsewhere' | 'again' | 'stop'

const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const BODILESS_STATUS = new Set([204, 205, 304])

/** The rule of fail-over: what may have been executed is not repeated unless that is harmless or asked for. */
export function failoverStep(
  failure: Pick<AttemptFailure, 'phase' | 'reused'>,
  request: {
    readonly method: string
    readonly retry: 'safe' | 'always' | 'never'
    readonly replayable: boolean
  },
): FailoverStep {
  if (request.retry === 'never') return 'stop'
  if (failure.phase === 'connect') return 'elsewhere'
  if (!request.replayable) return 'stop'
  if (request.retry !== 'always' && !REPEATABLE.has(request.method)) return 'stop'
  // An idle connection that the server had just closed: the instance itself may be well.
  return failure.reused ? 'again' : 'elsewhere'
}

/** Attempts of a call that may cost time: nobody answers, or too late. */
const COSTLY_MAX = 3
/** Attempts of a call in all. */
const REFUSALS_MAX = 16

/** Whether the other side said no at once. */
function isRefusal(error: Error): boolean {
  return 'code' in error && error.code === 'ECONNREFUSED'
}

/** Sends a request to one instance after the other until one answers. */
export async function fetchFrom(
  target: FetchTarget,
  requester: Requester,
  path: string,
  init: FetchInit,
): Promise<Response> {
  const { body, type } = bodyOf(init.body)
  const method = (init.method ?? 'GET').toUpperCase()
  const request = { method, retry: init.retry ?? 'safe', replayable: !(body instanceof Readable) }
  const { signal } = init
  const headers = headersOf(init, type, body)
  const triedMax = Math.max(1, init.attempts ?? REFUSALS_MAX)
  const costlyMax = Math.max(1, init.attempts ?? COSTLY_MAX)
  let costly = 0
  const tried = new Set<Instance>()
  let last: AttemptFailure | undefined
  let limited = false
  let fresh = false
  let instance = target.choose(tried)
  while (instance !== undefined && tried.size < triedMax && costly < costlyMax) {
    const outcome = await requester.attempt({
      instance,
      method,
      path: path.startsWith('/') ? path : `/${path}`,
      headers,
      body,
      connectTimeoutMs: init.connectTimeoutMs ?? 1_000,
      fresh,
      signal,
    })
    if (!('phase' in outcome)) {
      if (init.failOn?.(outcome.statusCode ?? 0) === true) target.failed(instance, 'failure')
      else target.succeeded(instance)
      return responseOf(outcome, method, instance, path)
    }
    if (signal?.aborted === true) {
      if (target.expired()) target.failed(instance, 'timeout')
      throw abortedError(signal)
    }
    last = outcome
    const step = failoverStep(outcome, request)
    fresh = step === 'again'
    if (fresh) continue
    if (!outcome.reused) target.failed(instance, 'unreachable')
    tried.add(instance)
    if (!isRefusal(outcome.error)) costly++
    if (step === 'stop') break
    instance = target.choose(tried)
    limited = instance !== undefined && tried.size < triedMax && costly < costlyMax && !target.mayRetry()
    if (limited) break
  }
  throw last === undefined ? target.nobody() : unreachable(target.service, last, tried, limited)
}

function unreachable(
  service: string,
  last: AttemptFailure,
  tried: ReadonlySet<Instance>,
  limited: boolean,
): RegistryError {
  const why = limited ? `${last.error.message}; too many retries already` : last.error.message
  return new RegistryError('unreachable', `no instance of ${service} answered: ${why}`, {
    cause: last.error,
    details: {
      tried: [...tried].map((item) => `${item.host}:${item.port}`),
      phase: last.phase,
      ...(limited ? { limited } : {}),
    },
  })
}

function bodyOf(body: FetchInit['body']): {
  readonly body: Uint8Array | Readable | undefined
  readonly type?: string
} {
  if (body === undefined || body === null) return { body: undefined }
  if (typeof body === 'string') return { body: Buffer.from(body), type: 'text/plain;charset=UTF-8' }
  if (body instanceof URLSearchParams) {
    return { body: Buffer.from(body.toString()), type: 'application/x-www-form-urlencoded;charset=UTF-8' }
  }
  if (body instanceof Uint8Array) return { body }
  if (body instanceof ArrayBuffer) return { body: new Uint8Array(body) }
  if (body instanceof Readable) return { body }
  return { body: Readable.fromWeb(body as NodeReadableStream) }
}

function headersOf(
  init: FetchInit,
  type: string | undefined,
  body: Uint8Array | Readable | undefined,
): Record<string, string> {
  const entries =
    init.headers === undefined
      ? []
      : init.headers instanceof Headers
        ? [...init.headers]
        : Array.isArray(init.headers)
          ? init.headers
          : Object.entries(init.headers)
  const headers = new Headers(entries as [string, string][])
  if (type !== undefined && !headers.has('content-type')) headers.set('content-type', type)
  if (body instanceof Uint8Array) headers.set('content-length', String(body.byteLength))
  return Object.fromEntries(headers)
}

/** A standard Response over the message of node:http. Redirects are not followed and encodings not decoded. */
function responseOf(message: IncomingMessage, method: string, instance: Instance, path: string): Response {
  const headers = new Headers()
  for (let index = 0; index + 1 < message.rawHeaders.length; index += 2) {
    headers.append(message.rawHeaders[index]!, message.rawHeaders[index + 1]!)
  }
  const status = message.statusCode ?? 502
  const bodiless = method === 'HEAD' || BODILESS_STATUS.has(status)
  if (bodiless) message.resume()
  const body = bodiless ? null : (Readable.toWeb(message) as ReadableStream<Uint8Array>)
  const response = new Response(body, { status, statusText: message.statusMessage ?? '', headers })
  const host = instance.host.includes(':') ? `[${instance.host}]` : instance.host
  Object.defineProperty(response, 'url', {
    value: `${instance.protocol === 'https' ? 'https' : 'http'}://${host}:${instance.port}${path}`,
  })
  return response
}
