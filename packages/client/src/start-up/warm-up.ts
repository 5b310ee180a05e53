/** First connections to the instances of services. */
import { connect } from 'node:net'
import type { Instance } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import { WarmUpBatch, WarmUpQueue } from './warm-up-queue.js'
import type { Clock, Random } from '../machine/ports.js'

/**
 * Prepares for calls to one instance: opens a connection, fetches a key, asks for readiness. A rejection counts as
 * `report(instance, 'unreachable')` does. `signal` is aborted when the time is over and at `close()`; a hook that
 * goes on regardless is not waited for.
 */
export type WarmUpHook = (instance: Instance, options: { readonly signal: AbortSignal }) => Promise<void>

/** How warming up is done; part of ConnectOptions. */
export interface WarmUpOptions {
  /**
   * What `ready()` does with each instance before it resolves the first time. Default: a TCP connection is opened
   * and closed, so that the first calls meet no instance that hangs. `false`: nothing.
   */
  readonly warmup?: WarmUpHook | false
  /** Time for each instance, 1 to 60,000. Default 1,000, as for connecting in `fetch`. */
  readonly warmupTimeoutMs?: number
}

/** Warms up the instances of services, all services of a client together. */
export interface WarmUps {
  /**
   * Resolves when each instance was warmed up, has failed or has run out of time; never rejects. `failed` hears of
   * an instance that failed while another one did not.
   */
  warm(
    instances: readonly Instance[],
    failed: (instance: Instance) => void,
    hook?: WarmUpHook | false,
  ): Promise<void>
  /** Aborts everything; what is waited for resolves at once. Idempotent. */
  close(): void
}

/** What warming up works with. */
export interface WarmUpDeps {
  readonly clock: Pick<Clock, 'setTimer'>
  readonly random: Random
}

/** Attempts at a time, over all services of a client: many, but no flood. */
export const PARALLEL_MAX = 256

/** Instances of one service that are warmed up; of a larger one a run of as many from a random start. */
export const WARMED_MAX = 1_000

/** The hook by default. */
export const connectTcp: WarmUpHook = ({ host, port }, { signal }) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
  })

/** Creates the warm-ups of a client; throws `invalid_argument`. */
export function createWarmUps(deps: WarmUpDeps, options: WarmUpOptions): WarmUps {
  const { warmup = connectTcp, warmupTimeoutMs = 1_000 } = options
  if (warmup !== false && typeof warmup !== 'function')
    throw new RegistryError('invalid_argument', 'warmup is a function or false', { field: 'warmup' })
  if (!Number.isFinite(warmupTimeoutMs) || warmupTimeoutMs < 1 || warmupTimeoutMs > 60_000)
    throw new RegistryError('invalid_argument', 'warmupTimeoutMs is 1 to 60,000', {
      field: 'warmupTimeoutMs',
    })
  return new ClientWarmUps(deps, warmup, warmupTimeoutMs)
}

interface Waiting {
  readonly hook: WarmUpHook
  failed(instance: Instance): void
  over(): void
}

class ClientWarmUps implements WarmUps {
  private readonly deps: WarmUpDeps
  private readonly hook: WarmUpHook | false
  private readonly timeoutMs: number
  private readonly queue = new WarmUpQueue(PARALLEL_MAX)
  private readonly waiting = new Map<WarmUpBatch, Waiting>()
  private readonly attempts = new Set<AbortController>()
  private closed = false

  constructor(deps: WarmUpDeps, hook: WarmUpHook | false, timeoutMs: number) {
    this.deps = deps
    this.hook = hook
    this.timeoutMs = timeoutMs
  }

  warm(
    instances: readonly Instance[],
    failed: (instance: Instance) => void,
    hook: WarmUpHook | false = this.hook,
  ): Promise<void> {
    if (hook === false || instances.length === 0 || this.closed) return Promise.resolve()
    const batch = new WarmUpBatch(this.sample(instances))
    return new Promise((resolve) => {
      this.waiting.set(batch, { hook, failed, over: resolve })
      this.queue.add(batch)
      this.begin()
    })
  }

  close(): void {
    this.closed = true
    for (const [batch, waiting] of this.waiting) {
      batch.cancel()
      waiting.over()
    }
    this.waiting.clear()
    for (const attempt of this.attempts) attempt.abort(new Error('the client was closed'))
  }

  private sample(instances: readonly Instance[]): readonly Instance[] {
    if (instances.length <= WARMED_MAX) return instances
    const start = Math.floor(this.deps.random() * instances.length)
    return [...instances.slice(start), ...instances.slice(0, start)].slice(0, WARMED_MAX)
  }

  private begin(): void {
    for (const { batch, instance } of this.queue.begin()) {
      const waiting = this.waiting.get(batch)
      if (waiting !== undefined) void this.attempt(batch, waiting, instance)
    }
  }

  private async attempt(batch: WarmUpBatch, waiting: Waiting, instance: Instance): Promise<void> {
    const good = await this.tried(waiting.hook, instance)
    this.queue.ended()
    if (this.closed) return
    for (const other of good ? batch.succeeded() : batch.failed(instance)) waiting.failed(other)
    if (batch.over) {
      this.waiting.delete(batch)
      waiting.over()
    }
    this.begin()
  }

  /** Whether the hook succeeded in time. */
  private tried(hook: WarmUpHook, instance: Instance): Promise<boolean> {
    const controller = new AbortController()
    const { signal } = controller
    this.attempts.add(controller)
    return new Promise<boolean>((resolve) => {
      const end = (good: boolean): void => {
        cancel()
        this.attempts.delete(controller)
        resolve(good)
      }
      const cancel = this.deps.clock.setTimer(this.timeoutMs, () =>
        controller.abort(new Error('warming up took too long')),
      )
      // A hook that does not listen to its signal must not hold the place of others.
      signal.addEventListener('abort', () => end(false), { once: true })
      // In a promise of its own, so that a hook that throws is one that rejects.
      Promise.resolve(instance)
        .then((item) => hook(item, { signal }))
        .then(
          () => end(!signal.aborted),
          () => end(false),
        )
    })
  }
}
