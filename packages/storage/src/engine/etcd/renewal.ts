/** Keeps one lease alive: a stream of renewals, replaced by one to another member when it is not answered. */
import type { Clock } from '@rollcall/core'
import type { Endpoints, OpenStream } from './endpoints.js'
import { LeaseRequest, LeaseResponse, PATHS } from './messages.js'
import type { EtcdTiming } from './options.js'
import type { Pauses } from './pauses.js'
import { meaningOf } from './rpc-status.js'

export interface RenewalDeps {
  readonly endpoints: Endpoints
  readonly clock: Clock
  readonly pauses: Pauses
  readonly timing: EtcdTiming
}

export interface Renewal {
  /** Resolves when the server says that the lease is gone, or after `stop`. */
  readonly over: Promise<void>
  /** Idempotent. */
  stop(): void
}

/** So many renewals without an answer: the stream is replaced. */
const MISSES_MAX = 2

/** Calls `confirmed` for each answer, with the moment at which its question left. */
export function renewLease(
  deps: RenewalDeps,
  id: bigint,
  ttlMs: number,
  confirmed: (asked: number) => void,
): Renewal {
  const { endpoints, pauses } = deps
  let stopped = false
  let cut = (): void => {}

  async function run(): Promise<void> {
    for (let failures = 1; !stopped && !pauses.closed; failures += 1) {
      const endpoint = endpoints.current
      const stream = openRenewals(deps, endpoint, id, ttlMs / deps.timing.renewals, (asked) => {
        failures = 0
        if (!stopped) confirmed(asked)
      })
      cut = () => stream.cut()
      const end = await stream.end
      if (end === 'gone') return
      if (stopped) return
      // Its connection is left as it is: a member that commits in seconds answers late, and the writes that wait there are done.
      endpoints.failed(endpoint)
      await pauses.backoff(Math.max(1, failures))
    }
  }

  return {
    over: run(),
    stop() {
      stopped = true
      cut()
    },
  }
}

/** The lease is gone; or the stream broke, or was not answered. */
type StreamEnd = 'gone' | 'broken'

function openRenewals(
  { endpoints, clock }: RenewalDeps,
  endpoint: string,
  id: bigint,
  everyMs: number,
  confirmed: (asked: number) => void,
): { readonly end: Promise<StreamEnd>; cut(): void } {
  const message = LeaseRequest.encode({ id })
  /** When the renewals left that have no answer yet. */
  const asked: number[] = []
  let stream: OpenStream | undefined
  let cancel = (): void => {}
  let over = false
  let resolve: (how: StreamEnd) => void
  const end = new Promise<StreamEnd>((settle) => (resolve = settle))

  const finish = (how: StreamEnd): void => {
    if (over) return
    over = true
    cancel()
    stream?.close()
    resolve(how)
  }
  const ask = (): void => {
    if (asked.length >= MISSES_MAX) return finish('broken')
    cancel = clock.setTimer(everyMs, ask)
    asked.push(clock.now())
    stream?.send(message)
  }
  const heard = (bytes: Uint8Array): void => {
    if (over) return
    let answer
    try {
      answer = LeaseResponse.decode(bytes)
    } catch {
      return finish('broken')
    }
    if (answer.ttlSeconds <= 0) return finish('gone')
    const moment = asked.shift()
    if (moment !== undefined) confirmed(moment)
  }

  const open = async (): Promise<void> => {
    const opened = await endpoints.open(PATHS.keepAlive, endpoint, {
      message: heard,
      ended(error) {
        if (meaningOf(error) === 'token') stream?.refused()
        finish('broken')
      },
    })
    if (over) return opened.close()
    stream = opened
    ask()
  }
  open().catch(() => finish('broken'))
  return { end, cut: () => finish('broken') }
}
