/** A process for unit tests: text is kept, time stands still until it is moved, the network is a function. */
import { HandClock } from '@rollcall/testkit/time'
import type { Fetch, Shell } from './shell.js'

/** The first second of 2026 (UTC): a shell's clock starts at 1,000 ms. */
const WALL_MS = 1_767_225_600_000

/** One request as the fake network sees it. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly body: unknown
}

/** A shell whose doings can be looked at. */
export interface FakeShell extends Shell {
  readonly clock: HandClock
  readonly requests: readonly SeenRequest[]
  readonly stdout: () => string
  readonly stderr: () => string
  /** Delivers a signal; false when there is no listener. */
  readonly raise: (signal: NodeJS.Signals) => boolean
}

/** What the fake network answers: a status and a JSON body, an error to fail with, or `hang`. */
export type Answer =
  | { readonly status?: number; readonly json: unknown }
  | { readonly fails: string }
  | 'hang'

/** Creates a shell; `answer` is asked for every request. */
export function createFakeShell(
  answer: (request: SeenRequest) => Answer = () => ({ fails: 'ECONNREFUSED' }),
  options: {
    readonly env?: Shell['env']
    readonly user?: string
    readonly isTerminal?: boolean
    readonly columns?: number
  } = {},
): FakeShell {
  const written = { out: '', err: '' }
  const requests: SeenRequest[] = []
  const listeners = new Set<{
    readonly signals: readonly NodeJS.Signals[]
    readonly call: (signal: NodeJS.Signals) => void
  }>()
  const { isTerminal = false, columns, env = {}, user = 'ann' } = options
  return {
    out: { write: (text) => void (written.out += text), isTerminal, columns },
    err: { write: (text) => void (written.err += text), isTerminal, columns },
    env,
    user,
    pid: 4_711,
    clock: new HandClock(1_000, WALL_MS),
    random: () => 0.5,
    fetch: fakeFetch(answer, requests),
    ownAddress: () => Promise.resolve('10.0.0.7'),
    onSignal(signals, call) {
      const listener = { signals, call }
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    requests,
    stdout: () => written.out,
    stderr: () => written.err,
    raise(signal) {
      const heard = [...listeners].filter(({ signals }) => signals.includes(signal))
      for (const { call } of heard) call(signal)
      return heard.length > 0
    },
  }
}

function fakeFetch(answer: (request: SeenRequest) => Answer, requests: SeenRequest[]): Fetch {
  return (url, { method, body, signal }) => {
    const request = { method, url, body: body === undefined ? undefined : (JSON.parse(body) as unknown) }
    requests.push(request)
    const given = answer(request)
    if (given === 'hang') {
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
      })
    }
    if ('fails' in given) {
      return Promise.reject(
        new TypeError('fetch failed', {
          cause: Object.assign(new Error(given.fails), { code: given.fails }),
        }),
      )
    }
    return Promise.resolve(
      new Response(JSON.stringify(given.json), {
        status: given.status ?? 200,
        headers: { 'content-type': 'application/json' },
      }),
    )
  }
}
