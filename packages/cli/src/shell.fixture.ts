/** A process for unit tests: text is kept, time stands still until it is moved, the network is a function. */
import type { Clock } from './clock.js'
import type { Fetch, Shell } from './shell.js'

/** A clock moved by hand. */
export interface HandClock extends Clock {
  /** Moves time on, calling back what comes due on the way in its order. */
  advance(ms: number): void
  /** Timers that wait. */
  readonly waiting: number
}

/** Creates a clock that starts at 1,000 ms, on the first second of 2026 (UTC). */
export function createHandClock(): HandClock {
  let now = 1_000
  let timers: { readonly at: number; readonly callback: () => void }[] = []
  return {
    now: () => now,
    wallNow: () => 1_767_225_600_000 + now,
    setTimer(delayMs, callback) {
      const timer = { at: now + delayMs, callback }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    advance(ms) {
      const end = now + ms
      for (;;) {
        const [next] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (next === undefined) break
        timers = timers.filter((other) => other !== next)
        now = next.at
        next.callback()
      }
      now = end
    },
    get waiting() {
      return timers.length
    },
  }
}

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
  options: { readonly env?: Shell['env']; readonly isTerminal?: boolean } = {},
): FakeShell {
  const written = { out: '', err: '' }
  const requests: SeenRequest[] = []
  const listeners = new Set<{
    readonly signals: readonly NodeJS.Signals[]
    readonly call: (signal: NodeJS.Signals) => void
  }>()
  const { isTerminal = false, env = {} } = options
  return {
    out: { write: (text) => void (written.out += text), isTerminal },
    err: { write: (text) => void (written.err += text), isTerminal },
    env,
    clock: createHandClock(),
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
