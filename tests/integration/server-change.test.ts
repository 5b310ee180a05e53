/** A change costs what changed, for every kind of subscriber; one that does not read harms no other. */
import { connect, type Socket } from 'node:net'
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import { signOf, type Delta, type View } from '@rollcall/wire'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createApi, metric, type Api } from './http-calls.js'
import { openEvents, openStream, type StreamPeer } from './subscribers.js'
import { soon } from './support/soon.js'

const INSTANCES = 1_000

/** Figures, for the reader of the run. */
const report = (line: string): boolean => process.stdout.write(`${line}\n`)

let server: ServerProcess
let api: Api

const instanceOf = (at: number, metadata: Readonly<Record<string, string>> = {}): object => ({
  service: 'orders',
  id: `orders-${at}`,
  host: '127.0.0.1',
  port: 10_000 + at,
  liveness: 'static',
  metadata: { version: '1.4.2', ...metadata },
})

async function start(): Promise<void> {
  server = await startServerProcess()
  api = createApi(server)
  const instances = Array.from({ length: INSTANCES }, (_, at) => instanceOf(at))
  expect((await api.post('/api/v1/register', { instances })).status).toBe(200)
}

beforeEach(start)

afterEach(async () => {
  api.close()
  await killServerProcesses()
})

async function currentView(): Promise<View> {
  return (await api.get('/api/v1/services/orders')).body as View
}

it('of 1,000 instances one changes: stream, events, since and long poll each get that one change', async () => {
  const first = await currentView()
  expect(first.instances).toHaveLength(INSTANCES)
  expect(signOf(first.instances)).toBe(first.sign)
  const stream = await openStream(server)
  await stream.ask({ type: 'watch', services: [{ service: 'orders' }] })
  const events = await openEvents(server, 'service=orders')
  await expect
    .poll(() => [stream.mirror('orders').sign, events.mirror.sign])
    .toEqual([first.sign, first.sign])

  const steps: readonly (readonly [() => Promise<unknown>, Partial<Delta>])[] = [
    [
      () => api.post('/api/v1/register', { instances: [instanceOf(500, { version: '1.4.3' })] }),
      {
        upserts: [expect.objectContaining({ id: 'orders-500', metadata: { version: '1.4.3' } })],
        removes: [],
      },
    ],
    [
      () => api.post('/api/v1/deregister', { instances: [{ service: 'orders', id: 'orders-7' }] }),
      { upserts: [], removes: [expect.objectContaining({ id: 'orders-7', reason: 'deregistered' })] },
    ],
    [
      () => api.post('/api/v1/register', { instances: [instanceOf(INSTANCES)] }),
      { upserts: [expect.objectContaining({ id: `orders-${INSTANCES}` })], removes: [] },
    ],
  ]
  let from = first.sign
  for (const [index, [change, expected]] of steps.entries()) {
    const poll = api.get(`/api/v1/services/orders?since=${from}&wait=30s`)
    await change()
    const after = await currentView()
    expect(signOf(after.instances)).toBe(after.sign)
    const delta = { namespace: 'default', service: 'orders', from, to: after.sign, ...expected }
    expect((await soon(poll)).body).toEqual(delta)
    expect((await api.get(`/api/v1/services/orders?since=${from}`)).body).toEqual(delta)
    const mirrors = [stream.mirror('orders'), events.mirror]
    await expect.poll(() => mirrors.map(({ sign }) => sign)).toEqual([after.sign, after.sign])
    for (const mirror of mirrors) {
      expect(mirror.deltas).toHaveLength(index + 1)
      expect(mirror.deltas[index]).toMatchObject(delta)
    }
    // The size of the change, not of the service.
    for (const mirror of mirrors) {
      expect(JSON.stringify(mirror.deltas[index]).length).toBeLessThan(JSON.stringify(after).length / 100)
    }
    from = after.sign
  }
  expect([stream.mirror('orders').views, events.mirror.views, stream.faults]).toEqual([1, 1, []])
  // A subscriber that was away for all of it gets one compacted delta.
  const { body } = await api.get(`/api/v1/services/orders?since=${first.sign}`)
  expect(body).toMatchObject({ upserts: [{}, {}], removes: [{ id: 'orders-7' }], to: from })
})

