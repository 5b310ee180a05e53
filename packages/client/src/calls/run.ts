/** One call: attempts at one instance after the other until one answers. */
import type { Instance } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import type { Attempt, CallOptions, Work } from './call.js'
import type { Deadline } from './deadline.js'
import type { AttemptEnd, Judgement } from './judgement.js'
import { GOOD, isRefusal, judgeError } from './judgement.js'
import type { HedgeDelay } from './latencies.js'
import type { CallOutcome } from '../machine/events.js'
import type { Clock } from '../machine/ports.js'
import type { AttemptObservation, CallObservation } from './observation.js'

/** Where attempts go, and what limits them. */
export interface CallTarget {
  readonly service: string
  /** Begins an attempt at an instance that was not tried; undefined when there is none. */
  begin(tried: ReadonlySet<Instance>, key: string | undefined): Attempt | undefined
  /** Whether there is an instance that was not tried. */
  another(tried: ReadonlySet<Instance>): boolean
  /** Whether one more attempt is allowed; each yes is used up. */
  mayRetry(): boolean
  /** Milliseconds until a second attempt; undefined while too little is known. */
  hedgeAfterMs(delay: HedgeDelay): number | undefined
  /** Why there is no instance to call. */
  readonly none: () => RegistryError
  /** What follows the call. */
  readonly observed?: CallObservation | undefined
}

/** Attempts of a call that may cost time: no answer, or one too late. */
const COSTLY_MAX = 3
/** Attempts of a call in all. */
const REFUSALS_MAX = 16
/** Of an attempt whose judge threw. */
const NO_JUDGEMENT: Judgement = { retry: 'never' }
/** An attempt that ran out of time may still say within this whether it was sent at all. */
const LAST_WORD_MS = 1

/**
 * Makes a call: attempts one instance after the other until one answers. Rejects with `unreachable` or `timeout` when
 * the last attempt failed like that (its error is the cause), with the error of the work itself when that is an
 * answer, and with `timeout` or `aborted` as soon as the deadline says so.
 */
export function runCall<T>(
  clock: Clock,
  target: CallTarget,
  deadline: Deadline,
  work: Work<T>,
  options: CallOptions<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    new Run({ clock, target, deadline, work, options, resolve, reject }).start()
  })
}

interface RunDeps<T> {
  readonly clock: Clock
  readonly target: CallTarget
  readonly deadline: Deadline
  readonly work: Work<T>
  readonly options: CallOptions<T>
  readonly resolve: (answer: T) => void
  readonly reject: (error: unknown) => void
}

/** An attempt under way. */
interface Try {
  readonly attempt: Attempt
  readonly controller: AbortController
  readonly observed: AttemptObservation | undefined
  cancelTimeout: (() => void) | undefined
  late: boolean
}

class Run<T> {
  private readonly deps: RunDeps<T>
  private readonly tried = new Set<Instance>()
  private readonly active = new Set<Try>()
  private readonly triedMax: number
  private readonly costlyMax: number
  private costly = 0
  private over = false
  private cancelHedge: (() => void) | undefined

  constructor(deps: RunDeps<T>) {
    const { attempts } = deps.options
    this.deps = deps
    this.triedMax = Math.max(1, attempts ?? REFUSALS_MAX)
    this.costlyMax = Math.max(1, attempts ?? COSTLY_MAX)
  }

  start(): void {
    this.guard(() => this.begin())
  }

  private begin(): void {
    const { clock, target, deadline, options, reject } = this.deps
    if (deadline.signal.aborted) return reject(deadline.signal.reason)
    deadline.signal.addEventListener('abort', this.abort, { once: true })
    if (!this.launch()) return this.settle(() => reject(target.none()))
    if (options.idempotent !== true || options.hedgeMs === undefined) return
    const delayMs = target.hedgeAfterMs(options.hedgeMs)
    if (delayMs !== undefined)
      this.cancelHedge = clock.setTimer(delayMs, () => this.guard(() => this.hedge()))
  }

  /** Begins an attempt. Returns whether there was an instance for it. */
  private launch(): boolean {
    const { clock, target, deadline, work, options } = this.deps
    const attempt = target.begin(this.tried, options.key)
    if (attempt === undefined) return false
    this.tried.add(attempt.instance)
    const { instance } = attempt
    const controller = new AbortController()
    const observed = target.observed?.attempt({ instance, attempt: this.tried.size })
    const one: Try = { attempt, controller, observed, cancelTimeout: undefined, late: false }
    const left = deadline.left()
    const { tryTimeoutMs } = options
    if (tryTimeoutMs !== undefined)
      one.cancelTimeout = clock.setTimer(tryTimeoutMs, () => this.ranOut(one, tryTimeoutMs))
    const timeoutMs = left === undefined ? tryTimeoutMs : Math.min(left, tryTimeoutMs ?? left)
    const { signal } = controller
    const context = { signal, attempt: this.tried.size, timeoutMs, headers: observed?.headers ?? {} }
    this.active.add(one)
    // In an async function, so that work which throws at once is no different from work which rejects.
    const carryOut = async (): Promise<T> => work(instance, context)
    const working = observed === undefined ? carryOut() : observed.run(carryOut)
    working.then(
      (answer) => this.guard(() => this.ended(one, { ok: true, answer })),
      (error: unknown) => this.guard(() => this.ended(one, { ok: false, error })),
    )
    return true
  }

