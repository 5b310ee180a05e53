/** What the HTTP API writes, against `rollcall serve`: documented shapes, held against the served document. */
import { killServerProcesses, startServerProcess, type ServerProcess } from '@rollcall/testkit'
import { EMPTY_SIGN, type View } from '@rollcall/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer, Api } from './http-calls.js'
import { openCheckedApi, type Contract } from './openapi-contract.js'
import { errorOf, HEX16 } from './support/http-shapes.js'

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

describe('POST /api/v1/register', () => {
  it('stores an instance with everything it says', async () => {
    const answer = await register({
      service: 'full', group: 'core', id: 'a', host: '10.1.2.3', port: 8080, protocol: 'grpc', weight: 7, zone: 'z1',
      metadata: { version: '1.4.2', team: 'ünïcode ✓' }, state: 'starting', leaseMs: 20_000, incarnation: 42, rev: 3,
      liveness: 'static', probe: { type: 'http', path: '/health' },
    }) // prettier-ignore
    expect(answer).toMatchObject({ status: 200 })
    expect(answer.body).toEqual({
      results: [{ ok: true, service: 'full', group: 'core', id: 'a', incarnation: 42, durability: 'memory' }],
    })
    const { instances } = await view('full')
    expect(instances).toEqual([
      {
        namespace: 'default', service: 'full', group: 'core', id: 'a', host: '10.1.2.3', port: 8080, protocol: 'grpc',
        weight: 7, zone: 'z1', metadata: { version: '1.4.2', team: 'ünïcode ✓' }, state: 'starting',
        stateAgeMs: expect.any(Number) as number, incarnation: 42, digest: HEX16,
      },
    ]) // prettier-ignore
  })

  it('fills in what an instance does not say', async () => {
    const before = Date.now()
    const answer = await register(
      { service: 'bare', host: '127.0.0.1', port: 1 },
      { service: 'bare', host: '::1', port: 2 },
    )
    const { results } = answer.body as { results: { id: string; incarnation: number }[] }
    expect(results.map(({ id }) => id)).toEqual(['127.0.0.1:1', '[::1]:2'])
    expect(results[0]?.incarnation).toBeGreaterThanOrEqual(before)
    const [instance] = (await view('bare')).instances
    expect(instance).toMatchObject({
      namespace: 'default',
      group: 'default',
      weight: 100,
      metadata: {},
      state: 'up',
    })
    expect(instance).not.toHaveProperty('zone')
  })

  it('judges item by item: good ones are stored, bad ones answered with code, field and reason', async () => {
    const { status, body } = await register(
      { service: 'mixed', host: '127.0.0.1', port: 1 },
      { service: 'mixed', host: '127.0.0.1', port: 70_000 },
      { service: 'not a name', host: '127.0.0.1', port: 2 },
      { service: 'mixed', host: '127.0.0.1' },
      { service: 'mixed', host: 'no host', port: 5 },
      'not an object' as never,
      { service: 'mixed', host: '127.0.0.1', port: 3 },
    )
    expect(status).toBe(200)
    const { results } = body as { results: { ok: boolean; error?: { code: string; field?: string } }[] }
    expect(new Set(results.map(({ error }) => error?.code))).toEqual(new Set([undefined, 'invalid_argument']))
    expect(results.map(({ ok, error }) => (ok ? 'ok' : error?.field))).toEqual([
      'ok', 'instances[1].port', 'instances[2].service', 'instances[3].port', 'instances[4].host', 'instances[5]', 'ok',
    ]) // prettier-ignore
    expect((await view('mixed')).instances.map(({ port }) => port)).toEqual([1, 3])
  })

  it('has the status of the first error when every item failed', async () => {
    const answer = await register(
      { service: 'bad', host: '127.0.0.1', port: 0 },
      { service: '', host: 'h', port: 1 },
    )
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject(errorOf('invalid_argument', 'instances[0].port'))
    const { error, results } = answer.body as { error: object; results: object[] }
    expect(results).toMatchObject([{ ok: false, error }, { ok: false }])
    expect((await api.get('/api/v1/services/bad')).status).toBe(404)
  })

  it('takes a namespace for the body and another one per item', async () => {
    await api.post('/api/v1/register', {
      namespace: 'blue',
      instances: [
        { service: 'spaces', host: '127.0.0.1', port: 1 },
        { namespace: 'green', service: 'spaces', host: '127.0.0.1', port: 2 },
      ],
    })
    expect((await view('spaces?namespace=blue')).instances.map(({ port }) => port)).toEqual([1])
    expect((await view('spaces?namespace=green')).instances.map(({ port }) => port)).toEqual([2])
    expect((await api.get('/api/v1/services/spaces')).status).toBe(404)
    const { body } = await api.get('/api/v1/namespaces')
    expect((body as { namespaces: unknown[] }).namespaces).toContainEqual({
      namespace: 'blue',
      services: 1,
      instances: 1,
    })
  })

  it('ignores fields it does not know, and lists them', async () => {
    const { status, body } = await api.post('/api/v1/register', {
      colour: 'red',
      instances: [
        { service: 'newer', host: '127.0.0.1', port: 1, shade: 1, probe: { type: 'tcp', depth: 2 } },
      ],
    })
    expect(status).toBe(200)
    const { results, warnings } = body as { results: { ok: boolean }[]; warnings: string[] }
    expect(results[0]?.ok).toBe(true)
    expect(warnings.toSorted()).toEqual(['colour', 'instances[].probe.depth', 'instances[].shade'])
  })

  it('renews without a change of the sign, and changes the sign with the content', async () => {
    const instance = { service: 'again', host: '127.0.0.1', port: 1, metadata: { v: '1' } }
    const [first] = ((await register(instance)).body as { results: { incarnation: number }[] }).results
    const { sign } = await view('again')
    expect(((await register(instance)).body as { results: unknown[] }).results).toEqual([first])
    expect((await view('again')).sign).toBe(sign)
    await register({ ...instance, metadata: { v: '2' } })
    const changed = await view('again')
    expect(changed.sign).not.toBe(sign)
    expect(changed.instances).toMatchObject([{ incarnation: first?.incarnation, metadata: { v: '2' } }])
  })

  it('fails where the durability that was asked for cannot be had', async () => {
    const instances = [{ service: 'durable', host: '127.0.0.1', port: 1 }]
    const answer = await api.call('POST', '/api/v1/register?durability=disk', { json: { instances } })
    expect(answer.status).toBe(503)
    expect(answer.body).toMatchObject(errorOf('not_durable'))
    const other = await api.call('POST', '/api/v1/register?durability=eternal', { json: { instances } })
    expect(other).toMatchObject({ status: 400, body: errorOf('invalid_argument', 'durability') })
  })
})

