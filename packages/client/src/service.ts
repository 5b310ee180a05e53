import type { Instance, ViewName } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import type { Balancer } from './balancer.js'
import { ChangeFeed } from './changes.js'
import type { Clock } from './clock.js'
import type { Driver } from './driver.js'
import { abortedError } from './driver.js'
import type { FailureKind } from './ejections.js'
import type { FetchInit } from './fetch.js'
import type { FetchTarget } from './fetch.js'
import { fetchFrom } from './fetch.js'
import type { ListChange, ListSource } from './machine/events.js'
import { nobodyError } from './nobody.js'
import { OfferListeners } from './offer-listeners.js'
import type { Choice } from './overlay.js'
import { NOBODY } from './overlay.js'
import type { Requester } from './request.js'
import { LAST_RESORT, RETRIES, RetryBudget } from './retry-budget.js'
import { waitWithin } from './start-up.js'
import type { WarmUpHook, WarmUps } from './warm-up.js'

/**
 * How a call of one's own ended. `unreachable`: no connection, or it broke before the answer. `timeout`: no
 * answer in time. `failure`: an answer that means the instance is unwell.
 */
export type CallOutcome = 'success' | FailureKind

/** How to wait for a service. */
export interface ReadyOptions {
  /** Default 5,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** A watched service, or one group of it. */
export interface Service {
  readonly namespace: string
  readonly name: string
  readonly group: string | undefined
  /** Where the current list came from. */
  readonly source: ListSource
  /**
   * Resolves once there is something to call, and, the first time, when those who can be called were warmed up
   * (`ConnectOptions.warmup`) or the deadline has come. Rejects at the deadline with `no_instances` (the service is
   * known and has none), `unreachable` (no registry, snapshot or static list) or `timeout` (a registry that does not
   * tell).
   */
  ready(options?: ReadyOptions): Promise<void>
  /**
   * The next instance to call, from memory; never waits. Throws `no_instances`, or `unreachable` while
   * nothing is known of the service. Order: `up`, `suspect`, `draining`, those that vanished without a word and
   * left less than half of the list, the static list; within it by the balancer.
   */
  pick(): Instance
  /**
   * Says how a call to a picked instance ended; `fetch` does so by itself. `unreachable` leaves the instance out
   * at once, `timeout` and `failure` do so three in a row, for 1 s doubling to 30 s; then it gets one call at a
   * time until one succeeds. Never more than half are left out. Unknown instances are ignored.
   */
  report(instance: Instance, outcome: CallOutcome): void
  /** The current list in all states, as the source gave it. */
  instances(): readonly Instance[]
  /** Whom `pick` chooses among at this moment, in no order of preference, for balancers of one's own. */
  candidates(): readonly Instance[]
  /**
   * Calls `listener` after each change of `candidates()`, once whatever caused it is complete; several changes
   * at once are one call. The result ends that, as `close()` does.
   */
  onCandidates(listener: () => void): () => void
  /**
   * `ready` and a balanced HTTP request that fails over to other instances when a connection fails. Rejects with
   * `no_instances` or `unreachable` when there is nobody, at once when all have just failed several times.
   */
  fetch(path: string, init?: FetchInit): Promise<Response>
  /** Starts with the current list; a consumer that is behind gets the latest list instead of every step. Ends at `close()`. */
  changes(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<ListChange>
}

/** What a service handle works with. */
export interface ServiceDeps {
  readonly driver: Driver
  readonly balancer: Balancer
  readonly requester: Requester
  readonly clock: Clock
  readonly warmUps: WarmUps
  /** Overrides what the client does. */
  readonly warmup: WarmUpHook | false | undefined
}

/** Time that `ready` and the wait of `fetch` have by default. */
const READY_MS = 5_000

/** Picks tried for an instance that was not tried before, until the list is searched in order. */
const PICKS_MAX = 8

/** The handle of a service, with the inlets for what the machine has to say. */
export class ServiceHandle implements Service {
  readonly namespace: string
  readonly name: string
  readonly group: string | undefined
  private readonly key: string
  private readonly deps: ServiceDeps
  private readonly feed = new ChangeFeed()
  private readonly offers = new OfferListeners()
  private list: readonly Instance[] = []
  private choice: Choice = NOBODY
  private readonly trials = new Set<Instance>()
  private readonly retries: RetryBudget
  private readonly lastResort: RetryBudget
  private from: ListSource = 'none'
  private closed = false
  private warmed: Promise<void> | undefined

  constructor(deps: ServiceDeps, key: string, name: ViewName) {
    this.deps = deps
    this.key = key
    this.namespace = name.namespace
    this.name = name.service
    this.group = name.group
    this.retries = new RetryBudget(deps.clock.now(), RETRIES)
    this.lastResort = new RetryBudget(deps.clock.now(), LAST_RESORT)
  }

  get source(): ListSource {
    return this.from
  }

  async ready({ timeoutMs = READY_MS, signal }: ReadyOptions = {}): Promise<void> {
    const { clock } = this.deps
    const deadline = clock.now() + timeoutMs
    await this.known(timeoutMs, signal)
    await waitWithin(this.warmUp(), clock, deadline - clock.now(), signal)
    if (this.closed) throw closedError()
  }

  pick(): Instance {
    const instance = this.deps.balancer.pick()
    if (instance === undefined) throw this.nothing()
    if (this.trials.size > 0) this.claim(instance)
    return instance
  }

