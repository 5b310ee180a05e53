/** The request of a `fetch`, checked as a whole before any attempt: what is wrong with it is no matter of an instance. */
import { invalid } from '../machine/errors.js'
import type { SendableBody } from './body.js'

/** Headers as `fetch` takes them. */
export type FetchHeaders = Readonly<Record<string, string>> | Headers | readonly (readonly [string, string])[]

/** What is sent, to whichever instance. */
export interface RequestHead {
  readonly method: string
  /** Path and query as they go on the wire. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
}

const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/
/** They make a tunnel, or send back what was sent: the standard has no such requests. */
const FORBIDDEN_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK'])
/** How a message is framed and a connection is used is not for callers to say. */
const FORBIDDEN_HEADERS = ['expect', 'keep-alive', 'transfer-encoding', 'upgrade']

/** The head of a request; throws `invalid_argument` for what cannot be sent. */
export function requestHead(
  path: string,
  init: { readonly method?: string; readonly headers?: FetchHeaders },
  body: SendableBody,
): RequestHead {
  return {
    method: methodOf(init.method ?? 'GET'),
    target: targetOf(path),
    headers: headersOf(init.headers, body),
  }
}

/** Throws `invalid_argument` unless a header can have this name. */
export function checkHeaderName(name: string, field: string): void {
  if (typeof name !== 'string' || !TOKEN.test(name))
    throw invalid(`${name} is not the name of a header`, field)
}

function methodOf(given: string): string {
  const method = typeof given === 'string' ? given.toUpperCase() : ''
  if (!TOKEN.test(method)) throw invalid(`${given} is not a method`, 'method')
  if (FORBIDDEN_METHODS.has(method)) throw invalid(`${method} cannot be sent by fetch`, 'method')
  return method
}

/** Escaped as the URL standard has it, without a fragment. */
function targetOf(path: string): string {
  if (typeof path !== 'string') throw invalid('the path is a text such as /orders/42', 'path')
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(path))
    throw invalid(
      `${path} is a whole URL: only its path is needed, the instance is chosen by the client`,
      'path',
    )
  const { pathname, search } = new URL(`http://instance${path.startsWith('/') ? '' : '/'}${path}`)
  return pathname + search
}

function headersOf(given: FetchHeaders | undefined, body: SendableBody): Record<string, string> {
  const headers = parsed(given)
  for (const name of FORBIDDEN_HEADERS)
    if (headers.has(name))
      throw invalid(`${name} cannot be set: it belongs to the connection`, `headers.${name}`)
  if (body.type !== undefined && !headers.has('content-type')) headers.set('content-type', body.type)
  // Only of a stream the caller may know better.
  if (body.replayable) headers.delete('content-length')
  if (body.length !== undefined) headers.set('content-length', String(body.length))
  return Object.fromEntries(headers)
}

function parsed(given: FetchHeaders | undefined): Headers {
  try {
    return new Headers(given as Headers | undefined)
  } catch (error) {
    throw invalid(`the headers cannot be sent: ${(error as Error).message}`, 'headers')
  }
}
