/** The spans of calls and their attempts. */
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api'
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type {
  AttemptBegin,
  AttemptObservation,
  CallObservation,
  CallOutcome,
  WatchedService,
} from '@rollcall/client'
import { isRegistryError } from '@rollcall/client'
import { instanceAttributes, serviceAttributes } from './attributes.js'
import type { Instruments } from './instruments.js'

/** What the span of a call works with. */
export interface CallSpanDeps {
  readonly tracer: Tracer
  readonly instruments: Instruments
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** The span of a call, below whatever is current when it begins. */
export class CallSpan implements CallObservation {
  private readonly deps: CallSpanDeps
  private readonly attributes: Attributes
  private readonly name: string
  private readonly span: Span
  private readonly within: Context
  private readonly startedAt: number
  private attempts = 0

  constructor(deps: CallSpanDeps, service: WatchedService) {
    this.deps = deps
    this.name = service.name
    this.attributes = serviceAttributes(service.name, service)
    this.startedAt = deps.now()
    this.span = deps.tracer.startSpan(`call ${service.name}`, { attributes: this.attributes })
    this.within = trace.setSpan(context.active(), this.span)
  }

  attempt({ instance, attempt }: AttemptBegin): AttemptObservation {
    const { tracer, instruments } = this.deps
    this.attempts = attempt
    if (attempt > 1) {
      instruments.retried(this.attributes)
      this.span.addEvent('retry', { 'rollcall.attempt': attempt })
    }
    const attributes = { ...this.attributes, ...instanceAttributes(instance), 'rollcall.attempt': attempt }
    const options = { kind: SpanKind.CLIENT, attributes }
    return new AttemptSpan(tracer.startSpan(`attempt ${this.name}`, options, this.within), this.within)
  }

  end(error?: unknown): void {
    const { instruments, now } = this.deps
    this.span.setAttribute('rollcall.attempts', this.attempts)
    if (error !== undefined) fail(this.span, error)
    this.span.end()
    const outcome = error === undefined ? 'success' : isRegistryError(error) ? error.code : 'error'
    instruments.called(this.attributes, outcome, (now() - this.startedAt) / 1_000)
  }
}

class AttemptSpan implements AttemptObservation {
  readonly headers: Readonly<Record<string, string>>
  private readonly span: Span
  private readonly within: Context

  constructor(span: Span, parent: Context) {
    const headers: Record<string, string> = {}
    this.span = span
    this.within = trace.setSpan(parent, span)
    propagation.inject(this.within, headers)
    this.headers = headers
  }

  run<T>(work: () => T): T {
    return context.with(this.within, work)
  }

  end(outcome: CallOutcome | undefined, error?: unknown): void {
    this.span.setAttribute('rollcall.outcome', outcome ?? 'none')
    if (error !== undefined) fail(this.span, error)
    else if (outcome !== undefined && outcome !== 'success')
      this.span.setStatus({ code: SpanStatusCode.ERROR })
    this.span.end()
  }
}

function fail(span: Span, error: unknown): void {
  const exception = error instanceof Error ? error : new Error(String(error))
  span.recordException(exception)
  span.setStatus({ code: SpanStatusCode.ERROR, message: exception.message })
}
