/** A watched service, as all handles of it share it. */
import type { Instance, ViewName } from '@rollcall/wire'
import { EMPTY_SIGN, RegistryError } from '@rollcall/wire'
import type { Balancer } from './balancers/balancer.js'
import type { Attempt, CallOptions, Work } from './calls/call.js'
import { CALL_KEYS } from './calls/call.js'
import type { CallOwner } from './calls/caller.js'
import { ServiceCalls } from './calls/caller.js'
import type { FetchInit } from './calls/fetch.js'
import type { Requester } from './calls/requester.js'
import { ChangeFeed } from './changes.js'
import { checkKeys } from './machine/keys-of-options.js'
import type { Driver } from './shell/driver.js'
import type { CallOutcome, Choice, ListChange, ListSource } from './machine/events.js'
import type { Origin, WatchStatus } from './machine/status.js'
import { OfferListeners } from './calls/offer-listeners.js'
import { Selection } from './calls/selection.js'
import type { ShardSet } from './sharing/shards.js'
import { WorkSharing } from './sharing/shards.js'
import { waitWithin } from './start-up/waiting.js'
import type { WarmUpHook, WarmUps } from './start-up/warm-up.js'
import { NO_CHOICE } from './machine/events.js'
import type { Clock } from './machine/ports.js'
import type { Observer, PickOptions, ReadyOptions, Registration, WatchedService } from './api.js'
import { closedError, noInstancesError } from './machine/errors.js'

/** What a watched service works with. */
export interface ServiceDeps {
  readonly driver: Driver
  readonly balancer: Balancer
  readonly requester: Requester
  readonly clock: Clock
  readonly panicThreshold: number
  readonly warmUps: WarmUps
  /** Overrides what the client does. */
  readonly warmup: WarmUpHook | false | undefined
  readonly observer?: Observer | undefined
  /** Those of this client, of any service. */
  registrations(): Iterable<Registration>
}

/** Time that `ready` and the wait of `fetch` have by default. */
const READY_MS = 5_000

/** A watched service, with the inlets for what the machine has to say. */
export class ServiceWatch implements WatchedService {
  readonly namespace: string
  readonly name: string
  readonly group: string | undefined
  private readonly key: string
  private readonly deps: ServiceDeps
  private readonly feed = new ChangeFeed()
  private readonly offers = new OfferListeners()
  private list: readonly Instance[] = []
  private readonly selection: Selection
  private readonly caller: ServiceCalls
  private from: ListSource = 'none'
  /** Why it ended. */
  private ended: RegistryError | undefined
  private readonly unobserve: (() => void) | void
  private warmed: Promise<void> | undefined
  private readonly sharing: WorkSharing

  constructor(deps: ServiceDeps, key: string, name: ViewName) {
    this.deps = deps
    this.key = key
    this.namespace = name.namespace
    this.name = name.service
    this.group = name.group
    this.selection = new Selection({
      balancer: deps.balancer,
      panicThreshold: deps.panicThreshold,
      changed: () => this.offers.changed(),
      trying: (instance) => deps.driver.dispatch({ type: 'trying', key, instance }),
    })
    this.caller = new ServiceCalls({
      service: name.service,
      clock: deps.clock,
      requester: deps.requester,
      selection: this.selection,
      ready: (signal) => this.known(READY_MS, signal, true),
      tell: (instance, outcome) => this.tell(instance, outcome),
      none: () => this.nothing(),
      picked: (instance) => deps.observer?.picked?.(this, instance),
      observe: () => deps.observer?.called?.(this),
    })
    this.sharing = new WorkSharing(() => deps.registrations())
    this.unobserve = deps.observer?.opened?.(this)
  }

  get source(): ListSource {
    return this.from
  }

  async ready({ timeoutMs = READY_MS, signal }: ReadyOptions = {}): Promise<void> {
    const { clock } = this.deps
    const deadline = clock.now() + timeoutMs
    await this.known(timeoutMs, signal)
    await waitWithin(this.warmUp(), clock, deadline - clock.now(), signal)
    if (this.ended !== undefined) throw this.ended
  }

  pick(options?: PickOptions): Instance {
    const instance =
      options?.except === undefined
        ? this.selection.pick(options?.key)
        : this.selection.pickOther(new Set(options.except), options.key)
    if (instance === undefined) throw this.nothing()
    this.deps.observer?.picked?.(this, instance)
    return instance
  }

