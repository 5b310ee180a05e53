/** Spans and metrics of calls, through the real OpenTelemetry SDK. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { context, propagation, SpanKind, SpanStatusCode, trace, type Attributes } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import axios from 'axios'
import { request } from 'undici'
import { createAdapter } from '@rollcall/integrations/axios'
import { createDispatcher } from '@rollcall/integrations/undici'
import { connect, type Rollcall, type Service } from '@rollcall/client'
import { createObserver } from '@rollcall/integrations/opentelemetry'
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freePort, until } from './support/processes.js'

const spans = new InMemorySpanExporter()
const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
const measured = new InMemoryMetricExporter(AggregationTemporality.DELTA)
const reader = new PeriodicExportingMetricReader({ exporter: measured, exportIntervalMillis: 3_600_000 })
const meters = new MeterProvider({ readers: [reader] })
const received: IncomingHttpHeaders[] = []

let server: Server
let rollcall: Rollcall
let orders: Service

interface Point {
  readonly value: unknown
  readonly attributes: Attributes
}

/** Points of each metric, of what happened since the last look. */
async function look(): Promise<(name: string) => readonly Point[]> {
  measured.reset()
  await reader.forceFlush()
  const scopes = measured.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
  const all = scopes.flatMap(({ metrics }) => metrics)
  return (name) =>
    all
      .filter(({ descriptor }) => descriptor.name === `rollcall.client.${name}`)
      .flatMap(({ dataPoints }) => dataPoints.map(({ value, attributes }) => ({ value, attributes })))
}

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  server = createServer((incoming, response) => {
    received.push(incoming.headers)
    response.end('here')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const registry = await startServerProcess()
  const meter = meters.getMeter('test')
  const observer = createObserver({ tracer: tracers.getTracer('test'), meter })
  rollcall = await connect({ registries: [registry.url], snapshotDir: false, warmup: false, observer })
  const { port } = server.address() as AddressInfo
  // In this order, one after the other: the one that refuses is called first.
  let list: readonly { readonly port: number }[] = []
  orders = rollcall.service('orders', {
    balancer: () => ({
      update: (candidates) => (list = candidates),
      pick: () => (list.find((item) => item.port !== port) ?? list[0]) as ReturnType<Service['pick']>,
    }),
  })
  await rollcall.register([
    { service: 'orders', host: '127.0.0.1', port, zone: 'north' },
    { service: 'orders', host: '127.0.0.1', port: await freePort(), liveness: 'static' },
  ])
  await until(() => orders.candidates().length === 2, 'both are listed')
})

beforeEach(() => {
  spans.reset()
  received.length = 0
})

afterAll(async () => {
  await rollcall.close()
  await meters.shutdown()
  server.closeAllConnections()
  server.close()
  context.disable()
  propagation.disable()
  await killServerProcesses()
})

describe('a call that had to be repeated', () => {
  it('is a span below its caller, with a client span for each attempt, whose context reaches the instance', async () => {
    const caller = tracers.getTracer('test').startSpan('caller')
    const response = await context.with(trace.setSpan(context.active(), caller), () => orders.fetch('/'))
    expect(await response.text()).toBe('here')
    const finished = spans.getFinishedSpans()
    const call = finished.find(({ name }) => name === 'call orders')!
    const [refused, answered] = finished.filter(({ name }) => name === 'attempt orders')
    expect(call.parentSpanContext?.spanId).toBe(caller.spanContext().spanId)
    expect(call.attributes).toMatchObject({ 'rollcall.service': 'orders', 'rollcall.attempts': 2 })
    expect(call.events.map(({ name }) => name)).toEqual(['retry'])
    for (const attempt of [refused!, answered!]) {
      expect(attempt.parentSpanContext?.spanId).toBe(call.spanContext().spanId)
      expect(attempt.kind).toBe(SpanKind.CLIENT)
    }
    expect(refused!.attributes).toMatchObject({ 'rollcall.attempt': 1, 'rollcall.outcome': 'unreachable' })
    expect(refused!.status.code).toBe(SpanStatusCode.ERROR)
    expect(answered!.attributes).toMatchObject({
      'server.address': '127.0.0.1',
      'server.port': (server.address() as AddressInfo).port,
      'rollcall.instance.zone': 'north',
      'rollcall.outcome': 'success',
    })
    const { traceId, spanId } = answered!.spanContext()
    expect(received[0]?.['traceparent']).toBe(`00-${traceId}-${spanId}-01`)
  })

  it('is counted: picks, a retry, an ejection, its duration', async () => {
    const points = await look()
    for (const [name, count] of Object.entries({ picks: 2, retries: 1, ejections: 1 }))
      expect(points(name)).toMatchObject([{ value: count, attributes: { 'rollcall.service': 'orders' } }])
    expect(points('call.duration')).toMatchObject([
      { value: { count: 1 }, attributes: { 'rollcall.outcome': 'success' } },
    ])
  })
})

describe('a call through another library', () => {
  it.each(['undici', 'axios'])('passes its context on: %s', async (library) => {
    const url = 'http://orders.rollcall/'
    if (library === 'undici') {
      const dispatcher = createDispatcher(rollcall)
      const { body } = await request(url, { dispatcher, headers: { 'x-own': 'kept' } })
      expect(await body.text()).toBe('here')
      await dispatcher.close()
    } else {
      const api = axios.create({ adapter: createAdapter(rollcall), headers: { 'x-own': 'kept' } })
      expect((await api.get<string>(url)).data).toBe('here')
    }
    const answered = spans.getFinishedSpans().findLast(({ name }) => name === 'attempt orders')!
    const { traceId, spanId } = answered.spanContext()
    expect(received).toHaveLength(1)
    expect(received[0]).toMatchObject({ traceparent: `00-${traceId}-${spanId}-01`, 'x-own': 'kept' })
  })
})

describe('work of one’s own', () => {
  it('runs in the context of its attempt, and its failure is that of the spans', async () => {
    let current: string | undefined
    const call = orders.call(() => {
      current = trace.getActiveSpan()?.spanContext().spanId
      throw new Error('not today')
    })
    await expect(call).rejects.toThrow('not today')
    const [attempt, whole] = spans.getFinishedSpans()
    expect(attempt?.spanContext().spanId).toBe(current)
    for (const span of [attempt, whole])
      expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'not today' })
    expect(attempt?.attributes['rollcall.outcome']).toBe('none')
  })
})

describe('lists', () => {
  it('are measured: their size by state, who is called, and how old they are, until the client is closed', async () => {
    const points = await look()
    const attributes = { 'rollcall.service': 'orders', 'rollcall.namespace': 'default' }
    expect(points('instances')).toEqual([{ value: 2, attributes: { ...attributes, 'rollcall.state': 'up' } }])
    // The one that refused may be on trial by now.
    expect(points('candidates')).toMatchObject([{ attributes }])
    expect([1, 2]).toContain(points('candidates')[0]?.value)
    expect(points('list.age')).toMatchObject([
      { attributes: { ...attributes, 'rollcall.source': 'registry' } },
    ])
    await rollcall.close()
    const after = await look()
    for (const name of ['instances', 'candidates', 'list.age']) expect(after(name)).toEqual([])
  })
})
