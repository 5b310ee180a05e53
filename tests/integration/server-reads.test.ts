/** What the HTTP API reads, against `rollcall serve`: documented shapes, held against the served document. */
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import { EMPTY_SIGN, signOf, type Delta, type Instance, type View } from '@rollcall/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer, Api } from './http-calls.js'
import { openCheckedApi, type Contract } from './openapi-contract.js'
import { openEvents } from './subscribers.js'
import { errorOf, HEX16 } from './support/http-shapes.js'
import { soon } from './support/soon.js'

let server: ServerProcess
let api: Api
let contract: Contract

beforeAll(async () => {
  server = await startServerProcess()
  ;({ api, contract } = await openCheckedApi(server))
})

afterAll(async () => {
  api.close()
  await killServerProcesses()
})

async function register(...instances: Readonly<Record<string, unknown>>[]): Promise<Answer> {
  return api.post('/api/v1/register', { instances })
}

async function view(path: string): Promise<View> {
  const { status, body } = await api.get(`/api/v1/services/${path}`)
  expect(status).toBe(200)
  return body as View
}

describe('GET /api/v1/services', () => {
  beforeAll(async () => {
    const instances = ['a', 'b', 'c', 'd', 'e'].map((name, at) => ({
      service: `list-${name}`,
      host: '127.0.0.1',
      port: at + 1,
    }))
    await api.post('/api/v1/register', { namespace: 'pages', instances })
    await api.post('/api/v1/register', {
      namespace: 'pages',
      instances: [{ service: 'list-a', group: 'spare', host: '127.0.0.1', port: 9, state: 'starting' }],
    })
  })

  it('lists services with the sign, total and up of each group', async () => {
    const { body } = await api.get('/api/v1/services?namespace=pages&prefix=list-a')
    const whole = await view('list-a?namespace=pages')
    const spare = await view('list-a?namespace=pages&group=spare')
    expect(body).toEqual({
      services: [
        {
          namespace: 'pages', service: 'list-a', sign: whole.sign,
          groups: [
            { group: 'default', sign: HEX16, total: 1, up: 1 },
            { group: 'spare', sign: spare.sign, total: 1, up: 0 },
          ],
        },
      ],
    }) // prettier-ignore
  })

  it('pages through them without losing or repeating one', async () => {
    const names: string[] = []
    let after = ''
    for (let page = 0; page < 10; page++) {
      const { body } = await api.get(`/api/v1/services?namespace=pages&limit=2${after}`)
      const { services, next } = body as { services: { service: string }[]; next?: string }
      names.push(...services.map(({ service }) => service))
      if (next === undefined) break
      after = `&after=${encodeURIComponent(next)}`
    }
    expect(names).toEqual(['list-a', 'list-b', 'list-c', 'list-d', 'list-e'])
  })

  it('answers 304 to the tag it gave, and waits for a change', async () => {
    const path = '/api/v1/services?namespace=pages'
    const { etag } = (await api.get(path)).headers
    const headers = { 'If-None-Match': etag ?? '' }
    expect((await api.get(path, headers)).status).toBe(304)
    expect((await api.get(`${path}&wait=50ms`, headers)).status).toBe(304)
    const waiting = api.get(`${path}&wait=30s`, headers)
    await api.post('/api/v1/register', {
      namespace: 'pages',
      instances: [{ service: 'list-f', host: '127.0.0.1', port: 6 }],
    })
    const { status, body } = await soon(waiting)
    expect(status).toBe(200)
    expect((body as { services: unknown[] }).services).toHaveLength(6)
  })

  it.each(['limit=0', 'limit=10001', 'limit=x', 'namespace=a%20b', 'wait=30s', 'wait=soon'])(
    'refuses ?%s',
    async (query) => {
      const answer = await api.get(`/api/v1/services?${query}`)
      expect(answer).toMatchObject({
        status: 400,
        body: errorOf('invalid_argument', query.split('=')[0]),
      })
    },
  )
})

