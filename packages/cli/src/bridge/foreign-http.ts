/** Requests to another registry: bounded in time and bytes, one URL after the other, errors of one type. */
import { isRegistryError, RegistryError } from '@rollcall/wire'
import type { Clock } from '../clock.js'
import type { Fetch } from '../shell.js'

export interface ForeignDeps {
  readonly fetch: Fetch
  readonly clock: Clock
}

export interface ForeignOptions {
  /** `Eureka`, as people say it. */
  readonly name: string
  /** In the order in which they are tried; without a slash at the end. May have a user and a password. */
  readonly urls: readonly string[]
  readonly timeoutMs: number
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>
}

export interface ForeignAnswer {
  readonly status: number
  readonly text: string
}

export interface ForeignHttp {
  /** The answer of the first URL that gives one below 500; the last one that did is asked first. */
  send(method: string, path: string, body?: unknown): Promise<ForeignAnswer>
}

/** 64 MiB: some 50,000 instances as Eureka lists them. */
const ANSWER_BYTES_MAX = 67_108_864

export function createForeignHttp(deps: ForeignDeps, options: ForeignOptions): ForeignHttp {
  const { name, urls } = options
  let first = 0
  return {
    async send(method, path, body) {
      let last: unknown
      for (let turn = 0; turn < urls.length; turn++) {
        const at = (first + turn) % urls.length
        try {
          const answer = await ask(deps, options, urls[at] ?? '', { method, path, body })
          first = at
          return answer
        } catch (error) {
          last = error
        }
      }
      throw isRegistryError(last)
        ? last
        : new RegistryError('unreachable', `no ${name} answers`, { cause: last })
    },
  }
}

interface Request {
  readonly method: string
  readonly path: string
  readonly body: unknown
}

async function ask(
  { fetch, clock }: ForeignDeps,
  { name, timeoutMs, headers }: ForeignOptions,
  url: string,
  { method, path, body }: Request,
): Promise<ForeignAnswer> {
  const { base, credentials } = splitUrl(url)
  const aborter = new AbortController()
  const cancel = clock.setTimer(timeoutMs, () => aborter.abort())
  try {
    const answer = await fetch(base + path, {
      method,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(credentials === undefined ? {} : { authorization: `Basic ${credentials}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: aborter.signal,
    })
    const text = await readText(answer.body, base)
    if (answer.status < 500) return { status: answer.status, text }
    throw new RegistryError('unreachable', `${name} at ${base} answers HTTP ${answer.status}${excerpt(text)}`)
  } catch (error) {
    if (isRegistryError(error)) throw error
    if (aborter.signal.aborted)
      throw new RegistryError('timeout', `no answer from ${name} at ${base} within ${timeoutMs} ms`)
    throw new RegistryError('unreachable', `no ${name} answers at ${base}${reasonOf(error)}`, {
      cause: error,
    })
  } finally {
    cancel()
  }
}

/** Credentials of a URL go into a header: fetch takes none, and no message shows them. */
function splitUrl(text: string): { readonly base: string; readonly credentials?: string } {
  const url = new URL(text)
  const { username, password } = url
  const base = (url.origin + url.pathname).replace(/\/+$/, '')
  if (username === '' && password === '') return { base }
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { base, credentials: Buffer.from(pair).toString('base64') }
}

async function readText(stream: Awaited<ReturnType<Fetch>>['body'], base: string): Promise<string> {
  if (stream === null) return ''
  const reader = stream.getReader()
  const pieces: Uint8Array[] = []
  let bytes = 0
  for (;;) {
    const { value } = await reader.read()
    if (value === undefined) return Buffer.concat(pieces).toString()
    bytes += value.length
    pieces.push(value)
    if (bytes > ANSWER_BYTES_MAX) {
      void reader.cancel().catch(() => undefined)
      throw new RegistryError('protocol', `the answer of ${base} is longer than ${ANSWER_BYTES_MAX} bytes`)
    }
  }
}

/** What a registry says to a refusal, short enough for a line. */
export function excerpt(text: string): string {
  const words = text.replaceAll(/\s+/g, ' ').trim().slice(0, 160)
  return words === '' ? '' : `: ${words}`
}

/** `fetch` hides the reason in its cause. */
function reasonOf(error: unknown): string {
  let at = error
  while (at instanceof Error && at.cause !== undefined) at = at.cause
  if (at instanceof AggregateError) at = at.errors[0]
  return at instanceof Error ? `: ${at.message}` : ''
}