describe('POST /api/v1/heartbeat', () => {
  it('says what to register again and what to stop', async () => {
    await register(
      { service: 'beats', id: 'plain', host: '127.0.0.1', port: 1 },
      { service: 'beats', id: 'named', host: '127.0.0.1', port: 2, incarnation: 10 },
      { service: 'beats', id: 'gone', host: '127.0.0.1', port: 3, incarnation: 10 },
    )
    await api.post('/api/v1/deregister', { instances: [{ service: 'beats', id: 'gone', incarnation: 10 }] })
    const { status, body } = await api.post('/api/v1/heartbeat', {
      instances: [
        { service: 'beats', id: 'plain' },
        { service: 'beats', id: 'named', incarnation: 10 },
        { service: 'beats', id: 'named', incarnation: 9 },
        { service: 'beats', id: 'named', incarnation: 11 },
        { service: 'beats', id: 'named' },
        { service: 'beats', id: 'gone', incarnation: 10 },
        { service: 'beats', id: 'never' },
        { service: 'beats', group: 'other', id: 'plain' },
      ],
    })
    expect(status).toBe(200)
    const ref = (id: string, incarnation?: number, group = 'default'): object => ({
      namespace: 'default', service: 'beats', group, id, ...(incarnation === undefined ? {} : { incarnation }),
    }) // prettier-ignore
    expect(body).toEqual({
      unknown: [ref('named', 11), ref('never'), ref('plain', undefined, 'other')],
      deregistered: [ref('gone', 10)],
      superseded: [ref('named', 9), ref('named')],
    })
  })

  it('answers malformed items beside the others', async () => {
    const { status, body } = await api.post('/api/v1/heartbeat', {
      instances: [{ service: 'beats', id: 7 }, { service: 'beats', id: 'plain' }, { id: 'plain' }],
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      unknown: [],
      errors: [
        { code: 'invalid_argument', field: 'instances[0].id' },
        { code: 'invalid_argument', field: 'instances[2].service' },
      ],
    })
    const all = await api.post('/api/v1/heartbeat', { instances: [{ service: 'beats' }] })
    expect(all).toMatchObject({ status: 400, body: errorOf('invalid_argument', 'instances[0].id') })
  })
})