  attempt({ key, except }: PickOptions = {}): Attempt {
    const attempt = this.caller.begin(new Set(except), key)
    if (attempt === undefined) throw this.nothing()
    return attempt
  }

  report(
    instance: Instance,
    outcome: CallOutcome,
    { latencyMs }: { readonly latencyMs?: number } = {},
  ): void {
    this.selection.ended(instance, { outcome, latencyMs, wasBegun: false })
    this.tell(instance, outcome)
  }

  status(): WatchStatus {
    const { namespace, name: service, group, key } = this
    const known = this.deps.driver.serviceStatus(key)
    if (known !== undefined) return known
    const name = { namespace, service, ...(group === undefined ? {} : { group }) }
    return { ...name, source: 'none', sign: EMPTY_SIGN, instances: 0, kept: 0, clusters: [] }
  }

  origins(instance: Instance): readonly Origin[] {
    return this.deps.driver.origins(this.key, instance)
  }

  instances(): readonly Instance[] {
    return this.list
  }

  candidates(): readonly Instance[] {
    return this.selection.candidates
  }

  onCandidates(listener: () => void): () => void {
    return this.offers.add(listener)
  }

  async call<T>(work: Work<T>, options: CallOptions<T> = {}, owner?: CallOwner): Promise<T> {
    if (this.ended !== undefined) throw this.ended
    checkKeys(options, CALL_KEYS, 'call')
    return this.caller.call(work, options, owner)
  }

  members(): readonly Instance[] {
    return this.sharing.members()
  }

  shards(count: number): ShardSet {
    return this.sharing.shards(count)
  }

  fetch(path: string, init: FetchInit = {}, owner?: CallOwner): Promise<Response> {
    return this.caller.fetch(path, init, owner)
  }

  changes({
    signal,
    ended,
  }: { readonly signal?: AbortSignal; readonly ended?: () => void } = {}): AsyncIterableIterator<ListChange> {
    return this.feed.open(signal, ended)
  }

  /** A new list. */
  changed(change: ListChange): void {
    this.list = change.instances
    this.from = change.source
    this.sharing.listed(change.instances, change.source)
    this.feed.publish(change)
  }

  /** What may be called from now on. */
  offer(choice: Choice): void {
    this.selection.offer(choice)
    this.retain()
  }

  /** A registration of this client changed. */
  registered(): void {
    this.sharing.changed()
  }

  /** Nothing more will come. What is being read of an answer is read to its end. */
  end(reason: RegistryError): void {
    if (this.ended !== undefined) return
    this.ended = reason
    this.caller.end(reason)
    this.sharing.end()
    this.list = []
    this.offer(NO_CHOICE)
    this.offers.end()
    this.feed.end()
    this.unobserve?.()
  }

  /** The client is closed: connections in use end as well. */
  close(): void {
    this.end(closedError())
    this.deps.requester.close()
  }

  /** Resolves once there is something to call. */
  private known(timeoutMs: number, signal: AbortSignal | undefined, call = false): Promise<void> {
    if (this.ended !== undefined) return Promise.reject(this.ended)
    const { key } = this
    return this.deps.driver.call((token) => ({ type: 'ready', token, key, timeoutMs, call }), {
      signal,
    })
  }

  /** Once, however often it is asked for: those who come later are met by calls. */
  private warmUp(): Promise<void> {
    const { warmUps, warmup } = this.deps
    this.warmed ??= warmUps.warm(
      this.selection.candidates,
      (instance) => this.report(instance, 'unreachable'),
      warmup,
    )
    return this.warmed
  }

  private retain(): void {
    this.deps.requester.retain(this.list, this.selection.candidates)
  }

  private tell(instance: Instance, outcome: CallOutcome): void {
    const { key } = this
    if (this.ended !== undefined) return
    if (outcome === 'success') this.deps.driver.dispatch({ type: 'succeeded', key, instance })
    else this.deps.driver.dispatch({ type: 'failed', key, instance, kind: outcome })
  }

  private nothing(): RegistryError {
    if (this.ended !== undefined) return this.ended
    if (this.from === 'none')
      return new RegistryError('unreachable', `nothing is known of ${this.name} yet: await ready() first`)
    return noInstancesError(this.name, this.list)
  }
}
