/** The figures of this very process. */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { NO_METER } from '@rollcall/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createSystemClock } from '../../packages/server/src/clock.js'
import { createMetricsRegistry } from '../../packages/server/src/telemetry/metrics-registry.js'
import {
  createDescriptorCount,
  createProcessMetrics,
  type ProcessMetricsDeps,
} from '../../packages/server/src/telemetry/process-metrics.js'

const cleanUp: (() => void)[] = []
afterEach(() => {
  for (const step of cleanUp.splice(0)) step()
})

const clock = createSystemClock()

function setUp(sources: Pick<ProcessMetricsDeps, 'openDescriptors'> = {}): (name: string) => number {
  const metrics = createMetricsRegistry()
  const figures = createProcessMetrics({ clock, meter: metrics, ...sources })
  cleanUp.push(() => figures.close())
  return (name) => {
    figures.sample()
    const line = metrics
      .render()
      .split('\n')
      .find((each) => each.startsWith(`${name} `))
    return Number(line?.slice(name.length))
  }
}

describe('the figures of a process', () => {
  it('are in base units', () => {
    const figure = setUp()
    const { rss } = process.memoryUsage()
    expect(figure('process_resident_memory_bytes')).toBeGreaterThan(rss / 2)
    expect(figure('nodejs_heap_size_used_bytes')).toBeGreaterThan(1e6)
    expect(figure('nodejs_heap_size_limit_bytes')).toBeGreaterThan(figure('nodejs_heap_size_used_bytes'))
    const { user, system } = process.cpuUsage()
    expect(figure('process_cpu_seconds_total')).toBeGreaterThanOrEqual((user + system) / 1e6)
    expect(figure('process_cpu_seconds_total')).toBeLessThan((user + system) / 1e6 + 10)
    expect(figure('process_start_time_seconds')).toBeCloseTo(performance.timeOrigin / 1_000, 0)
  })

  it('tell a loop that was held up, and forget it with the next scrape', async () => {
    const figure = setUp()
    // The sampler notices a delay at its first tick after it.
    await sleep(100)
    const until = performance.now() + 200
    while (performance.now() < until);
    await sleep(100)
    const lag = figure('nodejs_eventloop_lag_max_seconds')
    expect(lag).toBeGreaterThan(0.1)
    expect(lag).toBeLessThan(30)
    expect(figure('nodejs_eventloop_lag_max_seconds')).toBe(0)
  })

  it('count collections with their time, by kind', async () => {
    const observe = vi.fn()
    const figures = createProcessMetrics({ clock, meter: { ...NO_METER, observe } })
    cleanUp.push(() => figures.close())
    await vi.waitFor(() => {
      // Enough for a young generation to be collected.
      Array.from({ length: 300_000 }, (_, index) => ({ index }))
      expect(observe).toHaveBeenCalledWith('nodejs_gc_duration_seconds', expect.any(Number), 'minor')
    })
    for (const [, seconds] of observe.mock.calls) expect(seconds).toBeLessThan(5)
  })

  it('leave out descriptors where the system does not tell them', () => {
    expect(setUp({ openDescriptors: () => undefined })('process_open_fds')).toBeNaN()
    expect(setUp({ openDescriptors: () => 7 })('process_open_fds')).toBe(7)
  })
})

describe('open descriptors', () => {
  it('are as many as there are', (context) => {
    const count = createDescriptorCount()
    const before = count() ?? 0
    // Elsewhere than on Linux, and before 6.2.
    context.skip(before === 0, 'the kernel does not tell the number of descriptors')
    const opened = Array.from({ length: 10 }, () => openSync(process.execPath, 'r'))
    expect(count()).toBe(before + 10)
    for (const descriptor of opened) closeSync(descriptor)
    expect(count()).toBe(before)
  })

  it('are counted for the next question where they have to be listed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-descriptors-'))
    cleanUp.push(() => rmSync(folder, { recursive: true }))
    const stat = { size: 0 }
    const count = createDescriptorCount(folder, () => stat.size)
    for (const name of ['a', 'b', 'c']) closeSync(openSync(join(folder, name), 'w'))
    await vi.waitFor(() => expect(count()).toBe(2))
  })

  it('are not known where there is no such folder', async () => {
    const count = createDescriptorCount('/nowhere/fd')
    await new Promise((resolve) => setImmediate(resolve))
    expect(count()).toBeUndefined()
  })
})
