/** Whatever is sent to the port of Consul is answered within bounds, and the node goes on. */
import { connect } from 'node:net'
import { startNode, type EmbeddedNode } from '@rollcall/server'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { exchangeRaw } from './support/raw-exchange.js'

let node: EmbeddedNode | undefined
afterEach(async () => {
  await node?.close()
  node = undefined
})

async function start(settings: object = {}): Promise<{ readonly base: string; readonly port: number }> {
  node = await startNode({
    memory: true,
    listen: '127.0.0.1:0',
    consul: '127.0.0.1:0',
    logLevel: 'error',
    ...settings,
  })
  const base = node.foreign['consul'] ?? ''
  return { base, port: Number(new URL(base).port) }
}

async function put(
  base: string,
  path: string,
  body: string | Uint8Array,
  headers = {},
): Promise<[number, string]> {
  const answer = await fetch(`${base}/v1${path}`, { method: 'PUT', body, headers })
  return [answer.status, await answer.text()]
}

const WEB = { Name: 'web', ID: 'web-1', Address: '127.0.0.1', Port: 8_080 }

const alive = async (base: string): Promise<void> => {
  expect(await (await fetch(`${base}/v1/catalog/services`)).json()).toHaveProperty('consul')
}

describe('requests', () => {
  it('of any path, query and body are answered, each with a status that clients know', async () => {
    const { base, port } = await start()
    const pieces = fc.constantFrom(
      'health',
      'service',
      'agent',
      'check',
      'pass',
      'catalog',
      'kv',
      'web-1',
      'register',
      'state',
      'any',
      '%2F',
      '%',
      '..',
      '%00',
      '%ff',
      'ä',
      '__proto__',
      'maintenance',
      'node',
      'services',
    )
    const query = fc.constantFrom(
      '',
      '?index=1',
      '?index=-1',
      '?wait=1ms',
      '?wait=9999999h&index=0',
      '?passing=x',
      '?filter=(((',
      '?filter=Service.ID==a',
      '?tag=&tag=',
      '?enable=true',
      '?keys&recurse',
      '?cas=9',
      '?dc=other',
      '?stale&consistent',
      '?%',
      `?filter=${'a'.repeat(6_000)}`,
    )
    const body = fc.oneof(
      fc.constantFrom(
        '',
        '{',
        'null',
        '[]',
        '{"Name":{}}',
        JSON.stringify(WEB),
        '{"Status":"passing"}',
        `{"a":${'['.repeat(200)}`,
      ),
      fc.string({ unit: 'binary', maxLength: 60 }),
    )
    const request = fc.record({
      method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'OPTIONS'),
      path: fc.array(pieces, { maxLength: 5 }),
      query,
      body,
    })
    await fc.assert(
      fc.asyncProperty(request, async ({ method, path, query: asked, body: sent }) => {
        const line = `${method} ${encodeURI(`/v1/${path.join('/')}`).replaceAll('%25', '%')}${asked} HTTP/1.1`
        const bytes = method === 'GET' ? '' : sent
        const headers = [['Content-Length', '0']] as const
        const answer = await exchangeRaw(port, {
          line,
          headers,
          body: bytes,
        })
        expect([200, 400, 401, 403, 404, 405, 413, 429, 500, 501, 503]).toContain(answer.status)
        // A fault of our own would say so.
        expect(answer.body).not.toMatch(/failed to answer/)
      }),
      { numRuns: 400 },
    )
    await alive(base)
  })

  it('with bodies that are too large, too deep, encoded, or no text are refused in words', async () => {
    const { base } = await start()
    const register = '/agent/service/register'
    const large = JSON.stringify({ ...WEB, Tags: ['x'.repeat(300_000)] })
    expect((await put(base, register, large))[0]).toBe(413)
    expect(await put(base, register, `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`)).toEqual([
      400,
      expect.stringMatching(/^Request decode failed: /),
    ])
    expect((await put(base, register, JSON.stringify(WEB), { 'content-encoding': 'gzip' }))[0]).toBe(415)
    expect(await put(base, register, new Uint8Array([0x7b, 0xff, 0x7d]))).toEqual([
      400,
      'Request decode failed: not UTF-8',
    ])
    const heavy = JSON.stringify({ ...WEB, Tags: Array.from({ length: 100 }, (_, n) => `${n}`.repeat(200)) })
    expect(await put(base, register, heavy)).toEqual([400, expect.stringMatching(/^Invalid service: /)])
    await alive(base)
  })

  it('from a page of another site, or under a name of another, are refused', async () => {
    const { base, port } = await start()
    const origin = await fetch(`${base}/v1/agent/service/register`, {
      method: 'PUT',
      headers: { origin: 'https://elsewhere.example' },
      body: JSON.stringify(WEB),
    })
    expect(origin.status).toBe(403)
    const rebound = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port })
      socket.on('error', reject)
      socket.once('data', (chunk) => {
        resolve(chunk.toString())
        socket.destroy()
      })
      socket.write('GET /v1/catalog/services HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n')
    })
    expect(rebound).toMatch(/^HTTP\/1\.1 403 /)
  })
})

