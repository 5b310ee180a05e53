/** Clients of Consul and of Rollcall in one registry, over real sockets: npm's own client, restarts, and what is refused. */
import { createRequire } from 'node:module'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNode, type EmbeddedNode } from '@rollcall/server'
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { findPackage } from './support/guests/npm-package.js'
import { freePort } from './support/processes.js'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
  await killServerProcesses()
})

async function start(settings: object = {}): Promise<EmbeddedNode> {
  const node = await startNode({
    memory: true,
    listen: '127.0.0.1:0',
    consul: '127.0.0.1:0',
    logLevel: 'error',
    ...settings,
  })
  cleanUp.push(() => node.close())
  return node
}

interface Answer {
  readonly status: number
  readonly index: string | null
  readonly text: string
  readonly headers: Headers
}

async function ask(base: string, line: string, body?: unknown): Promise<Answer> {
  const [method = '', path = ''] = line.split(' ')
  const answer = await fetch(`${base}/v1${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const { status, headers } = answer
  return { status, index: headers.get('x-consul-index'), text: await answer.text(), headers }
}

const consulOf = (node: EmbeddedNode): string => node.foreign['consul'] ?? ''

async function native(node: EmbeddedNode, service: string): Promise<readonly object[]> {
  const answer = await fetch(`${node.url}/api/v1/services/${service}`)
  if (answer.status === 404) return []
  return ((await answer.json()) as { readonly instances: readonly object[] }).instances
}

const WEB = { Name: 'web', ID: 'web-1', Address: '127.0.0.1', Port: 8_080, Tags: ['a'], Meta: { v: '1' } }

type Health = readonly {
  readonly Service: { readonly ID: string; readonly Meta: Readonly<Record<string, string>> }
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string; readonly Notes: string }[]
}[]

async function health(base: string, service: string): Promise<Health> {
  return JSON.parse((await ask(base, `GET /health/service/${service}`)).text) as Health
}

const statuses = async (base: string, service: string): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(
    (await health(base, service)).flatMap(({ Checks }) =>
      Checks.filter(({ CheckID }) => CheckID !== 'serfHealth').map((check) => [check.CheckID, check.Status]),
    ),
  )

describe('one registry', () => {
  it('shows the services of Consul natively, and those of others to Consul', async () => {
    const node = await start()
    const base = consulOf(node)
    await ask(base, 'PUT /agent/service/register', { ...WEB, Weights: { Passing: 7, Warning: 1 } })
    expect(await native(node, 'web')).toMatchObject([
      {
        id: 'web-1',
        host: '127.0.0.1',
        port: 8_080,
        weight: 7,
        state: 'up',
        via: 'consul',
        metadata: { v: '1' },
      },
    ])
    await fetch(`${node.url}/api/v1/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        instances: [{ service: 'orders', id: 'o1', host: '127.0.0.1', port: 1, liveness: 'static' }],
      }),
    })
    expect(JSON.parse((await ask(base, 'GET /catalog/services')).text)).toEqual({
      consul: [],
      orders: [],
      web: ['a'],
    })
    expect(await statuses(base, 'orders')).toEqual({ 'service:orders:o1': 'passing' })
    expect(JSON.parse((await ask(base, 'GET /agent/services')).text)).toHaveProperty('web-1')
    expect(JSON.parse((await ask(base, 'GET /agent/services')).text)).not.toHaveProperty('orders:o1')
  })

  it('keeps in maintenance what a client or an operator took out, each by their own word', async () => {
    const node = await start()
    const base = consulOf(node)
    await ask(base, 'PUT /agent/service/register', WEB)
    await ask(base, 'PUT /agent/service/maintenance/web-1?enable=true&reason=upgrade')
    expect(await native(node, 'web')).toMatchObject([{ state: 'disabled' }])
    expect((await health(base, 'web'))[0]?.Checks).toContainEqual(
      expect.objectContaining({
        CheckID: '_service_maintenance:web-1',
        Status: 'critical',
        Notes: 'upgrade',
      }),
    )
    await ask(base, 'PUT /agent/maintenance?enable=false')
    expect(await native(node, 'web')).toMatchObject([{ state: 'up' }])
    await fetch(`${node.url}/api/v1/overrides`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ instances: [{ service: 'web', id: 'web-1' }], disable: true, by: 'ann' }),
    })
    expect((await ask(base, 'PUT /agent/service/maintenance/web-1?enable=false')).status).toBe(403)
    expect((await ask(base, 'PUT /agent/service/deregister/web-1')).status).toBe(200)
  })

  it('makes checks of endpoints, and refuses those that it may not make', async () => {
    const node = await start()
    const base = consulOf(node)
    let healthy = true
    const endpoint = createServer((_request, response) => response.writeHead(healthy ? 200 : 503).end())
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve))
    cleanUp.push(() => endpoint.close())
    const { port } = endpoint.address() as AddressInfo
    const check = (target: string): object => ({
      ...WEB,
      Port: port,
      Check: { HTTP: target, Interval: '1s', Timeout: '1s' },
    })
    for (const [target, words] of [
      ['http://10.255.255.1/health', /^Invalid check: Rollcall may not ask 10\.255\.255\.1, .*probeNetworks/],
      ['http://169.254.169.254/latest', /^Invalid check: Rollcall may not ask 169\.254\.169\.254/],
      ['http://127.0.0.1:22/', /^Invalid check: probe\.port must be the registered port, .*probeOtherPorts/],
      ['gopher://127.0.0.1/', /^Invalid check: .* is not a URL/],
    ] as const) {
      const { status, text } = await ask(base, 'PUT /agent/service/register', check(target))
      expect([status, text]).toEqual([400, expect.stringMatching(words)])
    }
    expect(await health(base, 'web')).toEqual([])
    await ask(base, 'PUT /agent/service/register', check(`http://127.0.0.1:${port}/health`))
    await expect.poll(() => statuses(base, 'web')).toEqual({ 'service:web-1': 'passing' })
    expect(await native(node, 'web')).toMatchObject([{ state: 'up' }])
    healthy = false
    await expect.poll(() => statuses(base, 'web')).toEqual({ 'service:web-1': 'critical' })
    healthy = true
    await expect.poll(() => statuses(base, 'web')).toEqual({ 'service:web-1': 'passing' })
  })
})

