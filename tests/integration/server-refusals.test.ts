/** What a server refuses: the documented error for everything malformed, and life goes on. */
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import { STREAM_PATH } from '@rollcall/wire'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { rawExchange, type Answer, type Api } from './http-calls.js'
import { openCheckedApi } from './openapi-contract.js'

let server: ServerProcess
let api: Api

beforeAll(async () => {
  server = await startServerProcess()
  ;({ api } = await openCheckedApi(server))
})

async function alive(): Promise<void> {
  expect(await api.get('/livez')).toMatchObject({ status: 200 })
}

afterEach(alive)

afterAll(async () => {
  api.close()
  await killServerProcesses()
})

const GOOD = { instances: [{ service: 's', host: '127.0.0.1', port: 1 }] }

function codeOf({ body }: Answer): string {
  return (body as { error: { code: string } }).error.code
}

const POSTS = ['/api/v1/register', '/api/v1/heartbeat', '/api/v1/deregister', '/api/v1/signs']

describe.each(POSTS)('POST %s', (path) => {
  it.each([
    ['nothing', '', 'malformed'],
    ['half an object', '{"instances":[', 'malformed'],
    ['no JSON', 'instances=1', 'malformed'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 'malformed'],
    ['null', 'null', 'malformed'],
    ['an array', '[]', 'malformed'],
    ['a number', '1e999', 'malformed'],
    ['half a million brackets', '['.repeat(500_000), 'malformed'],
    ['an empty object', '{}', 'invalid_argument'],
    ['no list', '{"instances":{},"services":{}}', 'invalid_argument'],
    ['a wrong namespace', '{"namespace":7,"instances":[],"services":[]}', 'invalid_argument'],
    ['null for a list', '{"instances":null,"services":null}', 'invalid_argument'],
  ])('refuses %s', async (_, raw, code) => {
    const answer = await api.call('POST', path, { raw })
    expect([answer.status, codeOf(answer)]).toEqual([400, code])
  })

  it.each([
    undefined,
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'multipart/form-data',
  ])('refuses a body of type %s', async (type) => {
    const answer = await api.call('POST', path, {
      raw: JSON.stringify(GOOD),
      headers: { 'content-type': type ?? '' },
    })
    expect([answer.status, codeOf(answer)]).toEqual([415, 'unsupported_media_type'])
  })

  it('takes JSON with a charset', async () => {
    const body = { ...GOOD, instances: [{ ...GOOD.instances[0], id: 'x' }], services: [] }
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' }
    expect((await api.call('POST', path, { json: body, headers })).status).toBe(200)
  })

  it('refuses 10,001 items as a whole, and takes 10,000', async () => {
    const item = { service: 'bulk', host: '127.0.0.1', port: 1, sign: '0000000000000000' }
    const items = Array.from({ length: 10_001 }, (_, at) => ({ ...item, id: `x${at}` }))
    const answer = await api.post(path, path.endsWith('signs') ? { services: items } : { instances: items })
    expect([answer.status, codeOf(answer)]).toEqual([413, 'batch_too_large'])
    expect(answer.body).toMatchObject({ error: { details: { itemsMax: 10_000 } } })
    items.pop()
    const taken = await api.post(path, path.endsWith('signs') ? { services: items } : { instances: items })
    expect(taken.status).toBe(200)
    if (path !== '/api/v1/register') return
    const { results } = taken.body as { results: { ok: boolean }[] }
    expect([results.length, results.every(({ ok }) => ok)]).toEqual([10_000, true])
  })

  it('refuses a body over 8 MiB, whether its length was said or not', async () => {
    const raw = `{"namespace":"${'x'.repeat(8 * 1024 * 1024)}"}`
    const answer = await api.call('POST', path, { raw })
    expect([answer.status, codeOf(answer)]).toEqual([413, 'body_too_large'])
    expect(answer.body).toMatchObject({ error: { details: { bytesMax: 8_388_608 } } })
    const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`
    const text = await rawExchange(server, `${head}${chunk.repeat(9)}0\r\n\r\n`, 3_000)
    expect(text).toMatch(/^HTTP\/1\.1 413 [\s\S]*"body_too_large"/)
    const endless = await rawExchange(
      server,
      head.replace('Connection: close\r\n', '') + chunk.repeat(60),
      10_000,
    )
    expect(endless).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i)
  })
})

describe('items', () => {
  const item = GOOD.instances[0]
  it.each([
    ['service', 7], ['service', 'a/b'], ['service', '../etc'], ['service', 'x'.repeat(129)], ['service', ''], ['service', null],
    ['group', 'a b'], ['group', ''], ['id', 'a/b'], ['id', 'ü'], ['id', ''], ['id', 'x'.repeat(321)],
    ['host', 7], ['host', ''], ['host', 'a b'], ['host', 'http://a'], ['host', 'x'.repeat(300)], ['host', '127.0.0.1:80'],
    ['port', 0], ['port', 65_536], ['port', 1.5], ['port', '80'], ['port', -1], ['port', null],
    ['weight', -1], ['weight', 65_536], ['weight', 0.5], ['weight', '1'], ['zone', 'a b'], ['protocol', 'a b'],
    ['metadata', []], ['metadata', 'x'], ['metadata', { a: 1 }], ['metadata', { a: null }], ['metadata', { '': 'x' }],
    ['metadata', { a: 'x'.repeat(8_192) }], ['metadata', Object.fromEntries(Array.from({ length: 65 }, (_, k) => [`k${k}`, '']))],
    ['state', 'down'], ['state', 'disabled'], ['leaseMs', 999], ['leaseMs', 86_400_001], ['leaseMs', '15s'],
    ['incarnation', -1], ['incarnation', 2 ** 53], ['incarnation', 1.5], ['incarnation', '1'], ['rev', -1],
    ['liveness', 'hope'], ['probe', 'tcp'], ['namespace', '*'], ['namespace', 'a b'],
  ])('with %s = %j are refused and named', async (field, value) => {
    const { status, body } = await api.post('/api/v1/register', { instances: [{ ...item, [field]: value }] })
    expect(status).toBe(400)
    const { error } = body as { error: { code: string; field: string } }
    expect(error.code).toBe('invalid_argument')
    expect(error.field).toMatch(new RegExp(`^instances\\[0\\]\\.${field}\\b`))
  }) // prettier-ignore

  it('at their limits are taken', async () => {
    const metadata = Object.fromEntries(
      Array.from({ length: 64 }, (_, k) => [`k${String(k).padStart(3, '0')}`, 'v'.repeat(124)]),
    )
    const { status } = await api.post('/api/v1/register', {
      instances: [
        {
          ...item,
          service: 'x'.repeat(128),
          id: 'y'.repeat(320),
          port: 65_535,
          weight: 65_535,
          leaseMs: 86_400_000,
          metadata,
        },
        { ...item, service: '.-_', weight: 0, leaseMs: 1_000, incarnation: 0, rev: 0 },
      ],
    })
    expect(status).toBe(200)
  })
})

describe('paths and methods', () => {
  it.each([
    '/',
    '/api/v1',
    '/api/v2/services',
    '/api/v1/register/x',
    '/favicon.ico',
    '/api/v1/services/a/b',
    '/api/v1//services',
    '/api/v1/services/%zz',
  ])('nothing is at %s', async (path) => {
    const answer = await api.get(path)
    expect([answer.status, codeOf(answer)]).toEqual([404, 'unknown_path'])
  })

  it.each([
    ['GET', '/api/v1/register', 'POST'],
    ['DELETE', '/api/v1/signs', 'POST'],
    ['POST', '/api/v1/services', 'GET, HEAD'],
    ['PATCH', '/api/v1/services/x', 'GET, HEAD, PUT, DELETE'],
    ['POST', '/readyz', 'GET, HEAD'],
    ['TRACE', '/api/v1/services', 'GET, HEAD'],
  ])('%s %s is answered with what is allowed', async (method, path, allow) => {
    const answer = await api.call(method, path)
    expect([answer.status, codeOf(answer)]).toEqual([405, 'method_not_allowed'])
    expect(answer.headers.allow?.split(', ').toSorted()).toEqual(allow.split(', ').toSorted())
  })

  it.each(['%2e%2e%2f%2e%2e%2fetc%2fpasswd', '..%2f..%2fetc', 'a%00b', '%ff', 'a%2fb', '%'])(
    '%s is no name',
    async (name) => {
      const { status } = await api.get(`/api/v1/services/${name}`)
      expect([400, 404]).toContain(status)
      expect(codeOf(await api.call('PUT', `/api/v1/services/${name}`, { json: {} }))).toMatch(
        /^(invalid_argument|unknown_path|malformed)$/,
      )
    },
  )
})

describe('browser safety', () => {
  it.each(['127.0.0.1', 'localhost:1234', '[::1]:80', '10.1.2.3:7400'])('Host %s may call', async (host) => {
    expect((await api.get('/api/v1/services', { host })).status).toBe(200)
  })

  it.each(['evil.example', 'evil.example:7400', 'localhost.evil.example', '127.0.0.1.evil.example', '127.0.0.1@evil.example'])(
    'Host %s may not',
    async (host) => {
      for (const [method, path] of [['GET', '/api/v1/services'], ['POST', '/api/v1/register'], ['GET', '/api/v1/watch?service=s']] as const) {
        const answer = await api.call(method, path, { headers: { host }, ...(method === 'POST' ? { json: GOOD } : {}) })
        expect([answer.status, codeOf(answer)]).toEqual([403, 'forbidden_host'])
      }
    },
  ) // prettier-ignore

  it('orchestrators may ask for health by any name', async () => {
    for (const path of ['/livez', '/readyz']) {
      expect((await api.get(path, { host: 'node-7.internal' })).status).toBe(200)
    }
    expect((await api.get('/metrics', { host: 'node-7.internal' })).status).toBe(403)
  })

  it('a configured host name may call, and the advertised one', async () => {
    const other = await startServerProcess({
      args: ['--allowed-hosts', 'registry.internal', '--advertise', 'Node-7.example:7400'],
    })
    const { api: named } = await openCheckedApi(other)
    expect((await named.get('/api/v1/services', { host: 'Registry.Internal:7400' })).status).toBe(200)
    expect((await named.get('/api/v1/services', { host: 'node-7.example' })).status).toBe(200)
    expect((await named.get('/api/v1/services', { host: 'registry.external' })).status).toBe(403)
    named.close()
    await other.stop()
  })

  it('a page of another origin may read lists but neither write nor stream', async () => {
    const origin = 'http://evil.example'
    expect((await api.get('/api/v1/services', { origin })).headers['access-control-allow-origin']).toBeUndefined()
    for (const [method, path] of [['POST', '/api/v1/register'], ['POST', '/api/v1/deregister'], ['PUT', '/api/v1/services/x'], ['DELETE', '/api/v1/services/x'], ['GET', '/api/v1/watch?service=s']] as const) {
     for (const from of [origin, 'null']) {
      const answer = await api.call(method, path, { headers: { origin: from }, ...(method === 'DELETE' || method === 'GET' ? {} : { json: GOOD }) })
      expect([answer.status, codeOf(answer)]).toEqual([403, 'forbidden_origin'])
     }
    }
    const url = `ws://${server.host}:${server.port}${STREAM_PATH}`
    const refused = (headers: Record<string, string>): Promise<string> =>
      new Promise((resolve) => {
        const ws = new WebSocket(url, 'rollcall.v1', { headers })
        ws.once('error', (error) => resolve(error.message))
        ws.once('open', () => {
          ws.close()
          resolve('open')
        })
      })
    expect(await refused({ origin })).toContain('403')
    expect(await refused({ origin: 'null' })).toContain('403')
    expect(await refused({ host: 'evil.example' })).toContain('403')
    expect(await refused({ origin: `http://${server.host}:${server.port}` })).toBe('open')
  }) // prettier-ignore

  it('its own pages may write', async () => {
    const headers = { origin: `http://${server.host}:${server.port}` }
    expect((await api.call('POST', '/api/v1/register', { json: GOOD, headers })).status).toBe(200)
  })

  it('a node does not listen beyond loopback unless it is told to', async () => {
    await expect(startServerProcess({ listen: '0.0.0.0:0' })).rejects.toThrow(/insecure-listen/)
    const open = await startServerProcess({ listen: '0.0.0.0:0', args: ['--insecure-listen'] })
    await open.stop()
  })
})

