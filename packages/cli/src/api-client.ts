/** The HTTP API of a cluster: one node after the other is asked, until one can be connected to. */
import {
  isRegistryError,
  type NamespaceSummary,
  RegistryError,
  type ServiceSummary,
  type View,
} from '@rollcall/wire'
import { createApi, isRead, type Api, type CallRequest } from '@rollcall/wire/http-client'
import type { TlsOptions } from '@rollcall/client'
import type { Clock } from './clock.js'
import { withTls } from './https-fetch.js'
import type { Fetch } from './shell.js'

/** What commands call. Each call rejects with a RegistryError. */
export type ClusterApi = Api<AbortSignal>

export interface ApiClientDeps {
  readonly fetch: Fetch
  readonly clock: Clock
}

export interface ApiClientOptions {
  /** Tried in order, until one can be connected to. */
  readonly registries: readonly string[]
  /** For each call as a whole; nodes that are still to be tried share what is left of it. */
  readonly timeoutMs: number
  readonly tls?: TlsOptions | undefined
}

/**
 * The API of whichever node answers: one is asked after the other, as long as the one before has certainly done
 * nothing. It keeps nothing between calls.
 */
export function createApiClient(deps: ApiClientDeps, options: ApiClientOptions): ClusterApi {
  const { registries, timeoutMs, tls } = options
  const fetch = tls === undefined ? deps.fetch : withTls(deps.fetch, tls)
  return {
    async call(id, request) {
      const reads = isRead(id)
      const deadline = deps.clock.now() + timeoutMs
      const failures: RegistryError[] = []
      for (const [index, registry] of registries.entries()) {
        const left = deadline - deps.clock.now()
        if (left <= 0) break
        const share = left / (registries.length - index)
        try {
          return await within(deps, registry, share, reads, (signal) =>
            createApi(fetch, { base: registry }).call(id, request, { signal }),
          )
        } catch (error) {
          if (!isRegistryError(error) || !mayAskAnother(error, reads)) throw error
          failures.push(error)
        }
      }
      const [first] = failures
      if (first === undefined || failures.length === 1)
        throw first ?? timedOut(registries.join(', '), timeoutMs)
      const message = failures.map((failure) => failure.message).join('\n')
      throw new RegistryError(failures.at(-1)?.code ?? 'unreachable', message)
    },
  }
}

/** All pages. Without namespace, those of every namespace. */
export async function allServices(
  api: ClusterApi,
  query: { readonly namespace?: string | undefined; readonly prefix?: string | undefined },
): Promise<ServiceSummary[]> {
  const all: ServiceSummary[] = []
  for (let after: string | undefined; ;) {
    const page = await api.call('listServices', { ...query, after })
    all.push(...page.services)
    if (page.next === undefined) return all
    after = page.next
  }
}

/** All pages of the namespaces, in order of their names. */
export async function allNamespaces(api: ClusterApi): Promise<NamespaceSummary[]> {
  const all: NamespaceSummary[] = []
  for (let after: string | undefined; ;) {
    const page = await api.call('listNamespaces', { after })
    all.push(...page.namespaces)
    if (page.next === undefined) return all
    after = page.next
  }
}

/** The list of a service. It asks once: no drain has to wait until it would ask again. */
export async function viewOf(
  api: ClusterApi,
  query: Omit<CallRequest<'getService'>, 'since' | 'wait' | 'every'>,
): Promise<View> {
  const answer = await api.call('getService', { ...query, every: 0 })
  if ('instances' in answer) return answer
  throw new RegistryError('protocol', 'the registry answers with a change instead of a list')
}

/** A write that may have arrived is not sent twice. */
function mayAskAnother({ code }: RegistryError, reads: boolean): boolean {
  switch (code) {
    case 'unreachable':
    case 'not_ready':
    case 'stopping':
      return true
    case 'timeout':
      return reads
    default:
      return false
  }
}

/** Runs a call of one node in its share of the time, and says why where there is no answer. */
async function within<T>(
  { clock }: ApiClientDeps,
  registry: string,
  timeoutMs: number,
  reads: boolean,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const aborter = new AbortController()
  const cancel = clock.setTimer(timeoutMs, () => aborter.abort())
  try {
    return await call(aborter.signal)
  } catch (error) {
    if (isRegistryError(error)) throw error
    throw aborter.signal.aborted ? timedOut(registry, timeoutMs) : unreachable(registry, reads, error)
  } finally {
    cancel()
  }
}

function timedOut(registry: string, timeoutMs: number): RegistryError {
  return new RegistryError('timeout', `no answer from ${registry} within ${Math.round(timeoutMs)} ms`)
}

/** Codes of a certificate that is not trusted, or is of another host. */
const UNTRUSTED = 'its certificate is not signed by an authority that is trusted here; name one with --ca'
const REASONS: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is of another name; see --server-name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; try http:// instead of https://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS; try http:// instead of https://',
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

/** Why a request was not answered, in words. */
export function whyNot(error: unknown): string {
  const [code, text] = causeOf(error)
  return REASONS[code] ?? tlsWords(code) ?? text
}

function unreachable(registry: string, reads: boolean, error: unknown): RegistryError {
  const [code] = causeOf(error)
  const message = `no registry answers at ${registry}: ${whyNot(error)}`
  // Broken off in the middle, a write may have been done; `timeout` keeps it from being sent to another node.
  const lost = !reads && !NOT_SENT.has(code)
  return new RegistryError(lost ? 'timeout' : 'unreachable', message, { cause: error })
}

/** What OpenSSL says of a handshake that fails is a dump of its queue of errors. */
function tlsWords(code: string): string | undefined {
  if (code !== 'EPROTO' && !code.startsWith('ERR_SSL_')) return undefined
  const why = code
    .replace(/^ERR_SSL_/, '')
    .toLowerCase()
    .replaceAll('_', ' ')
  return code === 'EPROTO' ? 'TLS fails; does it speak https?' : `TLS fails: ${why}`
}

/** `fetch` hides the reason in its cause, and with several addresses for a name in a list of causes. */
function causeOf(error: unknown): readonly [code: string, text: string] {
  let at = error
  while (at instanceof Error && at.cause !== undefined) at = at.cause
  if (at instanceof AggregateError) at = at.errors[0] as unknown
  const code = at instanceof Error && 'code' in at && typeof at.code === 'string' ? at.code : ''
  return [code, at instanceof Error && at.message !== '' ? at.message : code]
}