describe('POST /api/v1/deregister', () => {
  it('takes instances out by name', async () => {
    const { body: registered } = await register(
      { service: 'leave', id: 'a', host: '127.0.0.1', port: 1 },
      { service: 'leave', id: 'b', host: '127.0.0.1', port: 2, incarnation: 5 },
    )
    const { body } = await api.post('/api/v1/deregister', {
      instances: [
        { service: 'leave', id: 'a' },
        { service: 'leave', id: 'b', incarnation: 4 },
        { service: 'leave', id: 'c' },
      ],
    })
    expect(body).toEqual({
      removed: [
        expect.objectContaining({ namespace: 'default', service: 'leave', group: 'default', id: 'a' }),
      ],
      superseded: [{ namespace: 'default', service: 'leave', group: 'default', id: 'b', incarnation: 4 }],
      unknown: [{ namespace: 'default', service: 'leave', group: 'default', id: 'c' }],
      durability: 'memory',
    })
    const [{ incarnation }] = (registered as { results: [{ incarnation: number }] }).results
    const left = await view('leave')
    expect(left.instances.map(({ id }) => id)).toEqual(['b'])
    expect(left.removes).toEqual([{ group: 'default', id: 'a', incarnation, reason: 'deregistered' }])
  })

  it('takes everything on a host out, in one namespace or in all', async () => {
    const host = '10.9.9.9'
    await register({ service: 'hosted', host, port: 1 }, { service: 'hosted', host: '10.9.9.8', port: 1 })
    await api.post('/api/v1/register', {
      namespace: 'else',
      instances: [{ service: 'hosted', host, port: 1 }],
    })
    const here = await api.post('/api/v1/deregister', { host })
    expect(here.body).toMatchObject({
      removed: [{ namespace: 'default', id: `${host}:1` }],
      unknown: [],
      superseded: [],
    })
    const everywhere = await api.post('/api/v1/deregister', { host, namespace: '*' })
    expect(everywhere.body).toMatchObject({ removed: [{ namespace: 'else', id: `${host}:1` }] })
    expect((await view('hosted')).instances.map((instance) => instance.host)).toEqual(['10.9.9.8'])
  })

  it('asks before it takes half of a service, and then does it', async () => {
    const host = '10.9.9.7'
    const five = Array.from({ length: 5 }, (_, port) => ({ service: 'halved', host, port: port + 1 }))
    await register(...five, ...five.map((each) => ({ ...each, host: '10.9.9.6' })))
    const asked = await api.post('/api/v1/deregister', { host })
    expect(asked).toMatchObject({ status: 409, body: errorOf('needs_confirmation') })
    const { details } = (asked.body as { error: { details: { instances: unknown[] } } }).error
    expect(details.instances).toHaveLength(5)
    expect(details.instances).toContainEqual(expect.objectContaining({ service: 'halved', id: `${host}:1` }))
    expect((await view('halved')).instances).toHaveLength(10)
    const confirmed = await api.post('/api/v1/deregister', { host, confirm: true })
    expect((confirmed.body as { removed: unknown[] }).removed).toHaveLength(5)
    expect((await view('halved')).instances).toHaveLength(5)
    // Four of five are too few to ask.
    await api.post('/api/v1/deregister', { instances: [{ service: 'halved', id: '10.9.9.6:5' }] })
    expect((await api.post('/api/v1/deregister', { host: '10.9.9.6' })).status).toBe(200)
  })

  it('wants either names or a host', async () => {
    expect((await api.post('/api/v1/deregister', {})).status).toBe(400)
    expect((await api.post('/api/v1/deregister', { host: '10.0.0.1', instances: [] })).status).toBe(400)
    expect((await api.post('/api/v1/deregister', { host: 1 })).status).toBe(400)
  })
})

