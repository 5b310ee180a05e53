/** HTTP service discovery of Prometheus: as anyone may ask for it, and as Debian's Prometheus does. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { NO_LOGGER, NO_METER, NO_REFUSALS } from '@rollcall/core'
import { createPrometheusDiscovery } from '@rollcall/protocols/prometheus'
import { startNode, type EmbeddedNode } from '@rollcall/server'
import { LIMITS } from '@rollcall/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { createSystemClock } from '../../packages/server/src/clock.js'
import { createHttpBudgets } from '../../packages/server/src/http-budgets.js'
import { findPrometheus, startPrometheus } from './support/guests/prometheus.js'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

async function startRegistry(): Promise<EmbeddedNode> {
  const node = await startNode({ memory: true, listen: '127.0.0.1:0', logLevel: 'error' })
  cleanUp.push(() => node.close())
  return node
}

async function post(node: EmbeddedNode, path: string, ...instances: object[]): Promise<void> {
  const answer = await fetch(`${node.url}/api/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances }),
  })
  expect([answer.status, await answer.json()]).toMatchObject([200, {}])
}

const instance = (id: string, more: object = {}): object => ({
  service: 'orders',
  id,
  host: '10.0.0.1',
  port: 8_080,
  liveness: 'static',
  ...more,
})

type Groups = readonly { readonly targets: readonly string[]; readonly labels: Record<string, string> }[]

async function targets(node: EmbeddedNode, query = ''): Promise<readonly string[]> {
  const answer = await fetch(`${node.url}/prometheus/sd${query}`)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'application/json; charset=utf-8',
  ])
  return ((await answer.json()) as Groups).map(({ labels }) =>
    ['namespace', 'service', 'id'].map((name) => labels[`__meta_rollcall_${name}`]).join('/'),
  )
}

describe('targets for Prometheus', () => {
  it('are all instances in a stable order, or those that the query names', async () => {
    const node = await startRegistry()
    // It began with nothing a moment ago: an empty list would take all targets from Prometheus.
    expect((await fetch(`${node.url}/prometheus/sd`)).status).toBe(503)
    await post(
      node,
      'register',
      instance('b'),
      instance('a'),
      instance('x', { service: 'billing', state: 'starting' }),
    )
    await post(node, 'register', instance('a', { namespace: 'eu' }))
    const all = ['default/billing/x', 'default/orders/a', 'default/orders/b', 'eu/orders/a']
    expect(await targets(node)).toEqual(all)
    expect(await targets(node, '?namespace=&unknown=1&service=')).toEqual(all)
    expect(await targets(node, '?service=orders')).toEqual(all.slice(1))
    expect(await targets(node, '?namespace=eu&service=orders')).toEqual(['eu/orders/a'])
    expect(await targets(node, '?state=starting')).toEqual(['default/billing/x'])
    expect(await targets(node, '?service=nowhere')).toEqual([])
    await post(node, 'deregister', instance('a'))
    expect(await targets(node, '?service=orders')).toEqual(['default/orders/b', 'eu/orders/a'])
  })

  it('are many, and still one answer', async () => {
    const node = await startRegistry()
    const ids = Array.from({ length: 3_000 }, (_, n) => `i${String(n).padStart(4, '0')}`)
    await post(node, 'register', ...ids.map((id) => instance(id)))
    const services = Array.from({ length: 1_500 }, (_, n) => `s${String(n).padStart(4, '0')}`)
    await post(node, 'register', ...services.map((service) => instance('a', { service })))
    expect(await targets(node)).toEqual([
      ...ids.map((id) => `default/orders/${id}`),
      ...services.map((service) => `default/${service}/a`),
    ])
    expect((await fetch(`${node.url}/prometheus/sd`, { method: 'HEAD' })).status).toBe(200)
  })

  it('are refused in words, and never with 200', async () => {
    const node = await startRegistry()
    const refusal = async (query: string, init: RequestInit = {}): Promise<unknown[]> => {
      const answer = await fetch(`${node.url}/prometheus/sd${query}`, init)
      return [
        answer.status,
        answer.headers.get('content-type'),
        answer.headers.get('allow'),
        await answer.text(),
      ]
    }
    const text = 'text/plain; charset=utf-8'
    expect(await refusal('?state=UP')).toEqual([
      400,
      text,
      null,
      expect.stringMatching(/^invalid_argument: state must be some of up, .*\n$/),
    ])
    expect(await refusal('', { method: 'POST', body: 'x' })).toEqual([
      405,
      text,
      'GET, HEAD',
      'method_not_allowed: targets are read with GET\n',
    ])
    const raw = await new Promise<number | undefined>((resolve, reject) => {
      const options = { headers: { host: 'elsewhere.example' } }
      import('node:http')
        .then(({ get }) =>
          get(`${node.url}/prometheus/sd`, options, (answer) => resolve(answer.resume().statusCode)),
        )
        .catch(reject)
    })
    expect(raw).toBe(403)
  })
})

/** A server of metrics at `/stats`, as an instance would be. */
async function startInstance(): Promise<number> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/stats' ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4' })
    response.end('orders_placed_total 5\n')
  })
  return listen(server, 0)
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  cleanUp.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const CONFIG = `
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: rollcall
    http_sd_configs:
      - { url: 'URL/prometheus/sd', refresh_interval: 1s }
    relabel_configs:
      - { source_labels: [__meta_rollcall_service], target_label: service }
      - { source_labels: [__meta_rollcall_id], target_label: instance }
      - { source_labels: [__meta_rollcall_metadata_metrics_path], regex: (.+), target_label: __metrics_path__ }
`

