/**
 * The figures of the process and of Node, under the names that Prometheus' own libraries give them. A scrape costs the
 * same however many connections are open: descriptors are asked for, not listed, where the kernel can tell.
 */
import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { constants, monitorEventLoopDelay, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { Clock, Meter } from '@rollcall/core'
import { readDescriptorLimit } from '../descriptors.js'

export interface ProcessMetrics {
  /** Sets the gauges; those of the event loop are about the time since the sample before. */
  sample(): void
  /** Stops measuring. Idempotent. */
  close(): void
}

export interface ProcessMetricsDeps {
  readonly clock: Pick<Clock, 'wallNow'>
  readonly meter: Meter
  /** Number of open descriptors, or undefined where that is not known. Default: this process'. */
  readonly openDescriptors?: () => number | undefined
}

/** How often the delay of the event loop is sampled. Its timer does not keep the process alive. */
const LOOP_SAMPLE_MS = 20

const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

/** Begins to measure this process; `close` ends it. */
export function createProcessMetrics(deps: ProcessMetricsDeps): ProcessMetrics {
  const { clock, meter, openDescriptors = createDescriptorCount() } = deps
  const sampleLoop = createLoopDelay(meter)
  const gc = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = GC_KINDS[(entry as GcEntry).detail?.kind ?? 0]
      if (kind !== undefined) meter.observe('nodejs_gc_duration_seconds', entry.duration / 1_000, kind)
    }
  })
  gc.observe({ entryTypes: ['gc'] })
  const descriptorLimit = readDescriptorLimit()
  const startedAt = clock.wallNow() / 1_000 - process.uptime()
  let cpu = { user: 0, system: 0 }
  return {
    sample() {
      const { user, system } = process.cpuUsage()
      meter.count('process_cpu_user_seconds_total', (user - cpu.user) / 1e6)
      meter.count('process_cpu_system_seconds_total', (system - cpu.system) / 1e6)
      meter.count('process_cpu_seconds_total', (user + system - cpu.user - cpu.system) / 1e6)
      cpu = { user, system }
      meter.set('process_start_time_seconds', startedAt)
      const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
      meter.set('process_resident_memory_bytes', rss)
      meter.set('nodejs_heap_size_used_bytes', heapUsed)
      meter.set('nodejs_heap_size_total_bytes', heapTotal)
      meter.set('nodejs_heap_size_limit_bytes', getHeapStatistics().heap_size_limit)
      meter.set('nodejs_external_memory_bytes', external)
      const open = openDescriptors()
      if (open !== undefined) meter.set('process_open_fds', open)
      if (descriptorLimit !== undefined) meter.set('process_max_fds', descriptorLimit)
      sampleLoop.sample()
    },
    close() {
      gc.disconnect()
      sampleLoop.close()
    },
  }
}

/** Types leave out what an entry of this kind says. */
type GcEntry = PerformanceEntry & { readonly detail?: { readonly kind?: number } }

/** The delay of the event loop. */
function createLoopDelay(meter: Meter): ProcessMetrics {
  const delay = monitorEventLoopDelay({ resolution: LOOP_SAMPLE_MS })
  delay.enable()
  // What is sampled is the time between two ticks of the sampler, so an idle loop shows its interval; in nanoseconds.
  const seconds = (nanoseconds: number): number =>
    delay.count === 0 ? 0 : Math.max(0, Math.round(nanoseconds / 1e3) - LOOP_SAMPLE_MS * 1e3) / 1e6
  return {
    sample() {
      meter.set('nodejs_eventloop_lag_mean_seconds', seconds(delay.mean))
      meter.set('nodejs_eventloop_lag_p50_seconds', seconds(delay.percentile(50)))
      meter.set('nodejs_eventloop_lag_p99_seconds', seconds(delay.percentile(99)))
      meter.set('nodejs_eventloop_lag_max_seconds', seconds(delay.max))
      delay.reset()
    },
    close() {
      delay.disable()
    },
  }
}

/** The folder of a process' descriptors on Linux. */
const DESCRIPTORS = '/proc/self/fd'

/**
 * Counts open descriptors. Since Linux 6.2 the size of the folder is their number. Before, it is listed, on another
 * thread: with ten thousand connections that takes tens of milliseconds. So the answer is that of the question before.
 */
export function createDescriptorCount(
  folder: string = DESCRIPTORS,
  told: () => number = () => statSync(folder, { throwIfNoEntry: false })?.size ?? 0,
): () => number | undefined {
  let listed: number | undefined
  let listing = false
  const list = (): void => {
    if (listing) return
    listing = true
    readdir(folder)
      .then(
        // One of them is the listing itself.
        (names) => (listed = names.length - 1),
        () => (listed = undefined),
      )
      .finally(() => (listing = false))
  }
  if (told() === 0) list()
  return () => {
    const number = told()
    if (number > 0) return number
    list()
    return listed
  }
}
