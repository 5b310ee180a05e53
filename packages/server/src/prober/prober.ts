import type { Clock, Logger, Meter, ProbeOutcome, ProbeRequest } from '@rollcall/core'
import { createAddressRule } from './address-rule.js'
import { attempt } from './attempt.js'
import { createConnect } from './connect.js'
import { GRPC_PROBE } from './grpc.js'
import { HTTP_PROBE } from './http.js'
import { targetOf } from './method.js'
import type { ProbeMethod } from './method.js'
import { createProbeQueue } from './queue.js'
import { createAddressResolver, systemLookup } from './resolver.js'
import type { Lookup } from './resolver.js'
import { ask } from './socket.js'
import type { Answer, Connect } from './socket.js'
import { TCP_PROBE } from './tcp.js'
import type { Random } from '../random.js'

export interface ProberDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
  /** Default `createConnect()`. */
  readonly connect?: Connect
  /** Default: the system's resolver. */
  readonly lookup?: Lookup
}

export interface ProberOptions {
  /**
   * Most attempts at a time, a descriptor each. Default 2,048: with the timeout of 1 s, 5,000 instances of a
   * lost rack are found out in 3 s.
   */
  readonly concurrencyMax?: number
  /**
   * Most probes that wait, delayed ones included. Default 200,000: two for each of 100,000 instances. When
   * full, baselines go first (they come again); what goes is answered `unable`.
   */
  readonly queueMax?: number
  /** CIDR blocks that may be probed whoever registered there. Default none. */
  readonly networks?: readonly string[]
}

/** Asks instances whether they live. */
export interface Prober {
  /**
   * Whether a probe could be made at all. Cheap; false only where `probe` would answer `skipped` for sure, so
   * that a batch of strangers costs nothing.
   */
  permits(host: string, peer: string | undefined): boolean
  /**
   * Probes once, after the delay of the request (baselines a little later, spread by chance), and answers
   * exactly once, never before returning. Nothing is answered after `close`.
   *
   * `succeeded` = it answered as the type of the probe demands; `refused` = every address of the host refused the
   * connection; `skipped` = never asked (type `none`, forbidden by the address rule); `unable` = not asked now (no
   * room, this node out of sockets), which says nothing about the instance; `failed` = anything else. The timeout is that of the whole
   * exchange, from the question to the resolver to the end of the answer. `cause` says in a few words why it did
   * not succeed, where that is known.
   */
  probe(request: ProbeRequest, callback: (outcome: ProbeOutcome, cause?: string) => void): void
  /** Forgets what waits and destroys every socket. Idempotent. */
  close(): void
}

/** A baseline waits up to this much longer, and up to a tenth of its delay, so that a batch does not knock at once. */
const BASELINE_JITTER_MS = 100
/** Addresses tried of a host name, one after the other within one timeout. */
const ADDRESSES_MAX = 4
/** Questions to the system's resolver at a time; libuv gives them at most half of its threads. */
const LOOKUPS_MAX = 16
/**
 * A timeout that fires this late means that the event loop stood still, and Node runs timers before it reads
 * the sockets that may long hold the answer: it gets this much more time to be read.
 */
const STALL_MS = 20
/** Cause of an outcome. */
const FORBIDDEN = 'address not allowed'
/** Attempts begun in one turn of the event loop: a few milliseconds of work, so that beats are read in between. */
const BURST_MAX = 64
/** At most one line about probes that were not made in this time. */
const LOG_INTERVAL_MS = 10_000

/** Who asked, and who is told. */
interface Inquiry {
  readonly request: ProbeRequest
  readonly callback: (outcome: ProbeOutcome, cause?: string) => void
}

interface Job extends Inquiry {
  readonly method: ProbeMethod
  readonly purpose: ProbeRequest['purpose']
  readonly dueMs: number
}

const METHODS: Readonly<Record<Exclude<ProbeRequest['type'], 'none'>, ProbeMethod>> = {
  tcp: TCP_PROBE,
  http: HTTP_PROBE,
  grpc: GRPC_PROBE,
}