  report(instance: Instance, outcome: CallOutcome): void {
    const { key } = this
    if (this.closed) return
    if (outcome === 'success') this.deps.driver.dispatch({ type: 'succeeded', key, instance })
    else this.deps.driver.dispatch({ type: 'failed', key, instance, kind: outcome })
  }

  instances(): readonly Instance[] {
    return this.list
  }

  candidates(): readonly Instance[] {
    return this.choice.candidates
  }

  onCandidates(listener: () => void): () => void {
    return this.offers.add(listener)
  }

  async fetch(path: string, init: FetchInit = {}): Promise<Response> {
    if (this.closed) throw closedError()
    if (init.timeoutMs === undefined) return this.send(path, init, undefined)
    const deadline = new AbortController()
    const cancel = this.deps.clock.setTimer(init.timeoutMs, () => deadline.abort())
    const signals = init.signal === undefined ? [deadline.signal] : [init.signal, deadline.signal]
    try {
      return await this.send(path, { ...init, signal: AbortSignal.any(signals) }, deadline.signal)
    } catch (error) {
      if (!deadline.signal.aborted || init.signal?.aborted === true) throw error
      throw new RegistryError('timeout', `${this.name} did not answer within ${init.timeoutMs} ms`, {
        cause: error,
      })
    } finally {
      // The deadline is for the response to begin; its body may take its time.
      cancel()
    }
  }

  changes({ signal }: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<ListChange> {
    return this.feed.open(signal)
  }

  /** A new list. */
  changed(change: ListChange): void {
    this.list = change.instances
    this.from = change.source
    this.feed.publish(change)
  }

  /** What may be called from now on. */
  offer(choice: Choice): void {
    this.choice = choice
    this.trials.clear()
    for (const instance of choice.trials) this.trials.add(instance)
    this.deps.balancer.update(choice.candidates)
    this.offers.changed()
  }

  /** Nothing more will come. */
  end(): void {
    this.closed = true
    this.offer(NOBODY)
    this.offers.end()
    this.feed.end()
  }

  /** Resolves once there is something to call. */
  private known(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.closed) return Promise.reject(closedError())
    const { key } = this
    return this.deps.driver.call((token) => ({ type: 'ready', token, key, timeoutMs }), { signal })
  }

  /** Once, however often it is asked for: those who come later are met by calls. */
  private warmUp(): Promise<void> {
    const { warmUps, warmup } = this.deps
    this.warmed ??= warmUps.warm(
      this.choice.candidates,
      (instance) => this.report(instance, 'unreachable'),
      warmup,
    )
    return this.warmed
  }

  private async send(path: string, init: FetchInit, deadline: AbortSignal | undefined): Promise<Response> {
    const { signal } = init
    if (signal?.aborted === true) throw abortedError(signal)
    if (this.choice.candidates.length === 0) await this.known(READY_MS, signal)
    const { requester, clock } = this.deps
    if (!this.choice.hopeless) this.retries.called(clock.now())
    else if (!this.lastResort.take(clock.now())) throw this.hopeless()
    const target: FetchTarget = {
      service: this.name,
      choose: (tried) => this.choose(tried),
      mayRetry: () => (this.choice.hopeless ? this.lastResort : this.retries).take(clock.now()),
      expired: () => deadline?.aborted === true,
      failed: (instance, kind) => this.report(instance, kind),
      succeeded: (instance) => this.report(instance, 'success'),
      nobody: () => this.nothing(),
    }
    return fetchFrom(target, requester, path, init)
  }

  /** An instance on trial takes one call at a time: until the machine knows, it is left out here. */
  private claim(instance: Instance): void {
    if (!this.trials.delete(instance)) return
    const candidates = this.choice.candidates.filter((other) => other !== instance)
    if (candidates.length > 0) this.offer({ ...this.choice, candidates, trials: [...this.trials] })
    this.deps.driver.dispatch({ type: 'trying', key: this.key, instance })
  }

  private choose(tried: ReadonlySet<Instance>): Instance | undefined {
    let found: Instance | undefined
    for (let picks = 0; picks < PICKS_MAX && found === undefined; picks += 1) {
      const instance = this.deps.balancer.pick()
      if (instance === undefined) break
      if (!has(tried, instance)) found = instance
    }
    found ??= this.choice.candidates.find((instance) => !has(tried, instance))
    if (found !== undefined) this.claim(found)
    return found
  }

  private nothing(): RegistryError {
    if (this.closed) return closedError()
    if (this.from === 'none')
      return new RegistryError('unreachable', `nothing is known of ${this.name} yet: await ready() first`)
    return nobodyError(this.name, this.list)
  }

  private hopeless(): RegistryError {
    const failing = this.choice.candidates.map((item) => `${item.host}:${item.port}`)
    return new RegistryError(
      'unreachable',
      `every instance of ${this.name} failed several times, the last time a moment ago: few calls are let through`,
      { details: { failing, limited: true } },
    )
  }
}

/** By address, not by object: a changed weight does not make it another instance. */
function has(tried: ReadonlySet<Instance>, instance: Instance): boolean {
  for (const other of tried) if (other.host === instance.host && other.port === instance.port) return true
  return false
}

function closedError(): RegistryError {
  return new RegistryError('closed', 'the client was closed')
}
