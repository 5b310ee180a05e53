/** The prober: which probes are made, when, and how many at a time. */
import type { Clock, Logger, Meter, ProbeOutcome, ProbeRequest } from '@rollcall/core'
import type { SystemRandom } from '../random.js'
import { createAddressRule, type AddressRule } from './address-rule.js'
import { createConnect } from './connect.js'
import { beginHostProbe, FORBIDDEN, type HostProbeDeps } from './host-probe.js'
import { GRPC_PROBE } from './grpc.js'
import { HTTP_PROBE } from './http.js'
import type { ProbeMethod } from './method.js'
import { createProbeQueue, type ProbeQueue } from './queue.js'
import { createAddressResolver, systemLookup, type Lookup } from './resolver.js'
import type { Connect, ProbeAnswer } from './socket.js'
import { TCP_PROBE } from './tcp.js'

export interface ProberDeps {
  readonly clock: Clock
  readonly random: Pick<SystemRandom, 'fraction'>
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
   * lost rack are found dead in 3 s.
   */
  readonly concurrencyMax?: number
  /**
   * Most probes that wait, delayed ones included. Default 200,000: two for each of 100,000 instances. When
   * full, baselines go first (they come again); what goes is answered `unable`.
   */
  readonly queueMax?: number
  /** CIDR blocks that may be probed on behalf of any peer. Default none. */
  readonly networks?: readonly string[]
}

/** Asks instances whether they live. */
export interface Prober {
  /**
   * Whether a probe could be made at all. Cheap; false only where `probe` would answer `skipped` for sure, so
   * that a batch of hosts that are none of the peer's costs nothing.
   */
  permits(host: string, peer: string | undefined): boolean
  /**
   * Probes once, after the delay of the request (baselines a little later, spread by chance), and answers
   * exactly once, never before returning. Nothing is answered after `close`.
   *
   * `succeeded` = it answered as the type of the probe demands; `refused` = every address of the host refused the
   * connection; `skipped` = never asked (type `none`, forbidden by the address rule); `unable` = not asked now (no
   * room, this node out of sockets), no evidence about the instance; `failed` = anything else. The timeout is that of the whole
   * exchange, from the question to the resolver to the end of the answer. `cause` says in a few words why it did
   * not succeed, where that is known.
   */
  probe(request: ProbeRequest, callback: (outcome: ProbeOutcome, cause?: string) => void): void
  /** Forgets what waits and destroys every socket. Idempotent. */
  close(): void
}

/** A baseline waits up to this much longer, and up to a tenth of its delay, so that a batch does not connect all at once. */
const BASELINE_JITTER_MS = 100
/** Questions to the system's resolver at a time; libuv gives them at most half of its threads. */
const LOOKUPS_MAX = 16
/** Attempts begun in one turn of the event loop: a few milliseconds of work, so that beats are read in between. */
const BURST_MAX = 64
/** At most one line about probes that were not made in this time. */
const LOG_INTERVAL_MS = 10_000

/** A probe that was asked for, and the listener to its outcome. */
interface Inquiry {
  readonly request: ProbeRequest
  readonly callback: (outcome: ProbeOutcome, cause?: string) => void
}

interface Job extends Inquiry {
  readonly method: ProbeMethod
  readonly purpose: ProbeRequest['purpose']
  readonly dueMs: number
}

const METHODS: Readonly<Partial<Record<ProbeRequest['type'], ProbeMethod>>> = {
  tcp: TCP_PROBE,
  http: HTTP_PROBE,
  grpc: GRPC_PROBE,
}

/** Creates a prober; it needs no start. */
export function createProber(deps: ProberDeps, options: ProberOptions = {}): Prober {
  return new QueueingProber(deps, options)
}

class QueueingProber implements Prober {
  private readonly deps: ProberDeps
  private readonly rule: AddressRule
  private readonly concurrencyMax: number
  private readonly queue: ProbeQueue<Job>
  private readonly hostProbe: HostProbeDeps
  /** Probes under way. */
  private readonly active = new Set<{ abandon: () => void }>()
  private readonly reportLoss: (cause: string) => void
  private wake: { readonly atMs: number; readonly cancel: () => void } | undefined
  private closed = false

