/** Calls through the SDK over one cluster or several: providers that answer, and a consumer that measures. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, type Rollcall, type Service } from '@rollcall/client'
import { serveProgram } from '../program.js'
import { percentile } from '../statistics.js'

const SERVICE = 'orders'

/** The registries of each cluster, by its name. */
export type Urls = Readonly<Record<string, string>>

const clustersOf = (urls: Urls): Record<string, { registries: string[] }> =>
  Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, { registries: [url] }]))

let providers: Rollcall | undefined

/** Starts instances in this process and registers them with every cluster; resolves when all have them. */
async function provide({
  urls,
  instances,
}: {
  readonly urls: Urls
  readonly instances: number
}): Promise<void> {
  const ports: number[] = []
  for (let index = 0; index < instances; index++) {
    const server = createServer((_request, response) => response.end('fine'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ports.push((server.address() as AddressInfo).port)
  }
  providers = await connect({ clusters: clustersOf(urls), snapshotDir: false })
  const registrations = await providers.register(
    ports.map((port) => ({ service: SERVICE, host: '127.0.0.1', port, probe: { type: 'none' as const } })),
  )
  while (registrations.some(({ clusters }) => clusters.some(({ state }) => state !== 'up')))
    await new Promise((resolve) => setTimeout(resolve, 10))
}

/** Resolves when every cluster has the instances of this process (again). */
async function registered({ clusters }: { readonly clusters: number }): Promise<void> {
  const standing = (): boolean => {
    const status = providers?.status()
    return (
      status !== undefined &&
      status.clusters.length === clusters &&
      status.clusters.every(
        ({ connection, accepted, registrations }) =>
          connection.state === 'connected' && accepted === registrations,
      )
    )
  }
  while (!standing()) await new Promise((resolve) => setTimeout(resolve, 10))
}

let consumer: Rollcall | undefined
let orders: Service | undefined

/** Connects and waits until the service can be called, several times; milliseconds the middle one took. */
async function join({ urls, times }: { readonly urls: Urls; readonly times: number }): Promise<number> {
  const took: number[] = []
  while (took.length < times) {
    await consumer?.close()
    const startedAt = performance.now()
    consumer = await connect({ clusters: clustersOf(urls), snapshotDir: false, warmup: false })
    orders = consumer.service(SERVICE)
    await orders.ready()
    took.push(performance.now() - startedAt)
  }
  return percentile(
    took.toSorted((a, b) => a - b),
    0.5,
  )
}

/** What a stretch of calls was like. */
export interface Latencies {
  readonly p50: number
  readonly p99: number
  readonly failed: number
}

/** Calls at a steady pace for this long, whatever happens meanwhile; latencies in milliseconds. */
async function call({
  forMs,
  perSecond,
}: {
  readonly forMs: number
  readonly perSecond: number
}): Promise<Latencies> {
  if (orders === undefined) throw new Error('join first')
  const service = orders
  const latencies: number[] = []
  let failed = 0
  const one = async (from: number): Promise<void> => {
    try {
      await (await service.fetch('/')).text()
    } catch {
      failed += 1
    }
    latencies.push(performance.now() - from)
  }
  const startedAt = performance.now()
  const under: Promise<void>[] = []
  for (let made = 0; made < (forMs / 1_000) * perSecond; made++) {
    const dueAt = startedAt + (made * 1_000) / perSecond
    const waitMs = dueAt - performance.now()
    if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs))
    // From when it was due: a process that stands still is slow for every caller that waits.
    under.push(one(Math.min(dueAt, performance.now())))
  }
  await Promise.all(under)
  const sorted = latencies.toSorted((a, b) => a - b)
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), failed }
}

/** What this program can do. */
export type ClustersLoad = {
  readonly provide: typeof provide
  readonly registered: typeof registered
  readonly join: typeof join
  readonly call: typeof call
}
serveProgram({ provide, registered, join, call } satisfies ClustersLoad)
