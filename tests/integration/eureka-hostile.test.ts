/** What hostile clients send to the address of Eureka: nothing of it ends the node, fills its memory or reaches other clients. */
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { startNode, type EmbeddedNode } from '@rollcall/server'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'

const nodes: EmbeddedNode[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const node of nodes.splice(0)) await node.close()
})

async function start(settings: object = {}): Promise<{ readonly node: EmbeddedNode; readonly base: string }> {
  const node = await startNode({
    memory: true,
    listen: '127.0.0.1:0',
    eureka: '127.0.0.1:0',
    logLevel: 'error',
    ...settings,
  })
  nodes.push(node)
  return { node, base: node.foreign['eureka'] ?? '' }
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
}

/** The status of the answer; 0 where the connection ended without one. */
function send(base: string, { method, path, headers = {}, body = '' }: Sent): Promise<number> {
  const { hostname, port } = new URL(base)
  return new Promise((resolve) => {
    const asked = request(
      { hostname, port, method, path, headers: { connection: 'close', ...headers } },
      (answer) => {
        answer.resume()
        answer.on('end', () => resolve(answer.statusCode ?? 0))
      },
    )
    asked.on('error', () => resolve(0))
    asked.end(body)
  })
}

const JSON_TYPE = { 'content-type': 'application/json' }
const XML_TYPE = { 'content-type': 'application/xml' }

const instance = (id: string, more: object = {}): string =>
  JSON.stringify({
    instance: {
      instanceId: id,
      app: 'A',
      hostName: '10.0.0.1',
      ipAddr: '10.0.0.1',
      status: 'UP',
      port: { $: 80, '@enabled': true },
      dataCenterInfo: { name: 'MyOwn' },
      ...more,
    },
  })

async function lives(base: string): Promise<void> {
  expect(
    await send(base, { method: 'POST', path: '/eureka/apps/A', headers: JSON_TYPE, body: instance('lives') }),
  ).toBe(204)
  expect(await send(base, { method: 'PUT', path: '/eureka/apps/A/lives' })).toBe(200)
  expect(await send(base, { method: 'GET', path: '/eureka/apps/delta' })).toBe(200)
}

describe('bodies', () => {
  it.each([
    [413, JSON_TYPE, instance('a', { homePageUrl: 'x'.repeat(100_000) })],
    [400, JSON_TYPE, instance('a', { homePageUrl: 'x'.repeat(20_000) })],
    [
      400,
      JSON_TYPE,
      instance('a', {
        metadata: Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`k${at}`, 'v'])),
      }),
    ],
    [400, JSON_TYPE, instance('a', { hostName: '0.0.0.0', ipAddr: '255.255.255.255' })],
    [400, JSON_TYPE, instance('a', { port: { $: 0, '@enabled': true } })],
    [400, JSON_TYPE, instance('a', { instanceId: 'x'.repeat(2_000) })],
    [400, JSON_TYPE, Buffer.from(instance('é'), 'latin1')],
    [400, XML_TYPE, Buffer.from('<instance/>', 'utf16le')],
    [415, { ...JSON_TYPE, 'content-encoding': 'gzip' }, gzipSync(instance('a'))],
    [415, { 'content-type': 'text/plain' }, instance('a')],
    [415, {}, instance('a')],
    [400, JSON_TYPE, `{"instance":${'{"a":'.repeat(5_000)}`],
    [400, XML_TYPE, `<instance>${'<a>'.repeat(15_000)}`],
    [
      400,
      XML_TYPE,
      '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><instance><app>&x;</app></instance>',
    ],
  ])('of no use are answered with %i', async (status, headers, body) => {
    const { base } = await start()
    expect(await send(base, { method: 'POST', path: '/eureka/apps/A', headers, body })).toBe(status)
    await lives(base)
  })

  it('of a stranger are refused: another site, another name of the node', async () => {
    const { base } = await start()
    const write = { method: 'POST', path: '/eureka/apps/A', body: instance('a') }
    expect(await send(base, { ...write, headers: { ...JSON_TYPE, origin: 'http://evil.example' } })).toBe(403)
    expect(await send(base, { ...write, headers: { ...JSON_TYPE, host: 'evil.example' } })).toBe(403)
    expect(await send(base, { method: 'GET', path: '/eureka/apps', headers: { host: 'evil.example' } })).toBe(
      403,
    )
    await lives(base)
  })
})

