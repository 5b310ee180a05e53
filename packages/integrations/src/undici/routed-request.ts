/** One request to a service, over as many attempts as it takes. */
import type { AttemptContext, AttemptEnd, Instance, Judgement, Service } from '@rollcall/client'
import { judgeError } from '@rollcall/client'
import type { Dispatcher } from 'undici'
import type { RepeatOptions } from '../repeat-options.js'
import { callOptions, judgeStatus, REPEATABLE } from '../repeat-options.js'
import { originOf } from '../service-hosts.js'
import { Answer } from './answer.js'
import { Control } from './control.js'
import { withHeaders } from './headers.js'
import { RequestBody } from './request-body.js'

/** What a routed request works with. */
export interface RoutedRequestDeps {
  readonly service: Service
  readonly dispatch: Dispatcher.Dispatch
  readonly request: Dispatcher.DispatchOptions
  readonly handler: Dispatcher.DispatchHandler
  /** Of the URL, for instances that do not say. */
  readonly protocol: string
  readonly options: RepeatOptions
  readonly key: string | undefined
}

/** One request and its answer, as its handler sees them, over as many attempts as it takes. */
export class RoutedRequest {
  private readonly deps: RoutedRequestDeps
  private readonly control = new Control()
  private readonly body: RequestBody
  /** How far attempts had come that brought no answer, by their errors. */
  private readonly phases = new WeakMap<Error, 'connect' | 'sent' | 'body'>()

  constructor(deps: RoutedRequestDeps) {
    this.deps = deps
    this.body = new RequestBody(deps.request.body)
  }

  /** The handler hears of the outcome. */
  start(): void {
    const { handler } = this.deps
    const { control } = this
    handler.onRequestStart?.(control, {})
    this.answer().then(
      (answer) => answer.handOver(handler, control),
      (error: Error) => handler.onResponseError?.(control, control.reason ?? error),
    )
  }

  private async answer(): Promise<Answer> {
    const { service, options, key } = this.deps
    return service.call<Answer>((instance, context) => this.attempt(instance, context), {
      ...callOptions(options),
      ...(key !== undefined && { key }),
      signal: this.control.signal,
      idempotent: this.idempotent(),
      judge: (end) => this.judge(end),
      discard: (unread) => unread.discard(),
    })
  }

  private attempt(instance: Instance, { signal, headers }: AttemptContext): Promise<Answer> {
    const { service, dispatch, request, protocol } = this.deps
    const { body } = this
    return new Promise((resolve, reject) => {
      const answer = new Answer(signal, {
        begun: resolve,
        failed: (error, sent) => {
          this.phases.set(error, !sent ? 'connect' : body.failed ? 'body' : 'sent')
          reject(error)
        },
        broken: () => service.report(instance, 'unreachable'),
      })
      const origin = originOf(instance, protocol)
      const { content } = body
      dispatch({ ...request, body: content, origin, headers: withHeaders(request.headers, headers) }, answer)
    })
  }

  private idempotent(): boolean {
    const { method, idempotent } = this.deps.request
    return (idempotent ?? REPEATABLE.has(method)) && this.body.isReplayable
  }

  private judge(end: AttemptEnd<Answer>): Judgement | undefined {
    if (end.ok) return judgeStatus(this.deps.options, end.answer.status)
    const phase = end.error instanceof Error ? this.phases.get(end.error) : undefined
    // The caller's own stream failed: that is no matter of any instance.
    if (phase === 'body') return { retry: 'never' }
    const judgement = judgeError(end.error, phase)
    return judgement.retry === 'always' && this.body.isSpent
      ? { ...judgement, retry: 'idempotent' }
      : judgement
  }
}