describe('GET /api/v1/services/{service}', () => {
  const at = (port: number, more: object = {}): Record<string, unknown> => ({
    service: 'seen',
    host: '127.0.0.1',
    port,
    ...more,
  })
  let first: View

  beforeAll(async () => {
    await register(
      at(1, { zone: 'z1' }),
      at(2, { zone: 'z2', group: 'spare' }),
      at(3, { zone: 'z1', state: 'starting' }),
    )
    first = await view('seen')
  })

  it('is a view with a sign that is the sum of its digests, also as the tag', async () => {
    const { headers, body } = await api.get('/api/v1/services/seen')
    expect(body).toMatchObject({
      namespace: 'default',
      service: 'seen',
      guard: { tripped: false, kept: 0 },
      // It began with nothing a moment ago.
      stale: true,
    })
    expect(body).not.toHaveProperty('group')
    expect(signOf((body as View).instances)).toBe((body as View).sign)
    expect(headers.etag).toBe(`W/"${(body as View).sign}"`)
    for (const tag of [headers.etag ?? '', `"${(body as View).sign}"`]) {
      const same = await api.get('/api/v1/services/seen', { 'If-None-Match': tag })
      expect([same.status, same.body, same.headers.etag]).toEqual([304, '', headers.etag])
    }
  })

  it('can be one group, with a sign of its own', async () => {
    const group = await view('seen?group=spare')
    expect(group).toMatchObject({ group: 'spare', instances: [{ port: 2 }] })
    expect(signOf(group.instances)).toBe(group.sign)
    expect(await api.get('/api/v1/services/seen?group=unheard')).toMatchObject({
      status: 404,
      body: errorOf('unknown_service'),
    })
  })

  it('can be filtered by state and zone; the sign stays that of the whole', async () => {
    const ports = async (query: string): Promise<number[]> => {
      const filtered = await view(`seen?${query}`)
      expect(filtered.sign).toBe(first.sign)
      return filtered.instances.map(({ port }) => port)
    }
    expect(await ports('state=up')).toEqual([1, 2])
    expect(await ports('state=up,starting&zone=z1')).toEqual([1, 3])
    expect(await ports('state=down')).toEqual([])
  })

  it.each([
    ['state=up&since=0000000000000000', 'state'],
    ['zone=z1&since=0000000000000000', 'zone'],
    ['state=asleep', 'state'],
    ['since=abc', 'since'],
    ['since=0000000000000000&wait=61s', 'wait'],
    ['since=0000000000000000&wait=-1s', 'wait'],
    ['since=0000000000000000&wait=soon', 'wait'],
    ['wait=1s', 'wait'],
    ['group=a/b', 'group'],
    ['namespace=', 'namespace'],
    ['namespace=a%20b', 'namespace'],
    ['namespace=a&namespace=b', 'namespace'],
    ['states=up', 'states'],
    ['since=0000000000000000&since=0000000000000001', 'since'],
  ])('refuses ?%s', async (query, field) => {
    const answer = await api.get(`/api/v1/services/seen?${query}`)
    expect(answer).toMatchObject({ status: 400, body: errorOf('invalid_argument', field) })
  })

  it('tells by since what changed, nothing, or everything', async () => {
    const { sign } = await view('seen')
    const same = await api.get(`/api/v1/services/seen?since=${sign}`)
    expect(same.body).toEqual({
      namespace: 'default',
      service: 'seen',
      from: sign,
      to: sign,
      upserts: [],
      removes: [],
    })
    await register(at(4))
    await register(at(5))
    await api.post('/api/v1/deregister', { instances: [{ service: 'seen', id: '127.0.0.1:4' }] })
    await register(at(1, { zone: 'z9' }))
    const { body } = await api.get(`/api/v1/services/seen?since=${sign}`)
    const delta = body as Delta
    expect(delta).toMatchObject({
      namespace: 'default',
      service: 'seen',
      from: sign,
      to: (await view('seen')).sign,
    })
    expect(new Set(delta.upserts.map(({ port }) => port))).toEqual(new Set([1, 5]))
    expect(delta.removes).toMatchObject([{ group: 'default', id: '127.0.0.1:4', reason: 'deregistered' }])
    const strange = await api.get('/api/v1/services/seen?since=0123456789abcdef')
    expect((strange.body as View).instances).toHaveLength(4)
  })

  it('waits with since for the next change and answers at once when there was one', async () => {
    const { sign } = await view('seen')
    const started = performance.now()
    expect((await api.get(`/api/v1/services/seen?since=${sign}&wait=100ms`)).body).toMatchObject({
      from: sign,
      to: sign,
      upserts: [],
    })
    expect(performance.now() - started).toBeGreaterThanOrEqual(95)
    const waiting = api.get(`/api/v1/services/seen?since=${sign}&wait=30s`)
    await register(at(6))
    expect((await soon(waiting)).body).toMatchObject({ from: sign, upserts: [{ port: 6 }], removes: [] })
    expect((await soon(api.get(`/api/v1/services/seen?since=${sign}&wait=30s`))).body).toMatchObject({
      upserts: [{ port: 6 }],
    })
  })

  it('waits with If-None-Match: 304 after the time, the view after a change', async () => {
    const tag = { 'If-None-Match': `W/"${(await view('seen')).sign}"` }
    expect((await api.get('/api/v1/services/seen?wait=50ms', tag)).status).toBe(304)
    const waiting = api.get('/api/v1/services/seen?wait=30s', tag)
    await register(at(7))
    expect(((await soon(waiting)).body as View).instances.map(({ port }) => port)).toContain(7)
  })

  it('waits for a service that is not registered yet, and is 404 without waiting', async () => {
    expect(await api.get('/api/v1/services/future')).toMatchObject({
      status: 404,
      body: errorOf('unknown_service'),
    })
    const still = await api.get(`/api/v1/services/future?since=${EMPTY_SIGN}&wait=50ms`)
    expect(still.body).toMatchObject({ from: EMPTY_SIGN, to: EMPTY_SIGN, upserts: [] })
    const waiting = api.get(`/api/v1/services/future?since=${EMPTY_SIGN}&wait=30s`)
    await register({ service: 'future', host: '127.0.0.1', port: 1 })
    const { body } = await soon(waiting)
    const instances = 'upserts' in (body as object) ? (body as Delta).upserts : (body as View).instances
    expect(instances).toMatchObject([{ service: 'future', port: 1 }])
  })
})