it('whatever is asked in whatever way, no fault of the node is found', async () => {
  const { base } = await start()
  await lives(base)
  const word = fc.constantFrom(
    'apps',
    'A',
    'lives',
    'status',
    'metadata',
    'delta',
    'vips',
    'instances',
    '%00',
    '%',
    'é',
    '..',
    '',
    'v2',
    '%2F',
    '__proto__',
  )
  const sent: fc.Arbitrary<Sent> = fc.record({
    method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'),
    path: fc
      .tuple(
        fc.array(word, { maxLength: 5 }),
        fc.constantFrom('', '?', '?value=UP', '?value=%ff', '?__proto__=1', '?lastDirtyTimestamp=x'),
      )
      .map(
        ([words, query]) =>
          `/eureka/${words.map((each) => (each === 'é' ? '%C3%A9' : each)).join('/')}${query}`,
      ),
    headers: fc.constantFrom(
      {},
      JSON_TYPE,
      XML_TYPE,
      { accept: 'application/json' },
      { accept: ';;,q=' },
      { 'accept-encoding': 'gzip;q=x' },
    ),
    body: fc.oneof(
      fc.constantFrom(
        '',
        '{}',
        '<instance/>',
        instance('x'),
        instance('__proto__'),
        instance('x', { metadata: { ['__proto__']: '1', '@class': 'x' } }),
      ),
      fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    ),
  })
  await fc.assert(
    fc.asyncProperty(sent, async (each) => {
      const status = await send(base, each)
      // Eureka's own word for a status that is none.
      const isStatusWord = /\/status(\/|\?|$)/.test(each.path)
      expect(status < 500 || isStatusWord || status === 0, `${status} ${JSON.stringify(each)}`).toBe(true)
    }),
    { numRuns: 300, seed: 20_261_130 },
  )
  await lives(base)
})

it('a flood of registrations ends at the bound, and what is there lives on', async () => {
  const { base } = await start({ 'limits-instances-max': 50, 'limits-peer-share-percent': 100 })
  await lives(base)
  const statuses: number[] = []
  for (let at = 0; at < 60; at++) {
    const body = instance(`i${at}`, { app: `A${at}` })
    statuses.push(await send(base, { method: 'POST', path: `/eureka/apps/A${at}`, headers: JSON_TYPE, body }))
  }
  expect(new Set(statuses)).toEqual(new Set([204, 429]))
  expect(statuses.filter((status) => status === 204)).toHaveLength(49)
  await lives(base)
})

it('a client that asks for everything and does not read holds no more than its share', async () => {
  const { node, base } = await start({ 'limits-unsent-bytes-max': 16_777_216 })
  for (let at = 0; at < 300; at++) {
    const body = instance(`i${at}`, { homePageUrl: `http://${'x'.repeat(8_000)}/` })
    await send(base, { method: 'POST', path: '/eureka/apps/A', headers: JSON_TYPE, body })
  }
  const { hostname, port } = new URL(base)
  for (let client = 0; client < 20; client++) {
    const socket = connect({ host: hostname, port: Number(port), localAddress: '127.0.0.2' })
    sockets.push(socket.on('error', () => {}).pause())
    await once(socket, 'connect')
    for (let asked = 0; asked < 5; asked++)
      socket.write('GET /eureka/apps HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n')
  }
  // The same bytes for all of them are one copy: some two and a half megabytes.
  await expect.poll(() => unsent(node)).toBeGreaterThan(2_000_000)
  expect(await unsent(node)).toBeLessThan(4_000_000)
  await lives(base)
  expect(await send(base, { method: 'GET', path: '/eureka/apps' })).toBe(200)
  for (const socket of sockets.splice(0)) socket.destroy()
  await expect.poll(() => unsent(node)).toBe(0)
})

async function unsent({ url }: EmbeddedNode): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^rollcall_budget_used_bytes\{quota="unsentBytesMax"\} (\d+)$/m.exec(text)?.[1])
}
