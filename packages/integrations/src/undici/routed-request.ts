/** One request to a service, over as many attempts as it takes. */
import { Readable } from 'node:stream'
import type { AttemptContext, AttemptEnd, Instance, Judgement, Service } from '@rollcall/client'
import { judgeError } from '@rollcall/client'
import type { Dispatcher } from 'undici'
import type { RepeatOptions } from '../repeat-options.js'
import { callOptions, judgeStatus, REPEATABLE } from '../repeat-options.js'
import { originOf } from '../service-hosts.js'
import { Answer } from './answer.js'
import { Control } from './control.js'
import { withHeaders } from './headers.js'

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
  private readonly unsent = new WeakSet<Error>()

  constructor(deps: RoutedRequestDeps) {
    this.deps = deps
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
    return new Promise((resolve, reject) => {
      const answer = new Answer(signal, {
        begun: resolve,
        failed: (error, sent) => {
          if (!sent) this.unsent.add(error)
          reject(error)
        },
        broken: () => service.report(instance, 'unreachable'),
      })
      const origin = originOf(instance, protocol)
      dispatch({ ...request, origin, headers: withHeaders(request.headers, headers) }, answer)
    })
  }

  private idempotent(): boolean {
    const { method, body, idempotent } = this.deps.request
    return (idempotent ?? REPEATABLE.has(method)) && isReplayable(body)
  }

  private judge(end: AttemptEnd<Answer>): Judgement | undefined {
    if (end.ok) return judgeStatus(this.deps.options, end.answer.status)
    const judgement = judgeError(end.error)
    if (judgement.retry === 'never') return judgement
    const { body } = this.deps.request
    if (body instanceof Readable && (body.destroyed || body.readableDidRead)) {
      return { ...judgement, retry: 'never' }
    }
    const unsent = end.error instanceof Error && this.unsent.has(end.error)
    return unsent ? { ...judgement, retry: 'always' } : judgement
  }
}

/** Whether a body can be sent twice. The one that `fetch` makes of any body cannot. */
function isReplayable(body: Dispatcher.DispatchOptions['body']): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true
  return body instanceof Uint8Array || body instanceof FormData
}