  constructor(deps: ProberDeps, options: ProberOptions) {
    this.deps = deps
    this.concurrencyMax = options.concurrencyMax ?? 2_048
    this.queue = createProbeQueue(options.queueMax ?? 200_000)
    this.rule = createAddressRule(options.networks ?? [])
    this.hostProbe = {
      clock: deps.clock,
      connect: deps.connect ?? createConnect(),
      resolver: createAddressResolver(deps.lookup ?? systemLookup, LOOKUPS_MAX),
      rule: this.rule,
    }
    this.reportLoss = createLossReport(deps.clock, deps.logger)
  }

  permits(host: string, peer: string | undefined): boolean {
    return this.rule.decide(host, peer) !== 'forbidden'
  }

  probe(request: ProbeRequest, callback: Inquiry['callback']): void {
    if (this.closed) return
    const { type, purpose, delayMs, host, peer } = request
    // A kind that this release does not know is in the journal of a later one, or came from a node of it.
    const method = METHODS[type]
    if (method === undefined) return this.decline({ request, callback }, 'skipped', 'no probe')
    if (!this.permits(host, peer)) return this.decline({ request, callback }, 'skipped', FORBIDDEN)
    const { clock, random } = this.deps
    const spreadMs = purpose === 'baseline' ? BASELINE_JITTER_MS + delayMs / 10 : 0
    const dueMs = clock.now() + delayMs + spreadMs * random.fraction()
    const dropped = this.queue.add({ request, callback, method, purpose, dueMs })
    if (dropped !== undefined) {
      this.reportLoss('queue full')
      this.decline(dropped, 'unable', 'queue full')
    }
    this.schedule()
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.wake?.cancel()
    this.queue.clear()
    for (const { abandon } of this.active) abandon()
    this.active.clear()
  }

  /** Sees to it that `pump` runs when the next probe is due and there is room for it. */
  private schedule(): void {
    const nextMs = this.active.size < this.concurrencyMax ? this.queue.nextDueMs() : undefined
    if (nextMs === this.wake?.atMs) return
    this.wake?.cancel()
    this.wake = undefined
    if (nextMs === undefined) return
    const { clock } = this.deps
    const cancel = clock.setTimer(Math.max(0, Math.ceil(nextMs - clock.now())), () => {
      this.wake = undefined
      this.pump()
    })
    this.wake = { atMs: nextMs, cancel }
  }

  private pump(): void {
    const nowMs = this.deps.clock.now()
    for (
      let begun = 0;
      begun < BURST_MAX && !this.closed && this.active.size < this.concurrencyMax;
      begun++
    ) {
      const job = this.queue.take(nowMs)
      if (job === undefined) break
      this.begin(job)
    }
    if (!this.closed) this.schedule()
  }

  private begin(job: Job): void {
    const running = { abandon: (): void => undefined }
    this.active.add(running)
    // The answer comes at once where no socket could be made.
    running.abandon = beginHostProbe(this.hostProbe, job.request, job.method, (answer) => {
      this.active.delete(running)
      if (answer.outcome === 'unable') this.reportLoss(answer.cause ?? 'unknown')
      this.answer(job, answer)
      this.schedule()
    })
  }

  private decline(inquiry: Inquiry, outcome: 'skipped' | 'unable', cause: string): void {
    queueMicrotask(() => {
      if (!this.closed) this.answer(inquiry, { outcome, cause })
    })
  }

  private answer({ request, callback }: Inquiry, { outcome, cause }: ProbeAnswer): void {
    const { logger, meter } = this.deps
    meter.count('rollcall_probes_total', 1, outcome)
    const { key, type, purpose } = request
    if (outcome === 'failed') logger.debug({ ...key, type, purpose, cause }, 'probe failed')
    callback(outcome, cause)
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
