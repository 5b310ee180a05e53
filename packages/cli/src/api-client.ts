/** The HTTP API as commands call it: one node after the other, errors as RegistryErrors. */
import {
  RegistryError,
  isRegistryError,
  type DeregisterRequest,
  type DeregisterResponse,
  type ErrorBody,
  type Instance,
  type RegisterRequest,
  type RegisterResponse,
  type ServicesResponse,
  type ServiceSummary,
  type View,
  ERROR_CODES,
} from '@rollcall/wire'
import type { Clock } from './clock.js'
import type { Fetch } from './shell.js'

/** Where a lookup looks. */
export interface Scope {
  readonly namespace?: string | undefined
  readonly group?: string | undefined
}

/** The part of the native HTTP API that commands use. Each call rejects with a RegistryError. */
export interface ApiClient {
  /** All pages. Without namespace, those of every namespace. */
  services(query: {
    readonly namespace?: string | undefined
    readonly prefix?: string | undefined
  }): Promise<ServiceSummary[]>
  view(
    service: string,
    scope: Scope & { readonly state?: string | undefined; readonly zone?: string | undefined },
  ): Promise<View>
  instance(service: string, id: string, scope: Scope): Promise<Instance>
  register(request: RegisterRequest): Promise<RegisterResponse>
  deregister(request: DeregisterRequest): Promise<DeregisterResponse>
}

export interface ApiClientDeps {
  readonly fetch: Fetch
  readonly clock: Clock
}

export interface ApiClientOptions {
  /** Tried in order, until one can be connected to. */
  readonly registries: readonly string[]
  /** For each call as a whole; nodes that are still to be tried share what is left of it. */
  readonly timeoutMs: number
}

/** One call of the HTTP API. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
}

/** Creates a client of the HTTP API. It keeps nothing between calls. */
export function createApiClient(deps: ApiClientDeps, options: ApiClientOptions): ApiClient {
  const call = async <T>(request: ApiRequest): Promise<T> => (await callAny(deps, options, request)) as T
  const at = (service: string): string => `/api/v1/services/${encodeURIComponent(service)}`
  return {
    async services({ namespace, prefix }) {
      const all: ServiceSummary[] = []
      for (let after: string | undefined; ;) {
        const query = { namespace, prefix, after }
        const page = await call<ServicesResponse>({ method: 'GET', path: '/api/v1/services', query })
        all.push(...page.services)
        if (page.next === undefined) return all
        after = page.next
      }
    },
    // It asks once: no drain has to wait for the next time it would ask.
    view: (service, query) => call({ method: 'GET', path: at(service), query: { ...query, every: '0s' } }),
    instance: (service, id, query) =>
      call({
        method: 'GET',
        path: `${at(service)}/instances/${encodeURIComponent(id)}`,
        query: { ...query },
      }),
    register: (body) => call({ method: 'POST', path: '/api/v1/register', body }),
    deregister: (body) => call({ method: 'POST', path: '/api/v1/deregister', body }),
  }
}

/** Asks one node after the other, as long as the one before has certainly done nothing. Rejects with a RegistryError. */
export async function callAny(
  deps: ApiClientDeps,
  options: ApiClientOptions,
  request: ApiRequest,
): Promise<unknown> {
  const deadline = deps.clock.now() + options.timeoutMs
  const failures: RegistryError[] = []
  for (const [index, registry] of options.registries.entries()) {
    const left = deadline - deps.clock.now()
    if (left <= 0) break
    try {
      return await callOne(deps, registry, request, left / (options.registries.length - index))
    } catch (error) {
      if (!isRegistryError(error) || !mayAskAnother(error, request)) throw error
      failures.push(error)
    }
  }
  const [first] = failures
  if (first === undefined || failures.length === 1)
    throw first ?? timedOut(options.registries.join(', '), options.timeoutMs)
  const message = failures.map((failure) => failure.message).join('\n')
  throw new RegistryError(failures.at(-1)?.code ?? 'unreachable', message)
}

/** A write that may have arrived is not sent twice. */
function mayAskAnother(error: RegistryError, { method }: ApiRequest): boolean {
  switch (error.code) {
    case 'unreachable':
    case 'not_ready':
    case 'stopping':
      return true
    case 'timeout':
      return method === 'GET'
    default:
      return false
  }
}

async function callOne(
  deps: ApiClientDeps,
  registry: string,
  request: ApiRequest,
  timeoutMs: number,
): Promise<unknown> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(request.query ?? {}))
    if (value !== undefined) query.set(name, value)
  const url = `${registry}${request.path}${query.size === 0 ? '' : `?${query.toString()}`}`
  const aborter = new AbortController()
  const cancel = deps.clock.setTimer(timeoutMs, () => aborter.abort())
  try {
    const response = await deps.fetch(url, {
      method: request.method,
      headers: {
        accept: 'application/json',
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      signal: aborter.signal,
    })
    return readAnswer(registry, response, await response.text())
  } catch (error) {
    if (isRegistryError(error)) throw error
    throw aborter.signal.aborted ? timedOut(registry, timeoutMs) : unreachable(registry, request, error)
  } finally {
    cancel()
  }
}

function readAnswer(registry: string, response: Response, text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  if (response.ok && value !== undefined) return value
  // A register call whose only item failed answers with that item's status and the ordinary body.
  if (isObject(value) && Array.isArray(value['results'])) return value
  const body = isObject(value) ? value['error'] : undefined
  if (isErrorBody(body)) {
    throw new RegistryError(body.code, body.message, {
      ...(body.field === undefined ? {} : { field: body.field }),
      ...(body.details === undefined ? {} : { details: body.details }),
    })
  }
  const kind = response.headers.get('content-type') ?? 'no content type'
  throw new RegistryError(
    'protocol',
    `${registry} does not answer like a registry (HTTP ${response.status}, ${kind})`,
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isErrorBody(value: unknown): value is ErrorBody {
  return (
    isObject(value) &&
    typeof value['message'] === 'string' &&
    Object.hasOwn(ERROR_CODES, String(value['code']))
  )
}

function timedOut(registry: string, timeoutMs: number): RegistryError {
  return new RegistryError('timeout', `no answer from ${registry} within ${Math.round(timeoutMs)} ms`)
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the host name cannot be looked up now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'connecting timed out',
  UND_ERR_CONNECT_TIMEOUT: 'connecting timed out',
}

/** Codes of failures that come before the request is sent. */
const NOT_SENT = new Set(Object.keys(REASONS).filter((code) => code !== 'ECONNRESET'))

function unreachable(registry: string, { method }: ApiRequest, error: unknown): RegistryError {
  const [code, text] = causeOf(error)
  const message = `no registry answers at ${registry}: ${REASONS[code] ?? text}`
  // Broken off in the middle, a write may have been done; `timeout` keeps it from being sent to another node.
  const lost = method !== 'GET' && !NOT_SENT.has(code)
  return new RegistryError(lost ? 'timeout' : 'unreachable', message, { cause: error })
}

/** `fetch` hides the reason in its cause, and with several addresses for a name in a list of causes. */
function causeOf(error: unknown): readonly [code: string, text: string] {
  let at = error
  while (at instanceof Error && at.cause !== undefined) at = at.cause
  if (at instanceof AggregateError) at = at.errors[0] as unknown
  const code = isObject(at) && typeof at['code'] === 'string' ? at['code'] : ''
  return [code, at instanceof Error && at.message !== '' ? at.message : code]
}