describe('a blocking query', () => {
  it('waits as long as it says, and is over with a change or a larger index', async () => {
    const base = consulOf(await start())
    await ask(base, 'PUT /agent/service/register', WEB)
    const { index } = await ask(base, 'GET /health/service/web')
    const startedAt = performance.now()
    const same = await ask(base, `GET /health/service/web?index=${index}&wait=1s`)
    expect(same.index).toBe(index)
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990)
    const waiting = ask(base, `GET /health/service/web?index=${index}&wait=50s`)
    await ask(base, 'PUT /agent/service/deregister/web-1')
    const gone = await waiting
    expect([gone.text, Number(gone.index) > Number(index)]).toEqual(['[]', true])
    for (const larger of [Number(gone.index) + 1, '18446744073709551615'])
      expect((await ask(base, `GET /health/service/web?index=${larger}&wait=50s`)).text).toBe('[]')
    const first = ask(base, `GET /health/service/web?index=${gone.index}&wait=50s`)
    await ask(base, 'PUT /agent/service/register', WEB)
    expect(Number((await first).index)).toBeGreaterThan(Number(gone.index))
  })

  it('is answered when the node stops, which it does not hold up', async () => {
    const node = await start()
    const base = consulOf(node)
    const { index } = await ask(base, 'GET /catalog/services')
    const waiting = ask(base, `GET /catalog/services?index=${index}&wait=50s`)
    // Its head has to be there before the node stops.
    await ask(base, 'GET /status/leader')
    await expect.poll(async () => (await fetch(`${node.url}/metrics`)).text()).toMatch(/waitersMax"\} 1/)
    const startedAt = performance.now()
    await node.close()
    expect((await waiting).status).toBe(503)
    expect(performance.now() - startedAt).toBeLessThan(4_000)
  })
})

