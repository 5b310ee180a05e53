/** Clients of Eureka and of Rollcall in one registry: what one registers the other finds, over real sockets. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectSdk } from '@rollcall/client'
import { startNode, type EmbeddedNode } from '@rollcall/server'
import { killServerProcesses, startServerProcess } from '@rollcall/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createJsClient,
  foundAt,
  instanceOf,
  registerAt,
  startClient,
  stopClient,
} from './support/eureka/client.js'
import { findPackage } from './support/guests/npm-package.js'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
  await killServerProcesses()
})

async function start(settings: object = {}): Promise<EmbeddedNode> {
  const node = await startNode({
    memory: true,
    listen: '127.0.0.1:0',
    eureka: '127.0.0.1:0',
    logLevel: 'error',
    ...settings,
  })
  cleanUp.push(() => node.close())
  return node
}

const eurekaOf = (node: EmbeddedNode): string => `${node.foreign['eureka']}/eureka`

async function register(base: string, id: string, more: object = {}): Promise<void> {
  expect(await registerAt(base, id, more)).toBe(204)
}

describe('one registry', () => {
  it('has what Eureka registers for the SDK, and what the SDK registers for Eureka', async () => {
    const node = await start()
    const base = eurekaOf(node)
    const rollcall = await connectSdk({ registries: [node.url] })
    cleanUp.push(() => rollcall.close())
    const orders = rollcall.service('orders')
    await register(base, '127.0.0.1:orders:3000')
    await orders.ready()
    await expect.poll(() => orders.instances().map(({ id }) => id)).toEqual(['127.0.0.1:orders:3000'])
    expect(orders.pick()).toMatchObject({ host: '127.0.0.1', port: 3_000, metadata: { version: '1.4.2' } })
    const registration = await rollcall.register({
      service: 'orders',
      id: 'sdk',
      host: '127.0.0.1',
      port: 3_001,
    })
    expect((await foundAt(base)).map(({ instanceId, status }) => [instanceId, status])).toEqual([
      ['127.0.0.1:orders:3000', 'UP'],
      ['sdk', 'UP'],
    ])
    await registration.deregister()
    expect((await foundAt(base)).map(({ instanceId }) => instanceId)).toEqual(['127.0.0.1:orders:3000'])
    await fetch(`${base}/apps/ORDERS/127.0.0.1:orders:3000`, { method: 'DELETE' })
    await expect.poll(() => orders.instances()).toEqual([])
  })

  it('knows by what it came, natively and in what is explained', async () => {
    const node = await start()
    await register(eurekaOf(node), 'a')
    const read = async (path: string): Promise<unknown> => (await fetch(node.url + path)).json()
    expect(await read('/api/v1/services/orders/instances/a')).toMatchObject({ via: 'eureka' })
    expect(await read('/api/v1/explain?service=orders&id=a')).toMatchObject({
      content: { via: 'eureka' },
      events: [{ kind: 'registered', via: 'eureka' }],
    })
    const metrics = await (await fetch(`${node.url}/metrics`)).text()
    expect(metrics).toContain('rollcall_foreign_requests_total{protocol="eureka"} 1')
  })

  it('answers nothing of its own at the address of Eureka, and nothing of Eureka at its own', async () => {
    const node = await start()
    await register(eurekaOf(node), 'a')
    expect((await fetch(`${node.url}/eureka/apps`)).status).toBe(404)
    expect((await fetch(`${node.foreign['eureka']}/api/v1/services`)).status).toBe(404)
    expect((await fetch(`${node.foreign['eureka']}/`)).status).toBe(404)
  })
})

it('lists come compressed where that is accepted, in XML where nothing is said, and empty after all left', async () => {
  const base = eurekaOf(await start())
  // A node that began with nothing, and was never told anything: clients keep what they have.
  expect((await fetch(`${base}/apps`)).status).toBe(403)
  await register(base, 'a')
  const zipped = await fetch(`${base}/apps/`, { headers: { 'accept-encoding': 'gzip' } })
  expect([zipped.headers.get('content-encoding'), zipped.headers.get('content-type')]).toEqual([
    'gzip',
    'application/xml',
  ])
  expect(await zipped.text()).toContain('<apps__hashcode>UP_1_</apps__hashcode>')
  const plain = await fetch(`${base}/apps/`, { headers: { 'accept-encoding': 'identity' } })
  expect([plain.headers.get('content-encoding'), (await plain.text()).slice(0, 14)]).toEqual([
    null,
    '<applications>',
  ])
  expect((await fetch(`${base}/apps`, { headers: { accept: 'text/html' } })).status).toBe(406)
  await fetch(`${base}/apps/ORDERS/a`, { method: 'DELETE' })
  const empty = await fetch(`${base}/apps`, { headers: { accept: 'application/json' } })
  expect(await empty.json()).toMatchObject({ applications: { apps__hashcode: '', application: [] } })
})

it('a registration outlives a restart of the node: the client is not asked to register again', async () => {
  const data = mkdtempSync(join(tmpdir(), 'rollcall-eureka-'))
  cleanUp.push(() => rmSync(data, { recursive: true, force: true }))
  const before = await start({ memory: false, data })
  const more = { homePageUrl: 'http://h/', asgName: 'group', leaseInfo: { renewalIntervalInSecs: 7 } }
  await register(eurekaOf(before), 'a', more)
  const shown = await foundAt(eurekaOf(before))
  await before.close()
  const after = await start({ memory: false, data })
  const base = eurekaOf(after)
  expect((await fetch(`${base}/apps/ORDERS/a`, { method: 'PUT' })).status).toBe(200)
  const times = { leaseInfo: expect.objectContaining({ renewalIntervalInSecs: 7 }) as unknown }
  expect(await foundAt(base)).toEqual(
    shown.map((each) => ({ ...each, ...times, lastUpdatedTimestamp: expect.any(String) as unknown })),
  )
})

it('the flag alone listens on loopback at its own port, which the command tells', async () => {
  const server = await startServerProcess({ args: ['--eureka', '127.0.0.1:0'] })
  const [, url = ''] = await server.written(/^eureka at (http:\/\/\S+)$/m)
  expect((await fetch(`${url}/eureka/status`)).status).toBe(200)
})

describe('eureka-js-client', () => {
  it('registers, is found, finds, renews, registers again by itself, and leaves', async (context) => {
    const folder = await findPackage(context, 'eureka-js-client', '4.5.0')
    const node = await start()
    const base = eurekaOf(node)
    const { hostname, port } = new URL(base)
    const client = createJsClient(folder, instanceOf('js', { app: 'orders' }), {
      host: hostname,
      port,
      servicePath: '/eureka/apps/',
      heartbeatInterval: 50,
      registryFetchInterval: 50,
    })
    await startClient(client)
    cleanUp.push(() => stopClient(client))
    expect(client.getInstancesByAppId('ORDERS')).toMatchObject([{ instanceId: 'js', port: { $: 3_000 } }])

    const registered = await fetch(`${node.url}/api/v1/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        instances: [{ service: 'orders', id: 'n', host: '127.0.0.9', port: 9, liveness: 'static' }],
      }),
    })
    expect(registered.status).toBe(200)
    const ids = (): readonly string[] =>
      client
        .getInstancesByVipAddress('orders')
        .map(({ instanceId }) => instanceId)
        .toSorted()
    await expect.poll(ids).toEqual(['js', 'n'])

    // Its next renewal is answered with 404.
    await fetch(`${base}/apps/ORDERS/js`, { method: 'DELETE' })
    await expect.poll(async () => (await foundAt(base)).map(({ instanceId }) => instanceId)).toContain('js')

    await fetch(`${base}/apps/ORDERS/js/status?value=OUT_OF_SERVICE`, { method: 'PUT' })
    // It asks for instances that are up only.
    await expect.poll(ids).toEqual(['n'])
    cleanUp.pop()
    await stopClient(client)
    expect((await foundAt(base)).map(({ instanceId }) => instanceId)).toEqual(['n'])
  })
})