describe('declarations', () => {
  it('are put, read and taken back; the instances stay', async () => {
    const path = '/api/v1/services/declared'
    expect(await api.get(`${path}/settings`)).toMatchObject({
      status: 404,
      body: errorOf('unknown_service'),
    })
    const settings = {
      groups: ['core', 'spare'],
      allow: ['127.0.0.0/8'],
      metadata: { owner: 'me' },
      removalMs: 5_000,
      breaker: { enabled: true, share: 0.5 },
    }
    const put = await api.call('PUT', path, { json: { ...settings, colour: 'red' } })
    expect(put).toMatchObject({ status: 200, body: { durability: 'memory', warnings: ['colour'] } })
    expect((await api.get(`${path}/settings`)).body).toEqual(settings)
    const wide = await api.call('PUT', path, { json: { breaker: { share: 2 } } })
    expect(wide).toMatchObject({ status: 400, body: { error: { field: 'breaker.share' } } })
    expect((await api.get(path)).body).toMatchObject({ sign: EMPTY_SIGN, instances: [] })
    const listed = await api.get('/api/v1/services?prefix=declared')
    expect(listed.body).toMatchObject({
      services: [
        {
          service: 'declared',
          metadata: { owner: 'me' },
          groups: [{ group: 'core', total: 0 }, { group: 'spare' }],
        },
      ],
    })
    const refused = await register({ service: 'declared', host: '10.0.0.1', port: 1 })
    expect(refused).toMatchObject({ status: 403, body: errorOf('service_not_allowed') })
    await register({ service: 'declared', host: '127.0.0.1', port: 1 })
    expect((await api.call('DELETE', path)).body).toEqual({ removed: true })
    expect(await api.call('DELETE', path)).toMatchObject({
      status: 404,
      body: errorOf('unknown_service'),
    })
    expect((await view('declared')).instances).toHaveLength(1)
    const bad = await api.call('PUT', path, { json: { allow: ['not/a/cidr'] } })
    expect(bad).toMatchObject({ status: 400, body: errorOf('invalid_argument', 'allow[0]') })
  })

  it('of namespaces carry their allow list', async () => {
    const path = '/api/v1/namespaces/fenced'
    expect((await api.get(path)).body).toEqual({})
    expect((await api.call('PUT', path, { json: { allow: ['10.0.0.0/8'] } })).body).toEqual({
      durability: 'memory',
    })
    expect((await api.call('PUT', path, { json: { allow: ['not an address'] } })).status).toBe(400)
    expect((await api.get(path)).body).toEqual({ allow: ['10.0.0.0/8'] })
    const refused = await api.post('/api/v1/register', {
      namespace: 'fenced',
      instances: [{ service: 's', host: '127.0.0.1', port: 1 }],
    })
    expect(refused).toMatchObject({ status: 403, body: errorOf('namespace_not_allowed') })
    const { namespaces } = (await api.get('/api/v1/namespaces')).body as { namespaces: unknown[] }
    expect(namespaces).toContainEqual({
      namespace: 'fenced',
      services: 0,
      instances: 0,
      allow: ['10.0.0.0/8'],
    })
    expect((await api.call('DELETE', path)).body).toEqual({ removed: true })
    expect((await api.call('DELETE', path)).body).toEqual({ removed: false })
  })
})

describe('POST /api/v1/signs', () => {
  it('lists what differs; an unknown service is the empty view', async () => {
    await register(
      { service: 'signed', host: '127.0.0.1', port: 1 },
      { service: 'signed', group: 'spare', host: '127.0.0.1', port: 2 },
    )
    const { sign } = await view('signed')
    const spare = await view('signed?group=spare')
    const { body } = await api.post('/api/v1/signs', {
      services: [
        { service: 'signed', sign },
        { service: 'signed', group: 'spare', sign },
        { service: 'signed', group: 'spare', sign: spare.sign },
        { service: 'unheard', sign: EMPTY_SIGN },
        { service: 'unheard-too', sign },
      ],
    })
    expect(body).toEqual({
      changed: [
        { namespace: 'default', service: 'signed', group: 'spare', sign: spare.sign },
        { namespace: 'default', service: 'unheard-too', sign: EMPTY_SIGN },
      ],
    })
    expect((await api.post('/api/v1/signs', { services: [{ service: 'signed', sign: 'xyz' }] })).status).toBe(
      400,
    )
  })
})

describe('the document', () => {
  it('lists no operation that writes and was not answered in these tests', () => {
    expect(contract.unseen.filter((operation) => !operation.startsWith('GET'))).toEqual([])
  })
})