describe('registrations', () => {
  it('outlive a killed node, with the words on their checks, maintenance, and an index that only rises', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-consul-'))
    cleanUp.push(() => rmSync(dataDir, { recursive: true, force: true }))
    const port = await freePort()
    const base = `http://127.0.0.1:${port}`
    const args = ['--consul', `127.0.0.1:${port}`]
    const first = await startServerProcess({ dataDir, args })
    const id = 'w#1/%'
    await ask(base, 'PUT /agent/service/register', { ...WEB, ID: id, Check: { TTL: '60s' } })
    await ask(base, `PUT /agent/check/pass/${encodeURIComponent(`service:${id}`)}`)
    await ask(base, 'PUT /agent/service/register', { ...WEB, ID: 'out' })
    await ask(base, 'PUT /agent/service/maintenance/out?enable=true')
    const { index } = await ask(base, 'GET /health/service/web')
    await first.kill()
    await startServerProcess({ dataDir, args })
    expect(await statuses(base, 'web')).toEqual({
      'service:w#1/%': 'passing',
      '_service_maintenance:out': 'critical',
    })
    expect(Number((await ask(base, 'GET /health/service/web')).index)).toBeGreaterThan(Number(index))
    const beat = (): Promise<number> =>
      ask(base, `PUT /agent/check/pass/${encodeURIComponent(`service:${id}`)}`).then(({ status }) => status)
    await expect.poll(beat).toBe(200)
    expect((await ask(base, `PUT /agent/service/deregister/${encodeURIComponent(id)}`)).status).toBe(200)
  })
})

interface NpmConsul {
  readonly agent: {
    readonly service: { register(options: object): Promise<void>; deregister(id: string): Promise<void> }
    readonly check: { pass(id: string): Promise<void>; fail(id: string): Promise<void> }
  }
  readonly health: { service(options: object): Promise<Health> }
  readonly catalog: { service: { list(): Promise<Readonly<Record<string, readonly string[]>>> } }
  watch(options: object): NodeJS.EventEmitter & { end(): void }
}

describe('the client of npm', () => {
  it('registers, passes, watches and leaves', async (context) => {
    const folder = await findPackage(context, 'consul', '2.0.1')
    const Consul = createRequire(join(folder, 'index.js'))('consul') as new (options: object) => NpmConsul
    const node = await start()
    const { hostname, port } = new URL(consulOf(node))
    const consul = new Consul({ host: hostname, port: Number(port) })
    const seen: string[] = []
    const watch = consul.watch({
      method: (consul as unknown as { health: { service: unknown } }).health.service,
      options: { service: 'web', passing: true },
      backoffFactor: 100,
    })
    cleanUp.push(() => watch.end())
    watch.on('change', (list: Health) => seen.push(list.map(({ Service }) => Service.ID).join()))
    watch.on('error', (error: Error) => seen.push(error.message))
    await expect.poll(() => seen).toEqual([''])
    await consul.agent.service.register({
      name: 'web',
      id: 'web-1',
      address: '127.0.0.1',
      port: 8_080,
      tags: ['a'],
      check: { ttl: '30s' },
    })
    await consul.agent.check.pass('service:web-1')
    await expect.poll(() => seen).toContain('web-1')
    expect(await consul.catalog.service.list()).toEqual({ consul: [], web: ['a'] })
    expect(await native(node, 'web')).toMatchObject([{ id: 'web-1', state: 'up', via: 'consul' }])
    await consul.agent.check.fail('service:web-1')
    await expect.poll(() => seen.at(-1)).toBe('')
    await expect(consul.agent.check.pass('service:unknown')).rejects.toThrow()
    await consul.agent.service.deregister('web-1')
    expect(await consul.health.service({ service: 'web' })).toEqual([])
    expect(seen.filter((each) => each !== '' && each !== 'web-1')).toEqual([])
  })
})
