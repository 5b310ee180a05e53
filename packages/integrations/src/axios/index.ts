/** An axios adapter for which host names are names of services: `api.get('http://orders.rollcall/42')`. */
import { Readable } from 'node:stream'
import type { AttemptEnd, Instance, Judgement, Rollcall } from '@rollcall/client'
import { isRegistryError, judgeError } from '@rollcall/client'
import type { AxiosAdapter, AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import axios, { AxiosError, AxiosHeaders, CanceledError } from 'axios'
import type { RepeatOptions } from '../repeat-options.js'
import { callOptions, judgeStatus, REPEATABLE } from '../repeat-options.js'
import type { HostOptions } from '../service-hosts.js'
import { originOf, serviceHosts } from '../service-hosts.js'
import { type Agents, createAgents } from './agents.js'

export type { RepeatOptions } from '../repeat-options.js'
export type { HostOptions } from '../service-hosts.js'

/** How requests to services are made. */
export interface AdapterOptions extends HostOptions, RepeatOptions {
  /** Time for connecting to one instance, where a request brings no agent. Default 1,000. */
  readonly connectTimeoutMs?: number
}

/** What one request to a service wants otherwise. */
export interface CallConfig extends RepeatOptions {
  /** Whether it does no harm to execute it twice. Default: what HTTP says of the method. */
  readonly idempotent?: boolean
  /** What is to stay with one instance, such as a user's id. Only the balancer `hash` looks at it. */
  readonly key?: string
}

declare module 'axios' {
  interface AxiosRequestConfig {
    /** For requests to services of Rollcall. */
    rollcall?: CallConfig
  }
}

type Config = InternalAxiosRequestConfig

/**
 * The adapter: `axios.create({ adapter: createAdapter(rollcall) })`. A request to a service goes to its instances one
 * after the other until one answers, as `service.call` does, past any proxy; the `timeout` of axios is that of one attempt.
 * It fails with an `AxiosError` whose `cause` is a `RegistryError`. Requests to other hosts go where they went before.
 */
export function createAdapter(rollcall: Rollcall, options: AdapterOptions = {}): AxiosAdapter {
  const { connectTimeoutMs = 1_000, ...rest } = options
  const serviceOf = serviceHosts(rollcall, rest)
  const send = axios.getAdapter(['http'])
  const agents = createAgents(connectTimeoutMs)
  return async (config) => {
    const text = axios.getUri(config)
    const url = URL.canParse(text) ? new URL(text) : undefined
    const service = url && serviceOf(url)
    if (url === undefined || service === undefined) return send(config)
    const { idempotent, key, ...own } = config.rollcall ?? {}
    const repeat = { ...rest, ...own }
    const again = isReplayable(config.data)
    try {
      return await service.call<AxiosResponse>(
        (instance, { signal, headers }) =>
          send({
            ...agents.options,
            ...addressed(config, url, instance),
            headers: withHeaders(config, headers),
            signal,
          }),
        {
          ...callOptions(repeat),
          ...(key !== undefined && { key }),
          ...(config.signal !== undefined && { signal: config.signal as AbortSignal }),
          idempotent: again && (idempotent ?? REPEATABLE.has((config.method ?? 'get').toUpperCase())),
          judge: (end) => judge(end, { data: config.data, repeat, again, agents }),
          discard: ({ data }) => {
            if (data instanceof Readable) data.destroy()
          },
        },
      )
    } catch (error) {
      throw axiosErrorOf(error, config)
    }
  }
}

/** The request as it goes to one instance. The query is part of the URL by now. */
function addressed(config: Config, url: URL, instance: Instance): Config {
  const { baseURL: _base, params: _params, proxy, ...rest } = config
  const origin = originOf(instance, url.protocol)
  // Variables of the environment send everything to a proxy that does not know these addresses.
  return { ...rest, url: `${origin}${url.pathname}${url.search}`, proxy: proxy ?? false }
}

/** Named by its constructor: the CommonJS declarations of axios have no type of this name. */
type Headers = InstanceType<typeof AxiosHeaders>

/** A copy for one attempt; headers that the request has stay. */
function withHeaders({ headers }: Config, more: Readonly<Record<string, string>>): Headers {
  const own = AxiosHeaders.from(headers)
  const all = new AxiosHeaders(own)
  for (const [name, value] of Object.entries(more)) all.set(name, value, false)
  return all
}

/** What the end of an attempt is judged by. */
interface Circumstances {
  readonly data: unknown
  readonly repeat: RepeatOptions
  /** Whether the data can be sent once more. */
  readonly again: boolean
  readonly agents: Agents
}

function judge(end: AttemptEnd<AxiosResponse>, { data, repeat, again, agents }: Circumstances): Judgement {
  if (end.ok) return judgeStatus(repeat, end.answer.status)
  const { error } = end
  // A status that `validateStatus` refuses is an answer all the same.
  if (error instanceof AxiosError && error.response !== undefined)
    return judgeStatus(repeat, error.response.status)
  if (ranOut(error)) return { outcome: 'timeout', retry: 'idempotent' }
  const cause = error instanceof AxiosError ? error.cause : undefined
  // The caller's own stream failed, before or after there was a connection: that is no matter of any instance.
  if (data instanceof Readable && data.errored !== null && data.errored === cause) return { retry: 'never' }
  // Not `sent` where it is not `connect`: what is not known may be the failure of a transformation.
  const judgement = judgeError(error, agents.unmade(cause) ? 'connect' : undefined)
  // axios begins to read a stream before it is connected.
  return judgement.retry === 'always' && !again ? { ...judgement, retry: 'idempotent' } : judgement
}

/** Whether the `timeout` of axios is over: the same codes as a broken connection, but of no system call. */
function ranOut(error: unknown): boolean {
  if (!(error instanceof AxiosError) || error.cause !== undefined) return false
  return error.code === AxiosError.ECONNABORTED || error.code === AxiosError.ETIMEDOUT
}

/** Whether data can be sent twice: what a stream holds is gone. */
function isReplayable(data: unknown): boolean {
  if (data === undefined || data === null || typeof data === 'string') return true
  return data instanceof Uint8Array || data instanceof ArrayBuffer || data instanceof URLSearchParams
}

/** What users of axios expect. */
function axiosErrorOf(error: unknown, config: Config): unknown {
  if (!isRegistryError(error)) return error
  if (error.code === 'aborted') return new CanceledError(undefined, config)
  const { cause } = error
  const code = error.code === 'timeout' ? AxiosError.ETIMEDOUT : AxiosError.ERR_NETWORK
  return AxiosError.from(error, code, config, cause instanceof AxiosError ? cause.request : undefined)
}
