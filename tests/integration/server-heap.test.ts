/** A node whose heap is as full as it may be: it refuses growth before it would be aborted, and does everything else. */
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import type { DeregisterResponse, RegisterResponse } from '@rollcall/wire'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { createApi, metric, type Api } from './http-calls.js'

const HEAP_MIB = 256
const BATCH = 500
/** Far more than the heap holds: 300 MB. */
const BATCHES_MAX = 75

/** Instances with about as much metadata as is allowed. */
function fat(batch: number): object[] {
  return Array.from({ length: BATCH }, (_, n) => ({
    service: 'fat',
    id: `i-${batch}-${n}`,
    host: '10.0.0.1',
    port: 80,
    incarnation: 1,
    liveness: 'static',
    metadata: { a: `${batch}-${n}-`.padEnd(8_090, 'x') },
  }))
}

/** Registers until something is refused, and says which batch that was. */
async function flood(api: Api): Promise<{ batches: number; refusals: unknown[] }> {
  for (let batch = 0; batch < BATCHES_MAX; batch++) {
    const { body } = await api.post('/api/v1/register', { instances: fat(batch) })
    const refusals = (body as RegisterResponse).results.flatMap((result) => (result.ok ? [] : [result.error]))
    if (refusals.length > 0) return { batches: batch, refusals }
  }
  return { batches: BATCHES_MAX, refusals: [] }
}

describe('a node with little heap', () => {
  afterAll(killServerProcesses)

  it('refuses what would fill it before it is aborted, and goes on with the living', async () => {
    // Its own address may have all of it: what refuses is the heap alone.
    const args = ['--limits-record-bytes-max', '1073741824', '--limits-shared-networks', '127.0.0.0/8']
    const env = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` }
    const server = await startServerProcess({ args, env })
    const api = createApi(server)
    const living = { service: 'orders', id: 'a', host: '10.0.0.2', port: 80, incarnation: 1 }
    await api.post('/api/v1/register', { instances: [living] })

    const { batches, refusals } = await flood(api)
    const heapFull = expect.objectContaining({
      code: 'limit_exceeded',
      details: expect.objectContaining({ quota: 'heap', over: 'node' }) as unknown,
    }) as unknown
    expect(refusals[0]).toEqual(heapFull)
    // 8.1 KB each: about half of what the process was given is records.
    expect(batches * BATCH * 8_100).toBeGreaterThan(0.3 * HEAP_MIB * 1_048_576)

    const more = await api.post('/api/v1/register', { instances: fat(BATCHES_MAX) })
    expect(more.status).toBe(429)
    expect(await metric(api, 'rollcall_limit_refusals_total{quota="heap"}')).toBeGreaterThan(BATCH)
    const readiness = await api.get('/readyz')
    expect(readiness.body).toMatchObject({ ready: true, heap: { maxBytes: expect.any(Number) as unknown } })

    const heard = await api.post('/api/v1/heartbeat', { instances: [living] })
    expect(heard.body).toMatchObject({ unknown: [], deregistered: [], superseded: [] })
    const renewed = await api.post('/api/v1/register', { instances: [living] })
    expect(renewed.body).toMatchObject({ results: [{ ok: true }] })
    const found = await api.get('/api/v1/services/orders')
    expect(found.body).toMatchObject({ instances: [{ id: 'a', state: 'up' }] })

    const gone = Array.from({ length: 4 * BATCH }, (_, n) => {
      const id = `i-${Math.floor(n / BATCH)}-${n % BATCH}`
      return { service: 'fat', id, incarnation: 1 }
    })
    const removed = await api.post('/api/v1/deregister', { instances: gone })
    expect((removed.body as DeregisterResponse).removed).toHaveLength(4 * BATCH)
    await vi.waitFor(async () => {
      const again = await api.post('/api/v1/register', {
        instances: [{ ...living, service: 'new', id: 'b' }],
      })
      expect(again.status).toBe(200)
    }, 20_000)
    expect(server.process.exitCode).toBeNull()
  }, 180_000)
})
