/** Spans and metrics of a client through the OpenTelemetry API: `connect({ observer: createObserver() })`. */
import type { Meter, Tracer } from '@opentelemetry/api'
import { metrics, trace } from '@opentelemetry/api'
import type { Observer } from '@rollcall/client'
import { SYSTEM_TIMING } from '../clock.js'
import { createInstruments } from './instruments.js'
import { CallSpan } from './spans.js'

/** Where spans and metrics go. */
export interface TelemetryOptions {
  /** Default: that of the global provider, which does nothing until an SDK is set up. */
  readonly tracer?: Tracer
  /** The same for metrics. */
  readonly meter?: Meter
}

const NAME = '@rollcall/integrations'

/**
 * Creates what `connect` takes as `observer`. Each call is a span, and each attempt of it a client span with the instance
 * it went to; the context of the attempt is current while it is made, and `fetch` passes it on in headers. Set the SDK
 * up first: the providers are looked up here, once. One observer may serve several clients.
 */
export function createObserver(options: TelemetryOptions = {}): Observer {
  const tracer = options.tracer ?? trace.getTracer(NAME)
  const instruments = createInstruments(options.meter ?? metrics.getMeter(NAME))
  return {
    connected: (client) => instruments.follow(client),
    opened: (service) => instruments.opened(service),
    picked: (service) => instruments.picked(service),
    called: (service) => new CallSpan({ tracer, instruments, now: () => SYSTEM_TIMING.now() }, service),
  }
}
