/** Requests to another registry: bounded in time and bytes, one URL after the other, errors of one type. */
import { isRegistryError, RegistryError } from '@rollcall/wire'
import { whyNot } from '../api-client.js'
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
  /**
   * The answer of the first URL that gives one; the last one that did is asked first. Where all are out of order (500 and above, but
   * 500 itself where `isOfItem`: then it may be about what was sent), redirect or say nothing, it rejects.
   */
  send(method: string, path: string, body?: unknown, isOfItem?: boolean): Promise<ForeignAnswer>
}

/** 64 MiB: some 50,000 instances as Eureka lists them. */
export const ANSWER_BYTES_MAX = 67_108_864
/** Of all lists that are read in one round. What lists more is no registry that a bridge can hold. */
export const LISTED_MAX = 100_000

export function createForeignHttp(deps: ForeignDeps, options: ForeignOptions): ForeignHttp {
  const { name, urls } = options
  let first = 0
  return {
    async send(method, path, body, isOfItem = false) {
      let last: unknown
      for (let turn = 0; turn < urls.length; turn++) {
        const at = (first + turn) % urls.length
        try {
          const answer = await ask(deps, options, urls[at] ?? '', { method, path, body, isOfItem })
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
  readonly isOfItem: boolean
}

async function ask(
  { fetch, clock }: ForeignDeps,
  { name, timeoutMs, headers }: ForeignOptions,
  url: string,
  { method, path, body, isOfItem }: Request,
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
      // A registration that is redirected would become a question, and a password would go to where it was not meant for.
      redirect: 'manual',
      signal: aborter.signal,
    })
    const text = await readText(answer.body, base)
    const { status } = answer
    if (status >= 300 && status < 400)
      throw new RegistryError(
        'protocol',
        `${name} at ${base} redirects to ${shownUrl(answer.headers.get('location'))}; name that URL instead`,
      )
    if (status < 500 || (isOfItem && status === 500)) return { status, text }
    throw new RegistryError('unreachable', `${name} at ${base} answers HTTP ${answer.status}${excerpt(text)}`)
  } catch (error) {
    if (isRegistryError(error)) throw error
    if (aborter.signal.aborted)
      throw new RegistryError('timeout', `no answer from ${name} at ${base} within ${timeoutMs} ms`)
    throw new RegistryError('unreachable', `no ${name} answers at ${base}: ${whyNot(error)}`, {
      cause: error,
    })
  } finally {
    cancel()
  }
}

/** Where it redirects to, without what may be secret. */
function shownUrl(location: string | null): string {
  if (location === null || !URL.canParse(location)) return 'another path'
  const { origin, pathname } = new URL(location)
  return origin + pathname
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

/** What to make of the answer to a renewal or a removal: of something else than the item it is the registry's own state. */
export function outcomeOf(
  name: string,
  { status, text }: ForeignAnswer,
  isUnknown: (status: number, text: string) => boolean,
): 'done' | 'unknown' {
  if (status < 300) return 'done'
  if (isUnknown(status, text)) return 'unknown'
  throw new RegistryError('unreachable', `${name} refuses: HTTP ${status}${excerpt(text)}`)
}

/** What a registry says to a refusal, short enough for a line. */
export function excerpt(text: string): string {
  const words = text.replaceAll(/\s+/g, ' ').trim().slice(0, 160)
  return words === '' ? '' : `: ${words}`
}
