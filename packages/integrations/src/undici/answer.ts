/** The answer of one attempt, held until it is known whether it is used. */
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Control } from './control.js'

type Handler = Dispatcher.DispatchHandler
type Controller = Dispatcher.DispatchController
type Headers = Parameters<NonNullable<Handler['onResponseStart']>>[2]

/** What becomes of an attempt. */
export interface AnswerEvents {
  /** The answer began and waits to be handed over. */
  begun(answer: Answer): void
  /** There will be none; `sent` tells whether a connection had taken the request. */
  failed(error: Error, sent: boolean): void
  /** It broke off after it was handed over. */
  broken(): void
}

/** The handler of one attempt: holds the answer from its first byte until it is handed over or discarded. */
export class Answer implements Handler {
  status = 0
  private readonly signal: AbortSignal
  private readonly events: AnswerEvents
  private controller: Controller | undefined
  private reader: { readonly handler: Handler; readonly control: Control } | undefined
  private begin: ((handler: Handler, control: Control) => void) | undefined
  private error: Error | undefined

  /** `signal` ends the attempt as long as its answer has not begun. */
  constructor(signal: AbortSignal, events: AnswerEvents) {
    this.signal = signal
    this.events = events
  }

  /** Passes the answer on to the handler that reads it. */
  handOver(handler: Handler, control: Control): void {
    const { controller, begin } = this
    if (controller === undefined || begin === undefined) throw new Error('there is no answer yet')
    this.reader = { handler, control }
    control.rawHeaders = controller.rawHeaders ?? null
    try {
      begin(handler, control)
    } catch (error) {
      control.abort(error as Error)
    }
    if (this.error === undefined) control.take(controller)
    else this.end(this.error)
  }

  /** Releases the answer unread. */
  discard(): void {
    this.controller?.abort(new Error('another answer is used'))
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller
    if (this.signal.aborted) this.abort()
    else this.signal.addEventListener('abort', this.abort, { once: true })
  }

  onRequestUpgrade(controller: Controller, status: number, headers: Headers, socket: Duplex): void {
    this.hold(controller, status, (handler, control) =>
      handler.onRequestUpgrade?.(control, status, headers, socket),
    )
  }

  onResponseStart(controller: Controller, status: number, headers: Headers, message?: string): void {
    // What comes before an answer is no promise of one.
    if (status < 200) return
    controller.pause()
    this.hold(controller, status, (handler, control) =>
      handler.onResponseStart?.(control, status, headers, message),
    )
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.reader?.handler.onResponseData?.(this.reader.control, chunk)
  }

  onResponseEnd(controller: Controller, trailers: Headers): void {
    if (this.reader === undefined) return
    this.reader.control.rawTrailers = controller.rawTrailers ?? null
    this.reader.handler.onResponseEnd?.(this.reader.control, trailers)
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.signal.removeEventListener('abort', this.abort)
    if (this.begin === undefined) this.events.failed(error, this.controller !== undefined)
    else if (this.reader === undefined) this.error = error
    else this.end(error)
  }

  private hold(
    controller: Controller,
    status: number,
    begin: (handler: Handler, control: Control) => void,
  ): void {
    this.signal.removeEventListener('abort', this.abort)
    this.controller = controller
    this.status = status
    this.begin = begin
    this.events.begun(this)
  }

  private end(error: Error): void {
    if (this.reader === undefined) return
    const { handler, control } = this.reader
    if (!control.aborted) this.events.broken()
    handler.onResponseError?.(control, error)
  }

  private readonly abort = (): void => {
    const reason: unknown = this.signal.reason
    this.controller?.abort(reason instanceof Error ? reason : new Error('aborted', { cause: reason }))
  }
}