describe('Prometheus itself', () => {
  it('finds targets, scrapes them, keeps them through refusals, and lets go of those that left', async (context) => {
    const binary = await findPrometheus(context, 'prometheus')
    const node = await startRegistry()
    const prometheus = await startPrometheus(binary, { 'prometheus.yml': CONFIG.replace('URL', node.url) })
    cleanUp.push(() => prometheus.close())
    const metadata = { metrics_path: '/stats' }
    const well = instance('well', { host: '127.0.0.1', port: await startInstance(), metadata })
    const sick = instance('sick', { host: '127.0.0.1', port: 9, metadata })
    await post(node, 'register', well, sick)
    await expect
      .poll(() => prometheus.query('up{service="orders"}'), { interval: 200 })
      .toEqual({ well: '1', sick: '0' })
    expect(await prometheus.query('orders_placed_total')).toEqual({ well: '5' })

    await post(node, 'deregister', sick)
    await expect.poll(() => prometheus.targets(), { interval: 200 }).toEqual({ well: 'up' })

    // A node that still loads takes its place: it refuses, so the target stays, and is scraped on.
    const { port } = new URL(node.url)
    await node.close()
    let refusals = 0
    const loading = createPrometheusDiscovery({
      registry: { read: () => expect.fail('not asked') },
      node: { readiness: () => ({ ready: false, reason: 'loading' }) },
      clock: createSystemClock(),
      logger: NO_LOGGER,
      meter: NO_METER,
      refusals: NO_REFUSALS,
      budgets: createHttpBudgets({}, { ...LIMITS, waitersMax: 1 }, 1_000_000_000),
    })
    const stand = createServer((request, response) => {
      response.once('finish', () => (refusals += response.statusCode === 503 ? 1 : 0))
      loading.handleRequest(request, response)
    })
    await listen(stand, Number(port))
    // Prometheus hands on what it discovers every 5 s.
    await expect.poll(() => refusals, { interval: 200 }).toBeGreaterThan(7)
    expect(await prometheus.targets()).toEqual({ well: 'up' })

    stand.closeAllConnections()
    await new Promise((resolve) => stand.close(resolve))
    const next = await startNode({ memory: true, listen: `127.0.0.1:${port}`, logLevel: 'error' })
    cleanUp.push(() => next.close())
    await expect.poll(() => prometheus.targets(), { interval: 200 }).toEqual({})
  })
})
