/** What an operator loads into Prometheus and Grafana, held against a node that works. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { METRICS, type MetricInfo } from '@rollcall/core'
import { startServerProcess, killServerProcesses, type ServerProcess } from '@rollcall/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, createApi } from './http-calls.js'
import { findPrometheus, type Prometheus, startPrometheus } from './support/guests/prometheus.js'

const OPERATIONS = fileURLToPath(new URL('../../operations/', import.meta.url))
const read = (path: string): string => readFileSync(OPERATIONS + path, 'utf8')

let server: ServerProcess
let api: Api
beforeAll(async () => {
  server = await startServerProcess()
  api = createApi(server)
  await work(api)
})
afterAll(async () => {
  api.close()
  await killServerProcesses()
})

const metrics = async (): Promise<string> => String((await api.get('/metrics')).body)

const orders = (id: string): object => ({
  service: 'orders',
  id,
  host: '127.0.0.1',
  port: 9,
  liveness: 'static',
})

/** A little of everything, and what a caller gets wrong. */
async function work(caller: Api): Promise<void> {
  const get = (path: string): Promise<unknown> => caller.get(path)
  const post = (path: string, json: unknown): Promise<unknown> => caller.post(path, json)
  await post('/api/v1/register', { instances: [orders('a'), orders('b'), { service: '' }] })
  await post('/api/v1/heartbeat', { instances: [orders('a'), orders('nowhere')] })
  await post('/api/v1/deregister', { instances: [orders('b')] })
  for (const path of ['/api/v1/services', '/api/v1/services/orders', '/api/v1/services/none', '/none'])
    await get(path)
}

interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

function seriesOf(text: string): Series[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})? [^ ]+$/.exec(line) ?? []
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
      return { name, labels: Object.fromEntries(pairs.map(([, key, value]) => [key, value])) }
    })
}

describe('the metrics of a node that works', () => {
  it('are the whole catalogue, with label values from it only', async () => {
    const series = seriesOf(await metrics())
    const families = series.map(({ name }) =>
      Object.hasOwn(METRICS, name) ? name : name.replace(/_(bucket|sum|count)$/, ''),
    )
    // Elsewhere the system does not tell them.
    const missing = Object.keys(METRICS).filter((name) => !families.includes(name))
    expect(missing).toEqual(process.platform === 'linux' ? [] : ['process_open_fds', 'process_max_fds'])
    for (const [index, { name, labels }] of series.entries()) {
      const info = (METRICS as Record<string, MetricInfo>)[families[index] ?? '']
      if (info?.label !== undefined) expect(info.values, name).toContain(labels[info.label])
      else if (info?.kind !== 'info')
        expect(
          Object.keys(labels).filter((key) => key !== 'le'),
          name,
        ).toEqual([])
    }
  })

  it('are as many, whatever callers send', async () => {
    const before = seriesOf(await metrics()).length
    const names = Array.from({ length: 200 }, (_, n) => `s${n}`)
    await api.post('/api/v1/register', {
      instances: names.map((name) => ({ ...orders(name), service: name, namespace: name, zone: name })),
    })
    for (const name of names.slice(0, 20)) await api.get(`/${name}?${name}=${name}`)
    await api.post('/api/v1/register', { instances: [{ service: 'x', id: 'y', host: 'z', port: -1 }] })
    expect(seriesOf(await metrics()).length).toBe(before)
    expect(before).toBeLessThan(400)
  })

  it('pass the linter of Prometheus', async (context) => {
    const promtool = await findPrometheus(context, 'promtool')
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: await metrics() })
    expect([status, String(stdout) + String(stderr)]).toEqual([0, ''])
    const planted = spawnSync(promtool, ['check', 'metrics'], { input: '# TYPE a_ms gauge\na_ms 1\n' })
    expect(planted.status).toBe(3)
  })
})