describe('GET /api/v1/services/{service}/instances/{id}', () => {
  it('is one instance of one group', async () => {
    await register(
      { service: 'single', host: '127.0.0.1', port: 1 },
      { service: 'single', group: 'spare', id: 'x', host: '::1', port: 2 },
    )
    const { body } = await api.get(`/api/v1/services/single/instances/${encodeURIComponent('127.0.0.1:1')}`)
    expect(body).toMatchObject({ service: 'single', id: '127.0.0.1:1', group: 'default', digest: HEX16 })
    expect((await api.get('/api/v1/services/single/instances/127.0.0.1:1')).body).toMatchObject({ port: 1 })
    expect(((await api.get('/api/v1/services/single/instances/x?group=spare')).body as Instance).port).toBe(2)
    expect(await api.get('/api/v1/services/single/instances/x')).toMatchObject({
      status: 404,
      body: errorOf('unknown_instance'),
    })
    expect(await api.get('/api/v1/services/unheard/instances/x')).toMatchObject({
      status: 404,
      body: errorOf('unknown_service'),
    })
  })
})

describe('GET /api/v1/watch', () => {
  it('begins with a view, goes on with deltas, and resumes from the last id without a view', async () => {
    const at = (port: number): Record<string, unknown> => ({ service: 'live', host: '127.0.0.1', port })
    await register(at(1))
    const events = await openEvents(server, 'service=live')
    await expect.poll(() => events.events.length).toBe(1)
    expect(events.events[0]).toMatchObject({
      event: 'view',
      id: (await view('live')).sign,
      data: { instances: [{ port: 1 }] },
    })
    await register(at(2))
    await expect.poll(() => events.events.length).toBe(2)
    expect(events.events[1]).toMatchObject({
      event: 'delta',
      id: events.mirror.sign,
      data: { upserts: [{ port: 2 }], removes: [] },
    })
    const last = events.events[1]?.id ?? ''
    events.close()
    await register(at(3))
    const resumed = await openEvents(server, 'service=live', { 'Last-Event-ID': last })
    await expect.poll(() => resumed.events.length).toBe(1)
    expect(resumed.events[0]).toMatchObject({ event: 'delta', data: { from: last, upserts: [{ port: 3 }] } })
    resumed.close()
  })

  it('watches several services and groups, known or not, in one stream', async () => {
    await register(
      { service: 'one', host: '127.0.0.1', port: 1 },
      { service: 'one', group: 'spare', host: '127.0.0.1', port: 2 },
    )
    const events = await openEvents(server, 'service=one&service=one:spare&service=later')
    await expect.poll(() => events.events.length).toBe(3)
    expect(events.events.map(({ event, data }) => [event, data.service, data.group])).toEqual([
      ['view', 'one', undefined], ['view', 'one', 'spare'], ['view', 'later', undefined],
    ]) // prettier-ignore
    const id = events.events.at(-1)?.id ?? ''
    events.close()
    await register({ service: 'later', host: '127.0.0.1', port: 3 })
    const resumed = await openEvents(server, 'service=one&service=one:spare&service=later', {
      'Last-Event-ID': id,
    })
    await expect.poll(() => resumed.events.length).toBe(1)
    expect(resumed.events[0]).toMatchObject({ data: { service: 'later' } })
    resumed.close()
  })

  it.each(['', 'service=', 'service=a/b', 'service=a:b:c', `service=a&namespace=${'n'.repeat(200)}`])(
    'refuses ?%s',
    async (query) => {
      expect(await api.get(`/api/v1/watch?${query}`)).toMatchObject({
        status: 400,
        body: errorOf('invalid_argument'),
      })
    },
  )
})