  private ended(one: Try, end: AttemptEnd<T>): void {
    const { resolve } = this.deps
    if (!this.active.delete(one)) {
      if (end.ok) this.discard(end.answer)
      return
    }
    one.cancelTimeout?.()
    let judgement: Judgement = NO_JUDGEMENT
    try {
      judgement = this.judge(one, end)
    } finally {
      one.attempt.end(judgement.outcome)
      one.observed?.end(judgement.outcome, end.ok ? undefined : end.error)
    }
    if (judgement.retry === 'never') {
      this.settle(() => (end.ok ? resolve(end.answer) : this.fail(end.error, judgement, false)))
      return
    }
    if (end.ok || !isRefusal(end.error)) this.costly += 1
    // What may be called changes with what was just told, in a microtask: the last one that fails brings others.
    queueMicrotask(() => this.guard(() => this.goOn(end, judgement)))
  }

  /** What follows an attempt that may be followed by another. */
  private goOn(end: AttemptEnd<T>, judgement: Judgement): void {
    const { target, options, resolve } = this.deps
    if (this.over) {
      if (end.ok) this.discard(end.answer)
      return
    }
    const more = this.tried.size < this.triedMax && this.costly < this.costlyMax
    const allowed = judgement.retry === 'always' || options.idempotent === true
    const wanted = allowed && more && target.another(this.tried)
    // The other attempt of the two may still bring the answer.
    const waiting = this.active.size > 0
    const limited = wanted && !waiting && !target.mayRetry()
    if (waiting || (wanted && !limited && this.launch())) {
      if (end.ok) this.discard(end.answer)
      return
    }
    this.settle(() => (end.ok ? resolve(end.answer) : this.fail(end.error, judgement, limited)))
  }

  private judge(one: Try, end: AttemptEnd<T>): Judgement {
    const judged = this.deps.options.judge?.(end) ?? (end.ok ? GOOD : judgeError(end.error))
    if (end.ok || !one.late) return judged
    return { outcome: 'timeout', retry: judged.retry === 'always' ? 'always' : 'idempotent' }
  }

  /** The time of one attempt is over. */
  private ranOut(one: Try, timeoutMs: number): void {
    const { clock } = this.deps
    const error = new RegistryError('timeout', `no answer within ${timeoutMs} ms`)
    one.late = true
    one.controller.abort(error)
    one.cancelTimeout = clock.setTimer(LAST_WORD_MS, () =>
      this.guard(() => this.ended(one, { ok: false, error })),
    )
  }

  private hedge(): void {
    const { target } = this.deps
    this.cancelHedge = undefined
    if (this.active.size !== 1 || this.tried.size >= this.triedMax || !target.another(this.tried)) return
    if (target.mayRetry()) this.launch()
  }

  private readonly abort = (): void => {
    const { deadline, reject } = this.deps
    this.settle(() => reject(deadline.signal.reason), deadline.expired ? 'timeout' : undefined)
  }

  /** What a judge, a `discard` or a foreign balancer's `pick` throws ends the call, and nothing more. */
  private guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.settle(() => this.deps.reject(error))
    }
  }

  /** Ends the call; attempts that are still under way are aborted. */
  private settle(finish: () => void, outcome?: CallOutcome): void {
    this.over = true
    this.cancelHedge?.()
    this.deps.deadline.signal.removeEventListener('abort', this.abort)
    const left = [...this.active]
    this.active.clear()
    for (const { attempt, controller, observed, cancelTimeout } of left) {
      cancelTimeout?.()
      attempt.end(outcome)
      observed?.end(outcome)
      controller.abort(new RegistryError('aborted', 'the call no longer waits for this attempt'))
    }
    finish()
  }

  private fail(error: unknown, { outcome, retry }: Judgement, limited: boolean): void {
    const { target, reject } = this.deps
    // An answer is handed on as it came.
    if (retry === 'never' || outcome === 'failure' || outcome === 'success') return reject(error)
    const reason = error instanceof Error ? error.message : String(error)
    const why = limited ? `${reason}; too many retries already` : reason
    const details = {
      tried: [...this.tried].map((item) => `${item.host}:${item.port}`),
      phase: retry === 'always' ? 'connect' : 'sent',
      ...(limited ? { limited } : {}),
    }
    const message = `no instance of ${target.service} answered: ${why}`
    reject(new RegistryError(outcome ?? 'unreachable', message, { cause: error, details }))
  }

  private discard(answer: T): void {
    this.deps.options.discard?.(answer)
  }
}