/** Delivery times of `count` single changes of 4 KB each, made one after the other by four writers. */
async function changes(count: number, subscriber: StreamPeer): Promise<{ p50: number; p99: number }> {
  const sentAt = new Map<string, number>()
  const times: number[] = []
  const ballast = 'x'.repeat(4_000)
  const round = String(Math.random())
  subscriber.onChange((update) => {
    const now = performance.now()
    for (const { metadata } of 'upserts' in update ? update.upserts : update.instances) {
      const at = sentAt.get(metadata['change'] ?? '')
      if (at === undefined) continue
      times.push(now - at)
      sentAt.delete(metadata['change'] ?? '')
    }
  })
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let at = writer; at < count; at += 4) {
      const change = `${round}-${at}`
      sentAt.set(change, performance.now())
      await api.post('/api/v1/register', { instances: [instanceOf(at % INSTANCES, { change, ballast })] })
    }
  })
  await Promise.all(writers)
  await expect.poll(() => times.length).toBe(count)
  times.sort((a, b) => a - b)
  return { p50: times[Math.floor(count / 2)] ?? 0, p99: times[Math.floor(count * 0.99)] ?? 0 }
}

it('readers that stall through 5,000 changes cost bounded memory, delay no other, and get a full view later', async () => {
  const live = await openStream(server)
  await live.ask({ type: 'watch', services: [{ service: 'orders' }] })
  const calm = await changes(1_000, live)
  const slowBefore = await metric(api, 'rollcall_slow_subscribers_total')
  const settled = await metric(api, 'process_resident_memory_bytes')

  const stalled = await Promise.all(Array.from({ length: 10 }, () => openStream(server)))
  for (const peer of stalled) {
    await peer.ask({ type: 'watch', services: [{ service: 'orders' }] })
    peer.ws.pause()
  }
  const deaf = await Promise.all(
    Array.from({ length: 10 }, () => openDeaf('GET /api/v1/watch?service=orders')),
  )
  const loaded = await changes(5_000, live)
  expect(await metric(api, 'rollcall_slow_subscribers_total')).toBeGreaterThanOrEqual(slowBefore + 20)
  // Unbounded it would be 20 MB for each of the twenty; bounded, it is 1 MiB and a view that they share.
  const grown = (await metric(api, 'process_resident_memory_bytes')) - settled
  report(
    `stalled readers: ${Math.round(grown / 2 ** 20)} MiB more, p99 ${loaded.p99.toFixed(1)} ms (calm ${calm.p99.toFixed(1)} ms)`,
  )
  expect(grown).toBeLessThan(200 * 2 ** 20)
  expect(loaded.p99).toBeLessThan(Math.max(5 * calm.p99, 100))
  expect(live.faults).toEqual([])
  expect(live.mirror('orders').views).toBe(1)

  const [one, ...others] = stalled
  const { sign } = await currentView()
  one?.ws.resume()
  await expect.poll(() => one?.mirror('orders').sign).toBe(sign)
  expect(one?.faults).toEqual([])
  expect(one?.mirror('orders').views).toBeGreaterThanOrEqual(2)
  expect(one?.mirror('orders').deltas.length).toBeLessThan(4_900)
  for (const peer of others) peer.drop()
  for (const socket of deaf) socket.destroy()
  await expect.poll(() => metric(api, 'rollcall_budget_used{quota="watchesMax"}')).toBe(2)
})

/** A client that asks and never reads the answer. */
function openDeaf(request: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(server.port, server.host, () => {
      socket.pause()
      socket.write(`${request} HTTP/1.1\r\nHost: ${server.host}\r\n\r\n`)
      resolve(socket)
    })
    socket.on('error', () => {})
  })
}