describe('the node itself', () => {
  it('says that it lives, that it is ready, and its figures', async () => {
    expect(await api.get('/livez')).toMatchObject({ status: 200, body: { live: true } })
    expect(await api.get('/readyz')).toMatchObject({ status: 200, body: { ready: true } })
    const { body, headers } = await api.get('/metrics')
    expect(headers['content-type']).toContain('text/plain; version=0.0.4')
    expect(String(body)).toMatch(/^rollcall_instances\{state="up"\} [1-9]/m)
  })

  it('lists in its document no operation that reads and was not answered in these tests', async () => {
    await api.call('PUT', '/api/v1/services/told', { json: { groups: ['core'] } })
    expect((await api.get('/api/v1/services/told/settings')).body).toEqual({ groups: ['core'] })
    expect((await api.get('/api/v1/namespaces/default')).body).toEqual({})
    const namespaces = await api.get('/api/v1/namespaces?limit=1')
    expect(namespaces.body).toMatchObject({ namespaces: [{ namespace: 'default' }] })
    expect(await api.get('/api/v1/namespaces?after=a/b')).toMatchObject({
      status: 400,
      body: { error: { field: 'after' } },
    })
    expect((await api.get('/api')).body).toMatchObject({ document: '/api/v1/openapi.json' })
    expect((await api.get('/api/v1/openapi.json')).body).toMatchObject({ openapi: '3.1.0' })
    expect(await api.get('/api/v1/stream')).toMatchObject({
      status: 400,
      body: errorOf('protocol'),
    })
    expect(contract.unseen.filter((operation) => operation.startsWith('GET'))).toEqual([])
  })
})