describe('strict admission', () => {
  it('asks in order: allow list of the namespace, service, group, narrower list of the service', async () => {
    const strict = await startServerProcess({ args: ['--admission', 'strict'] })
    const { api: asked } = await openCheckedApi(strict)
    const attempt = async (): Promise<unknown> => {
      const instances = [{ namespace: 'n', service: 's', group: 'g', host: '10.1.0.1', port: 1 }]
      const answer = await asked.post('/api/v1/register', { instances })
      return answer.status === 200 ? 'ok' : [answer.status, codeOf(answer)]
    }
    const declare = (path: string, json: object): Promise<Answer> => asked.call('PUT', path, { json })
    await declare('/api/v1/namespaces/n', { allow: ['10.2.0.0/16'] })
    expect(await attempt()).toEqual([403, 'namespace_not_allowed'])
    await declare('/api/v1/namespaces/n', { allow: ['10.1.0.0/16', '10.2.0.0/16'] })
    expect(await attempt()).toEqual([403, 'service_not_declared'])
    await declare('/api/v1/services/s?namespace=n', { groups: ['other'], allow: ['10.1.9.0/24'] })
    expect(await attempt()).toEqual([403, 'group_not_declared'])
    await declare('/api/v1/services/s?namespace=n', { groups: ['other', 'g'], allow: ['10.1.9.0/24'] })
    expect(await attempt()).toEqual([403, 'service_not_allowed'])
    await declare('/api/v1/services/s?namespace=n', { groups: ['other', 'g'], allow: ['10.1.0.0/24'] })
    expect(await attempt()).toBe('ok')
    asked.close()
    await strict.stop()
  })
})
