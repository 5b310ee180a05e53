/** The calls to one service, and what they share. */
import type { Instance } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import type { Selection } from './selection.js'
import type { CallOptions, Work, Attempt } from './call.js'
import { checkCallOptions } from './call.js'
import type { Deadline } from './deadline.js'
import { startDeadline } from './deadline.js'
import type { FetchInit } from './fetch.js'
import { fetchFrom } from './fetch.js'
import { Latencies } from './latencies.js'
import type { Requester } from './requester.js'
import { LAST_RESORT, RETRIES, RetryBudget } from './retry-budget.js'
import type { CallTarget } from './run.js'
import { runCall } from './run.js'
import type { CallOutcome } from '../machine/events.js'
import type { Clock } from '../machine/ports.js'
import type { CallObservation } from './observation.js'

/** What the calls to one service work with. */
export interface CallerDeps {
  readonly service: string
  readonly clock: Clock
  readonly selection: Selection
  readonly requester: Requester
  /** Resolves once there is an instance to call. */
  ready(signal: AbortSignal): Promise<void>
  /** How an attempt ended, for all who use the service. */
  readonly tell: (instance: Instance, outcome: CallOutcome) => void
  /** Why there is no instance to call. */
  readonly none: () => RegistryError
  /** An attempt was given an instance. */
  readonly picked?: (instance: Instance) => void
  /** What follows a call that begins. */
  readonly observe?: () => CallObservation | undefined
}

/** A user of the service that may end all of its calls at once. */
export interface CallOwner {
  began(deadline: Deadline): void
  ended(deadline: Deadline): void
}

/** Calls to one service: they share a retry budget, what is known of the latency, and the view of which instances are well. */
export class ServiceCalls {
  private readonly deps: CallerDeps
  private readonly retries: RetryBudget
  private readonly lastResort: RetryBudget
  private readonly latencies = new Latencies()
  private readonly underWay = new Set<Deadline>()

  constructor(deps: CallerDeps) {
    const now = deps.clock.now()
    this.deps = deps
    this.retries = new RetryBudget(now, RETRIES)
    this.lastResort = new RetryBudget(now, LAST_RESORT)
  }

  /** Begins an attempt; undefined when there is none but those excepted. */
  begin(except: ReadonlySet<Instance>, key: string | undefined): Attempt | undefined {
    const { clock, selection, tell } = this.deps
    const instance = selection.pickOther(except, key)
    if (instance === undefined) return undefined
    const startedAt = clock.now()
    let open = true
    selection.began(instance)
    this.deps.picked?.(instance)
    return {
      instance,
      end: (outcome) => {
        if (!open) return
        open = false
        const latencyMs = clock.now() - startedAt
        if (outcome === 'success') this.latencies.add(latencyMs)
        selection.ended(instance, { outcome, latencyMs, wasBegun: true })
        if (outcome !== undefined) tell(instance, outcome)
      },
    }
  }

  async call<T>(work: Work<T>, options: CallOptions<T>, owner?: CallOwner): Promise<T> {
    const { clock, service, selection } = this.deps
    checkCallOptions(options)
    const observed = this.deps.observe?.()
    const deadline = startDeadline(clock, service, options)
    this.underWay.add(deadline)
    owner?.began(deadline)
    try {
      deadline.signal.throwIfAborted()
      if (selection.candidates.length === 0) await this.deps.ready(deadline.signal)
      if (!selection.hopeless) this.retries.called(clock.now())
      else if (!this.lastResort.take(clock.now())) throw this.hopeless()
      const answer = await runCall(clock, this.target(observed), deadline, work, options)
      observed?.end()
      return answer
    } catch (error) {
      const reason: unknown = deadline.signal.aborted ? deadline.signal.reason : error
      observed?.end(reason)
      throw reason
    } finally {
      this.underWay.delete(deadline)
      deadline.release()
      owner?.ended(deadline)
    }
  }

  async fetch(path: string, init: FetchInit, owner?: CallOwner): Promise<Response> {
    const { requester, tell } = this.deps
    const call = <T>(work: Work<T>, options: CallOptions<T>): Promise<T> => this.call(work, options, owner)
    return fetchFrom({ requester, call, broken: (instance) => tell(instance, 'unreachable') }, path, init)
  }

  /** Ends the calls under way; their attempts are aborted. */
  end(reason: RegistryError): void {
    for (const deadline of this.underWay) deadline.end(reason)
  }

  private target(observed: CallObservation | undefined): CallTarget {
    const { service, clock, selection, none } = this.deps
    return {
      service,
      begin: (tried, key) => this.begin(tried, key),
      another: (tried) => selection.another(tried),
      mayRetry: () => (selection.hopeless ? this.lastResort : this.retries).take(clock.now()),
      hedgeAfterMs: (delay) => this.latencies.delayMs(delay),
      none,
      observed,
    }
  }

  private hopeless(): RegistryError {
    const { service, selection } = this.deps
    const failing = selection.candidates.map((item) => `${item.host}:${item.port}`)
    return new RegistryError(
      'unreachable',
      `every instance of ${service} failed several times, the last time a moment ago: few calls are let through`,
      { details: { failing, limited: true } },
    )
  }
}
