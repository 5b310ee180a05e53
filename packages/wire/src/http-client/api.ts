/** Calls of the native HTTP API by operation: parameters and bodies in, typed answers or a RegistryError out. */
import { defined } from '../defined.js'
import { ERROR_CODES, RegistryError, type ErrorBody } from '../errors.js'
import type { Parameter } from '../schemas/parameters/parameter.js'
import { OPERATIONS } from '../schemas/routes/index.js'
import type { OperationId, Operations, ParametersOf } from '../schemas/routes/operations.js'
import { isJsonObject, predicateOf, type Predicate } from '../shape/predicate.js'
import { boundedText, type ByteStream } from './bounded-text.js'

/** Operations that are answered once; the others are streams. */
export type CallId = Exclude<OperationId, 'watch' | 'stream'>

/** What may be left out may be undefined as well. */
type Loose<Values> = {
  readonly [Name in keyof Values as object extends Pick<Values, Name> ? never : Name]: Values[Name]
} & {
  readonly [Name in keyof Values as object extends Pick<Values, Name> ? Name : never]?:
    | Values[Name]
    | undefined
}

/** Parameters by name, and the body of an operation that takes one. Times are milliseconds. */
export type CallRequest<Id extends CallId> = Loose<ParametersOf<Id>> &
  (undefined extends Operations[Id]['body'] ? object : { readonly body: Operations[Id]['body'] })

/** The part of an answer that is used; that of `fetch` has it. */
export interface HttpAnswer {
  readonly ok: boolean
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: ByteStream | null
}

/** The part of `fetch` that is used. `Signal` is the platform's AbortSignal. */
export type HttpFetch<Signal> = (
  url: string,
  init: {
    readonly method: string
    readonly headers: Record<string, string>
    readonly body?: string
    readonly signal?: Signal
  },
) => Promise<HttpAnswer>

export interface ApiOptions {
  /** Where the node is: `http://host:port`, without a slash at the end. */
  readonly base: string
  /** Longest answer that is read. Default 256 MiB: some half a million instances. */
  readonly answerBytesMax?: number
}

/** The native HTTP API of one node. It keeps nothing between calls and repeats none. */
export interface Api<Signal> {
  /**
   * Rejects with a RegistryError for what the node refuses, with `protocol` where it does not answer like one (every
   * answer is checked), and with what `fetch` rejects with where there is no answer. A batch with a result for each item is answered also where
   * every item failed.
   */
  call<Id extends CallId>(
    id: Id,
    request: CallRequest<Id>,
    options?: { readonly signal?: Signal },
  ): Promise<Operations[Id]['answer']>
}

/** Whether an operation only reads, so that it may be asked again, of another node as well. */
export function isRead(id: CallId): boolean {
  return OPERATIONS[id].method === 'GET'
}

/** Makes the API of a node from the route table. */
export function createApi<Signal>(fetch: HttpFetch<Signal>, options: ApiOptions): Api<Signal> {
  const { base, answerBytesMax = 268_435_456 } = options
  return {
    async call(id, request, { signal } = {}) {
      const { method } = OPERATIONS[id]
      const { body } = request as { readonly body?: unknown }
      const url = base + urlOf(id, request)
      const answer = await fetch(url, {
        method,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...defined({ body: body === undefined ? undefined : JSON.stringify(body), signal }),
      })
      const value = read(id, url, answer, await boundedText(answer.body, answerBytesMax, base))
      return value as Operations[typeof id]['answer']
    },
  }
}

/** Path and query of a call. */
function urlOf(id: CallId, request: object): string {
  const { path, parameters } = OPERATIONS[id]
  const values = request as Readonly<Record<string, unknown>>
  let url = path
  const query: string[] = []
  for (const parameter of Object.values(parameters) as readonly Parameter[]) {
    const { name } = parameter
    if (values[name] === undefined) continue
    const texts = parameter.write(values[name]).map(encodeURIComponent)
    if (parameter.in === 'path') url = url.replace(`{${name}}`, () => texts[0] ?? '')
    else query.push(...texts.map((text) => `${name}=${text}`))
  }
  return query.length === 0 ? url : `${url}?${query.join('&')}`
}

function read(id: CallId, url: string, answer: HttpAnswer, text: string): unknown {
  const value = jsonOf(text)
  // A batch is answered also where every item failed.
  if ((answer.ok || OPERATIONS[id].batch === true) && fits(id, value)) return value
  const error = isJsonObject(value) ? value['error'] : undefined
  if (isErrorBody(error)) {
    const { code, message, ...more } = error
    // A path in front of the API, such as /api/v1 twice, shows in the URL only.
    throw new RegistryError(code, code === 'unknown_path' ? `${message} (asked for ${url})` : message, more)
  }
  const kind = answer.headers.get('content-type') ?? 'no content type'
  throw new RegistryError(
    'protocol',
    `${url} does not answer like a registry (HTTP ${answer.status}, ${kind})`,
  )
}

const CHECKS = new Map<CallId, Predicate>()

/** Whether a value is an answer of an operation; the node may be newer, and say more. */
function fits(id: CallId, value: unknown): boolean {
  let check = CHECKS.get(id)
  if (check === undefined) {
    const shapes = OPERATIONS[id].successes.flatMap(({ shape }) => (shape === undefined ? [] : [shape]))
    const options = shapes.map((shape) => predicateOf(shape, { open: true }))
    check = (given) => options.some((option) => option(given))
    CHECKS.set(id, check)
  }
  return check(value)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isErrorBody(value: unknown): value is ErrorBody {
  if (!isJsonObject(value) || typeof value['message'] !== 'string') return false
  return typeof value['code'] === 'string' && Object.hasOwn(ERROR_CODES, value['code'])
}
