/** The metrics of calls and lists. */
import type { Attributes, BatchObservableResult, Meter } from '@opentelemetry/api'
import type { Instance, Rollcall, WatchedService } from '@rollcall/client'
import { serviceAttributes } from './attributes.js'

/** The metrics of clients. */
export interface Instruments {
  /** Reports the lists of a client until what it returns is called. */
  follow(client: Rollcall): () => void
  /** Counts what is left out of a service from now on. */
  opened(service: WatchedService): void
  picked(service: WatchedService): void
  retried(attributes: Attributes): void
  called(attributes: Attributes, outcome: string, seconds: number): void
}

/** Bounds in seconds: calls between services take milliseconds. */
const DURATION_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Creates them. */
export function createInstruments(meter: Meter): Instruments {
  const picks = meter.createCounter('rollcall.client.picks', {
    description: 'Instances handed out, by pick() or for an attempt',
  })
  const retries = meter.createCounter('rollcall.client.retries', {
    description: 'Attempts after the first of a call',
  })
  const ejections = meter.createCounter('rollcall.client.ejections', {
    description: 'Instances that are up and left out because they failed here',
  })
  const duration = meter.createHistogram('rollcall.client.call.duration', {
    description: 'Time of calls until their answer begins, with all attempts',
    unit: 's',
    advice: { explicitBucketBoundaries: DURATION_BOUNDS },
  })
  const known = new WeakMap<WatchedService, Attributes>()
  const attributesOf = (service: WatchedService): Attributes => {
    const attributes = known.get(service) ?? serviceAttributes(service.name, service)
    known.set(service, attributes)
    return attributes
  }
  return {
    follow: (client) => followLists(meter, client),
    opened(service) {
      const attributes = attributesOf(service)
      let out = new Set<string>()
      service.onCandidates(() => {
        const now = leftOut(service)
        for (const key of now) if (!out.has(key)) ejections.add(1, attributes)
        out = now
      })
    },
    picked: (service) => picks.add(1, attributesOf(service)),
    retried: (attributes) => retries.add(1, attributes),
    called: (attributes, outcome, seconds) =>
      duration.record(seconds, { ...attributes, 'rollcall.outcome': outcome }),
  }
}

/** Those that are up and not called all the same. */
function leftOut(service: WatchedService): Set<string> {
  const called = new Set(service.candidates().map(keyOf))
  const up = service.instances().filter(({ state }) => state === 'up')
  return new Set(up.map(keyOf).filter((key) => !called.has(key)))
}

function keyOf({ group, id }: Instance): string {
  return `${group}\n${id}`
}

function followLists(meter: Meter, client: Rollcall): () => void {
  const instances = meter.createObservableGauge('rollcall.client.instances', {
    description: 'Instances on the list of a service, by state',
  })
  const candidates = meter.createObservableGauge('rollcall.client.candidates', {
    description: 'Instances that are chosen among',
  })
  const age = meter.createObservableGauge('rollcall.client.list.age', {
    description: 'Time since a registry last confirmed the list',
    unit: 's',
  })
  const observe = (result: BatchObservableResult): void => {
    for (const { service: name, source, ageMs, ...view } of client.status().services) {
      const { namespace, group } = view
      const service = client.service(name, { namespace, ...(group !== undefined && { group }) })
      const attributes = serviceAttributes(name, view)
      const byState = new Map<string, number>()
      for (const { state } of service.instances()) byState.set(state, (byState.get(state) ?? 0) + 1)
      for (const [state, count] of byState)
        result.observe(instances, count, { ...attributes, 'rollcall.state': state })
      result.observe(candidates, service.candidates().length, attributes)
      if (ageMs !== undefined)
        result.observe(age, ageMs / 1_000, { ...attributes, 'rollcall.source': source })
      service.close()
    }
  }
  const all = [instances, candidates, age]
  meter.addBatchObservableCallback(observe, all)
  return () => meter.removeBatchObservableCallback(observe, all)
}