/** Creates a prober; it needs no start. */
export function createProber(deps: ProberDeps, options: ProberOptions = {}): Prober {
  const { clock, logger, meter } = deps
  const concurrencyMax = options.concurrencyMax ?? 2_048
  const connect = deps.connect ?? createConnect()
  const rule = createAddressRule(options.networks ?? [])
  const resolver = createAddressResolver(deps.lookup ?? systemLookup, LOOKUPS_MAX)
  const queue = createProbeQueue<Job>(options.queueMax ?? 200_000)
  /** For each attempt under way, what ends it without an answer. */
  const active = new Set<() => void>()
  const reportLoss = createLossReport(clock, logger)
  let wake: { readonly atMs: number; readonly cancel: () => void } | undefined
  let closed = false

  function answer({ request, callback }: Inquiry, { outcome, cause }: Answer): void {
    meter.count('rollcall_probes_total', 1, outcome)
    const { key, type, purpose } = request
    if (outcome === 'failed') logger.debug({ ...key, type, purpose, cause }, 'probe failed')
    callback(outcome, cause)
  }

  function decline(inquiry: Inquiry, outcome: 'skipped' | 'unable', cause: string): void {
    queueMicrotask(() => {
      if (!closed) answer(inquiry, { outcome, cause })
    })
  }

  function begin(job: Job): void {
    const { request, method } = job
    const { host, peer, timeoutMs } = request
    let stop = (): void => {}
    const abandon = (): void => {
      active.delete(abandon)
      cancelTimeout()
      stop()
    }
    const end = (result: Answer): void => {
      abandon()
      answer(job, result)
      schedule()
    }
    const askAll = (addresses: readonly string[]): void => {
      const converse = method.conversation(request)
      stop = attempt(
        (address, callback) => ask(connect, targetOf(request, method, address), converse, callback),
        addresses,
        (result) => {
          if (result.outcome === 'unable') reportLoss(result.cause ?? 'unknown')
          end(result)
        },
      )
    }
    const timedOut = (): void => end({ outcome: 'failed', cause: 'timeout' })
    const deadlineMs = clock.now() + timeoutMs
    let cancelTimeout = clock.setTimer(timeoutMs, () => {
      if (clock.now() < deadlineMs + STALL_MS) return timedOut()
      cancelTimeout = clock.setTimer(STALL_MS, timedOut)
    })
    active.add(abandon)
    if (rule.decide(host, peer) === 'allowed') return askAll([host])
    stop = resolver.resolve(host, (found) => {
      // The address that was judged is the address that is asked, whatever the name means a moment later.
      const allowed = found.filter((address) => rule.allows(address, peer)).slice(0, ADDRESSES_MAX)
      if (allowed.length > 0) askAll(allowed)
      else
        end(
          found.length > 0
            ? { outcome: 'skipped', cause: FORBIDDEN }
            : { outcome: 'failed', cause: 'unknown host' },
        )
    })
  }

  /** Sees to it that `pump` runs when the next probe is due and there is room for it. */
  function schedule(): void {
    const nextMs = active.size < concurrencyMax ? queue.nextDueMs() : undefined
    if (nextMs === wake?.atMs) return
    wake?.cancel()
    if (nextMs === undefined) {
      wake = undefined
      return
    }
    const cancel = clock.setTimer(Math.max(0, Math.ceil(nextMs - clock.now())), () => {
      wake = undefined
      pump()
    })
    wake = { atMs: nextMs, cancel }
  }

  function pump(): void {
    const nowMs = clock.now()
    for (let begun = 0; begun < BURST_MAX && !closed && active.size < concurrencyMax; begun++) {
      const job = queue.take(nowMs)
      if (job === undefined) break
      begin(job)
    }
    if (!closed) schedule()
  }

  return {
    permits: (host, peer) => rule.decide(host, peer) !== 'forbidden',
    probe(request, callback) {
      if (closed) return
      const { type, purpose, delayMs } = request
      if (type === 'none') return decline({ request, callback }, 'skipped', 'no probe')
      if (rule.decide(request.host, request.peer) === 'forbidden')
        return decline({ request, callback }, 'skipped', FORBIDDEN)
      const spreadMs = purpose === 'baseline' ? BASELINE_JITTER_MS + delayMs / 10 : 0
      const dueMs = clock.now() + delayMs + spreadMs * deps.random.fraction()
      const dropped = queue.add({ request, callback, method: METHODS[type], purpose, dueMs })
      if (dropped !== undefined) {
        reportLoss('queue full')
        decline(dropped, 'unable', 'queue full')
      }
      schedule()
    },
    close() {
      if (closed) return
      closed = true
      wake?.cancel()
      queue.clear()
      for (const abandon of [...active]) abandon()
    },
  }
}

/** Logs that probes were not made for this node's own troubles: the first at once, then with a count. */
function createLossReport(clock: Clock, logger: Logger): (cause: string) => void {
  let unreported = 0
  let lastMs = -Infinity
  return (cause) => {
    unreported++
    const nowMs = clock.now()
    if (nowMs - lastMs < LOG_INTERVAL_MS) return
    logger.warn({ cause, probes: unreported }, 'probes not made')
    lastMs = nowMs
    unreported = 0
  }
}