describe('floods', () => {
  it('of keys end at the bound of the store, of waiting requests at that of the node', async () => {
    const { base } = await start({ 'limits-waiters-max': 8 })
    const written = await Promise.all(
      Array.from({ length: 1_030 }, (_, n) => put(base, `/kv/key-${n}`, 'x').then(([status]) => status)),
    )
    expect(written.filter((status) => status === 200)).toHaveLength(1_000)
    expect(written.filter((status) => status === 500)).toHaveLength(30)
    expect((await put(base, '/kv/key-0', new Uint8Array(70_000)))[0]).toBe(413)
    const index = (await fetch(`${base}/v1/catalog/services`)).headers.get('x-consul-index')
    const gone = new AbortController()
    const statuses: number[] = []
    const waits = Array.from({ length: 20 }, () =>
      fetch(`${base}/v1/catalog/services?index=${index}&wait=60s`, { signal: gone.signal }).then(
        ({ status }) => statuses.push(status),
        () => 0,
      ),
    )
    // Near the bound one address has no more than its share.
    await expect.poll(() => statuses.length).toBeGreaterThanOrEqual(12)
    expect(new Set(statuses)).toEqual(new Set([429]))
    gone.abort()
    await Promise.all(waits)
    // Those who left have left their places.
    await expect
      .poll(async () => (await fetch(`${base}/v1/catalog/services?index=${index}&wait=1ms`)).status)
      .toBe(200)
    await alive(base)
  })

  it('of registrations of one id by others change whose it is, and nothing is left behind', async () => {
    const { base } = await start()
    const names = Array.from({ length: 200 }, (_, n) => `s${n % 20}`)
    for (const Name of names) {
      const body = JSON.stringify({ ...WEB, Name, Check: { TTL: '10s' } })
      expect(await put(base, '/agent/service/register', body)).toEqual([200, ''])
    }
    expect(await (await fetch(`${base}/v1/catalog/services`)).json()).toEqual({ consul: [], s19: [] })
    expect(Object.keys((await (await fetch(`${base}/v1/agent/checks`)).json()) as object)).toEqual([
      'service:web-1',
    ])
  })
})

describe('readers', () => {
  it('of a long list that take nothing of it do not keep others from theirs', async () => {
    const { base, port } = await start()
    const Meta = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, 'x'.repeat(100)]))
    for (let n = 0; n < 300; n++)
      await put(base, '/agent/service/register', JSON.stringify({ ...WEB, ID: `web-${n}`, Meta }))
    const slow = Array.from({ length: 20 }, () => {
      const socket = connect({ host: '127.0.0.1', port })
      socket.on('error', () => {})
      socket.pause()
      socket.write('GET /v1/health/service/web HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(3))
      return socket
    })
    const whole = (await (await fetch(`${base}/v1/health/service/web`)).json()) as readonly unknown[]
    expect(whole).toHaveLength(300)
    await alive(base)
    for (const socket of slow) socket.destroy()
  })
})
