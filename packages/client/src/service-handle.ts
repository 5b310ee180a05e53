/** The handle of a service: what one user of it began, and ends with `close()`. */
import type { Instance, RegistryError } from '@rollcall/wire'
import type { Attempt, CallOptions, Work } from './calls/call.js'
import { checkCallOptions } from './calls/call.js'
import { checkKnown } from './known-options.js'
import type { CallOwner } from './calls/caller.js'
import type { Deadline } from './calls/deadline.js'
import { startDeadline } from './calls/deadline.js'
import type { FetchInit } from './calls/fetch.js'
import type { CallOutcome, ListChange, ListSource } from './machine/events.js'
import type { Clock } from './machine/ports.js'
import type { Origin, WatchStatus } from './machine/status.js'
import { serviceClosedError } from './machine/errors.js'
import type { PickOptions, ReadyOptions, Service, Shards } from './api.js'
import type { ServiceWatch } from './service.js'

/** What a handle works with. */
export interface HandleDeps {
  readonly watch: ServiceWatch
  readonly clock: Clock
  /** The handle was closed. Called once. */
  readonly closed: (reason: RegistryError) => void
}

/** One user's handle of a service that others may use as well. */
export class ServiceHandle implements Service, CallOwner {
  private readonly deps: HandleDeps
  private readonly watch: ServiceWatch
  /** Waits and calls. */
  private readonly underWay = new Set<Deadline>()
  /** Each ends an iterator or a listener. */
  private readonly opened = new Set<() => void>()
  private reason: RegistryError | undefined
  private lastUse: number

  constructor(deps: HandleDeps) {
    this.deps = deps
    this.watch = deps.watch
    this.lastUse = deps.clock.now()
  }

  get namespace(): string {
    return this.watch.namespace
  }

  get name(): string {
    return this.watch.name
  }

  get group(): string | undefined {
    return this.watch.group
  }

  get source(): ListSource {
    return this.watch.source
  }

  /** Whether a call, a wait, a reader or a listener of it is there. */
  get inUse(): boolean {
    return this.underWay.size + this.opened.size > 0
  }

  /** When it was last used, where it is not in use. */
  get usedAt(): number {
    return this.lastUse
  }

  /** It is in use at this moment. */
  touch(): void {
    this.lastUse = this.deps.clock.now()
  }

  async ready(options: ReadyOptions = {}): Promise<void> {
    this.use()
    checkKnown(options, 'ready')
    checkCallOptions(options)
    const wait = startDeadline(this.deps.clock, this.name, { signal: options.signal })
    this.began(wait)
    try {
      await this.watch.ready({ ...options, signal: wait.signal })
    } catch (error) {
      throw wait.signal.aborted ? wait.signal.reason : error
    } finally {
      wait.release()
      this.ended(wait)
    }
  }

  call<T>(work: Work<T>, options: CallOptions<T> = {}): Promise<T> {
    return this.watch.call(work, options, this)
  }

  fetch(path: string, init: FetchInit = {}): Promise<Response> {
    return this.watch.fetch(path, init, this)
  }

  /** Of a closed handle it ends at once, so that a call lets go of its body as it does when it fails. */
  began(deadline: Deadline): void {
    if (this.reason !== undefined) return deadline.end(this.reason)
    this.underWay.add(deadline)
  }

  ended(deadline: Deadline): void {
    this.underWay.delete(deadline)
    this.touch()
  }

  pick(options?: PickOptions): Instance {
    this.use()
    return this.watch.pick(options)
  }

  attempt(options?: PickOptions): Attempt {
    this.use()
    return this.watch.attempt(options)
  }

  report(instance: Instance, outcome: CallOutcome, details?: { readonly latencyMs?: number }): void {
    this.watch.report(instance, outcome, details)
  }

  status(): WatchStatus {
    return this.watch.status()
  }

  origins(instance: Instance): readonly Origin[] {
    return this.watch.origins(instance)
  }

  instances(): readonly Instance[] {
    return this.watch.instances()
  }

  candidates(): readonly Instance[] {
    return this.watch.candidates()
  }

  members(): readonly Instance[] {
    return this.watch.members()
  }

  shards(count: number): Shards {
    this.use()
    const shards = this.watch.shards(count)
    return {
      count,
      own: () => shards.own(),
      owner: (shard) => shards.owner(shard),
      changes: (options) => this.read((ended) => shards.changes({ ...options, ended })),
    }
  }

  onCandidates(listener: () => void): () => void {
    if (this.reason !== undefined) return () => undefined
    return this.open(this.watch.onCandidates(listener))
  }

  changes(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<ListChange> {
    return this.read((ended) => this.watch.changes({ ...options, ended }))
  }

  close(): void {
    this.end(serviceClosedError(this.name))
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Ends everything that was begun here. */
  end(reason: RegistryError): void {
    if (this.reason !== undefined) return
    this.reason = reason
    for (const deadline of this.underWay) deadline.end(reason)
    for (const stop of this.opened) stop()
    this.deps.closed(reason)
  }

  private use(): void {
    if (this.reason !== undefined) throw this.reason
    this.touch()
  }

  /** An iterator that ends with this handle; `ended` is called when its reader leaves. */
  private read<T>(begin: (ended: () => void) => AsyncIterableIterator<T>): AsyncIterableIterator<T> {
    let stop: (() => void) | undefined
    const iterator = begin(() => stop?.())
    if (this.reason === undefined) stop = this.open(() => void iterator.return?.())
    else void iterator.return?.()
    return iterator
  }

  private open(end: () => void): () => void {
    this.use()
    const stop = (): void => {
      if (!this.opened.delete(stop)) return
      end()
      this.touch()
    }
    this.opened.add(stop)
    return stop
  }
}