describe('the files for Prometheus', () => {
  it('pass its linter and their own tests', async (context) => {
    const promtool = await findPrometheus(context, 'promtool')
    const run = (...args: string[]): string =>
      String(execFileSync(promtool, args, { cwd: `${OPERATIONS}prometheus` }))
    expect(run('check', 'config', '--lint=all', '--lint-fatal', 'prometheus.yaml')).toContain('is valid')
    expect(run('check', 'rules', '--lint=all', '--lint-fatal', 'alerts.yaml')).toContain('SUCCESS')
    expect(run('test', 'rules', 'rules-test.yaml')).toContain('SUCCESS')
  })
})

interface Rule {
  readonly name: string
  readonly health: string
  readonly lastError?: string
  readonly state: string
}

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
}

/** The configuration as it ships, for the address of this node and a hurried test. */
function configOf(address: string): string {
  const text = read('prometheus/prometheus.yaml')
  expect(text.match(/rollcall:7400/g)?.length).toBeGreaterThanOrEqual(2)
  return text.replaceAll('rollcall:7400', address).replaceAll(/\b15s\b/g, '1s')
}

/** An instance that says in its metadata where its metrics are. */
async function startInstance(): Promise<() => void> {
  const instance = createServer((_request, response) => response.end('orders_placed_total 5\n'))
  await new Promise<void>((resolve) => instance.listen(0, '127.0.0.1', resolve))
  const { port } = instance.address() as AddressInfo
  const measured = { service: 'shop', id: 'measured', host: '127.0.0.1', port, liveness: 'static' }
  await api.post('/api/v1/register', { instances: [{ ...measured, metadata: { 'metrics.path': '/stats' } }] })
  return () => instance.close().closeAllConnections()
}

describe('Prometheus, as it is configured here', () => {
  it('scrapes node and instances, evaluates every alert, and answers every query of the dashboard', async (context) => {
    const binary = await findPrometheus(context, 'prometheus')
    const stopInstance = await startInstance()
    await api.call('PUT', '/api/v1/freeze', { json: { why: 'to see it' } })
    const prometheus = await startPrometheus(binary, {
      'prometheus.yml': configOf(`${server.host}:${server.port}`),
      'alerts.yaml': read('prometheus/alerts.yaml'),
    })
    try {
      const name = `${server.host}:${server.port}`
      // Of all instances only the one that names its metrics is a target.
      await expect.poll(() => prometheus.targets()).toEqual({ [name]: 'up', measured: 'up' })
      await expect
        .poll(() => prometheus.query('orders_placed_total{service="shop"}'))
        .toEqual({ measured: '5' })

      const rules = async (): Promise<Rule[]> =>
        (await prometheus.ask<{ groups: { rules: Rule[] }[] }>('/api/v1/rules')).groups.flatMap(
          (group) => group.rules,
        )
      await expect.poll(async () => (await rules()).every(({ health }) => health === 'ok')).toBe(true)
      await expect
        .poll(async () =>
          (await rules()).filter(({ state }) => state !== 'inactive').map((rule) => rule.name),
        )
        .toContain('RollcallFrozen')

      await expect.poll(() => emptyQueries(prometheus), { interval: 1_000 }).toEqual([])
    } finally {
      await prometheus.close()
      await api.call('DELETE', '/api/v1/freeze')
      stopInstance()
    }
  })
})

/** Queries of the dashboard that have no result; throws for one that fails. Those over a share show only what is large. */
async function emptyQueries(prometheus: Prometheus): Promise<string[]> {
  const { panels } = JSON.parse(read('grafana/rollcall.json')) as { panels: Panel[] }
  const empty: string[] = []
  for (const { title, targets = [] } of panels)
    for (const { expr } of targets) {
      const query = expr
        .replaceAll('$job', 'rollcall')
        .replaceAll('$instance', '.*')
        .replaceAll('$__rate_interval', '5s')
      expect(query).not.toContain('$')
      const { result } = await prometheus.ask<{ result: unknown[] }>(
        `/api/v1/query?query=${encodeURIComponent(query)}`,
      )
      if (result.length === 0 && !expr.endsWith('> 0.01')) empty.push(`${title}: ${query}`)
    }
  return empty
}
