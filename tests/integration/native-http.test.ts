import { EMPTY_SIGN, signOf, type View } from '@rollcall/wire'
import { viewSchema, deltaSchema, instanceSchema } from '@rollcall/wire/schemas'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Body, call, instance, startNode, until, type TestNode } from './native-node.fixture.js'

let node: TestNode
beforeEach(async () => {
  node = await startNode({ closeMsMax: 200 })
})
afterEach(() => node.close())

const register = (...ids: string[]): Promise<{ status: number; body: Body }> =>
  call(node, 'POST', '/api/v1/register', { instances: ids.map((id) => instance(id)) })

async function view(query = ''): Promise<View> {
  return (await call(node, 'GET', `/api/v1/services/orders${query}`)).body
}

describe('registering over HTTP', () => {
  it('answers one result per item and stores only the good ones', async () => {
    const { status, body } = await call(node, 'POST', '/api/v1/register', {
      instances: [
        instance('a'),
        instance('b', { port: 'eighty' }),
        instance('c', { port: 70_000 }),
        instance('d', { service: 'bad name' }),
        { service: 'orders', host: '::1', port: 9, colour: 'red' },
      ],
    })
    expect(status).toBe(200)
    expect(body.results.map((each) => (each.ok ? each.id : [each.error.code, each.error.field]))).toEqual([
      'a',
      ['invalid_argument', 'instances[1].port'],
      ['invalid_argument', 'instances[2].port'],
      ['invalid_argument', 'instances[3].service'],
      '[::1]:9',
    ])
    expect(body.results[0]).toMatchObject({
      ok: true,
      service: 'orders',
      group: 'default',
      durability: 'memory',
    })
    expect(body.warnings).toEqual(['instances[].colour'])
    expect((await view()).instances.map((each) => each.id).toSorted()).toEqual(['[::1]:9', 'a'])
  })

  it('answers the status of the first error when every item failed', async () => {
    const { status, body } = await call(node, 'POST', '/api/v1/register', {
      instances: [instance('a', { port: 0 })],
    })
    expect(status).toBe(400)
    expect(body.results).toEqual([{ ok: false, error: body.error }])
    expect(body.error.field).toBe('instances[0].port')
  })

  it('fails when the durability asked for cannot be had', async () => {
    const { status, body } = await call(node, 'POST', '/api/v1/register?durability=disk', {
      instances: [instance('a')],
    })
    expect([status, body.error.code]).toEqual([503, 'not_durable'])
    const wrong = await call(node, 'POST', '/api/v1/register?durability=etched', {
      instances: [instance('a')],
    })
    expect([wrong.status, wrong.body.error.field]).toEqual([400, 'durability'])
  })

  it('takes beats and deregistrations, each with its lists', async () => {
    await call(node, 'POST', '/api/v1/register', {
      instances: [instance('a', { incarnation: 5, liveness: 'lease' })],
    })
    const ref = { service: 'orders', id: 'a' }
    const beats = {
      instances: [{ ...ref, incarnation: 5 }, { ...ref, incarnation: 4 }, { ...ref, id: 'z' }, { id: 'q' }],
    }
    const beaten = await call(node, 'POST', '/api/v1/heartbeat', beats)
    expect(beaten.status).toBe(200)
    expect(beaten.body.superseded).toEqual([
      { namespace: 'default', service: 'orders', group: 'default', id: 'a', incarnation: 4 },
    ])
    expect(beaten.body.unknown.map((each) => each.id)).toEqual(['z'])
    expect(beaten.body.errors?.map((each) => each.field)).toEqual(['instances[3].service'])
    const removed = await call(node, 'POST', '/api/v1/deregister', {
      instances: [
        { ...ref, incarnation: 5 },
        { ...ref, id: 'z' },
      ],
    })
    expect(removed.body.removed.map((each) => each.id)).toEqual(['a'])
    expect(removed.body.unknown.map((each) => each.id)).toEqual(['z'])
    expect(removed.body.durability).toBe('memory')
    const late = await call(node, 'POST', '/api/v1/heartbeat', { instances: [{ ...ref, incarnation: 5 }] })
    expect(late.body.deregistered).toHaveLength(1)
    expect((await view()).removes).toEqual([
      { group: 'default', id: 'a', incarnation: 5, reason: 'deregistered' },
    ])
  })

  it('empties a host only after confirmation', async () => {
    await register('a', 'b', 'c', 'd', 'e')
    const asked = await call(node, 'POST', '/api/v1/deregister', { host: '10.0.0.1' })
    expect([asked.status, asked.body.error.code]).toEqual([409, 'needs_confirmation'])
    expect(asked.body.error.details?.['instances']).toHaveLength(5)
    const done = await call(node, 'POST', '/api/v1/deregister', {
      host: '10.0.0.1',
      namespace: '*',
      confirm: true,
    })
    expect(done.body.removed).toHaveLength(5)
    expect((await view()).sign).toBe(EMPTY_SIGN)
  })
})

describe('looking services up', () => {
  it('answers views whose sign is the sum of their digests', async () => {
    await register('a', 'b')
    const { body, headers } = await call(node, 'GET', '/api/v1/services/orders')
    expect(viewSchema.parse(body)).toEqual(body)
    expect(body.sign).toBe(signOf(body.instances))
    expect(headers.get('etag')).toBe(`W/"${body.sign}"`)
    const group = await view('?group=default')
    expect(group).toMatchObject({ group: 'default', sign: body.sign })
  })

  it('is conditional: 304 while the sign is the same, a fresh list afterwards', async () => {
    await register('a')
    const { sign } = await view()
    for (const tag of [`W/"${sign}"`, `"${sign}"`]) {
      const same = await call(node, 'GET', '/api/v1/services/orders', undefined, { 'if-none-match': tag })
      expect([same.status, same.body, same.headers.get('etag')]).toEqual([304, undefined, `W/"${sign}"`])
    }
    await register('b')
    const changed = await call(node, 'GET', '/api/v1/services/orders', undefined, {
      'if-none-match': `W/"${sign}"`,
    })
    expect([changed.status, changed.body.instances.length]).toEqual([200, 2])
  })

  it('is incremental: since answers what changed, nothing, or the list', async () => {
    await register('a', 'b')
    const before = await view()
    await register('c')
    await call(node, 'POST', '/api/v1/deregister', { instances: [{ service: 'orders', id: 'a' }] })
    const now = await view()
    const { body } = await call(node, 'GET', `/api/v1/services/orders?since=${before.sign}`)
    expect(deltaSchema.parse(body)).toEqual(body)
    expect(body).toMatchObject({ from: before.sign, to: now.sign })
    expect(body.upserts.map((each) => each.id)).toEqual(['c'])
    expect(body.removes.map((each) => [each.id, each.reason])).toEqual([['a', 'deregistered']])
    const same = await call(node, 'GET', `/api/v1/services/orders?since=${now.sign}`)
    expect(same.body).toMatchObject({ from: now.sign, to: now.sign, upserts: [], removes: [] })
    const lost = await call(node, 'GET', '/api/v1/services/orders?since=00000000deadbeef')
    expect(lost.body).toEqual({ ...now, instances: lost.body.instances })
  })

  it('waits for a change, also of a service nobody registered yet', async () => {
    const waiting = call(node, 'GET', `/api/v1/services/orders?since=${EMPTY_SIGN}&wait=30s`)
    await until(() => node.native.stats().longPolls === 1, 'the long poll waits')
    await register('a')
    const { status, body } = await waiting
    expect(status).toBe(200)
    expect(((body as Partial<Body>).instances ?? body.upserts).map((each) => each.id)).toEqual(['a'])
    const { sign } = await view()
    const headers = { 'if-none-match': `W/"${sign}"` }
    const quiet = await call(node, 'GET', '/api/v1/services/orders?wait=50ms', undefined, headers)
    expect(quiet.status).toBe(304)
    const none = await call(node, 'GET', `/api/v1/services/nobody?since=${EMPTY_SIGN}&wait=20ms`)
    expect(none.body).toMatchObject({ from: EMPTY_SIGN, to: EMPTY_SIGN, upserts: [] })
    expect(node.native.stats().longPolls).toBe(0)
  })

  it('forgets a long poll whose peer left', async () => {
    const abort = new AbortController()
    const poll = fetch(`${node.origin}/api/v1/services/orders?since=${EMPTY_SIGN}&wait=30s`, {
      signal: abort.signal,
    })
    await until(() => node.native.stats().longPolls === 1, 'the long poll waits')
    abort.abort()
    await expect(poll).rejects.toThrow(/abort/)
    await until(() => node.native.stats().longPolls === 0, 'the long poll is gone')
  })

  it('filters, with the sign of the whole list', async () => {
    await call(node, 'POST', '/api/v1/register', {
      instances: [
        instance('a', { zone: 'z1' }),
        instance('b', { zone: 'z2' }),
        instance('c', { state: 'starting' }),
      ],
    })
    const { sign } = await view()
    const up = await view('?state=up')
    expect([up.sign, up.instances.map((each) => each.id)]).toEqual([sign, ['a', 'b']])
    expect((await view('?state=up,starting&zone=z2')).instances.map((each) => each.id)).toEqual(['b'])
    expect((await view('?state=starting')).instances.map((each) => each.id)).toEqual(['c'])
  })

  it('refuses questions that make no sense, naming the parameter', async () => {
    const sign = '0123456789abcdef'
    const cases: [string, string][] = [
      ['?wait=5s', 'wait'],
      [`?since=${sign}&wait=61s`, 'wait'],
      [`?since=${sign}&wait=soon`, 'wait'],
      ['?since=xyz', 'since'],
      [`?state=up&since=${sign}`, 'state'],
      [`?zone=z&since=${sign}&wait=1s`, 'zone'],
      ['?state=alive', 'state'],
      ['?namespace=a&namespace=b', 'namespace'],
      ['?namespace=a%20b', 'namespace'],
    ]
    for (const [query, field] of cases) {
      const { status, body } = await call(node, 'GET', `/api/v1/services/orders${query}`)
      expect([query, status, body.error.code, body.error.field]).toEqual([
        query,
        400,
        'invalid_argument',
        field,
      ])
    }
  })

  it('tells unknown services, instances and paths apart', async () => {
    await register('a')
    const found = await call(node, 'GET', '/api/v1/services/orders/instances/a')
    expect(instanceSchema.parse(found.body)).toEqual(found.body)
    const codes = async (path: string): Promise<unknown[]> => {
      const { status, body } = await call(node, 'GET', path)
      return [status, body.error.code]
    }
    expect(await codes('/api/v1/services/nobody')).toEqual([404, 'unknown_service'])
    expect(await codes('/api/v1/services/orders?group=none')).toEqual([404, 'unknown_service'])
    expect(await codes('/api/v1/services/nobody/instances/a')).toEqual([404, 'unknown_service'])
    expect(await codes('/api/v1/services/orders/instances/b')).toEqual([404, 'unknown_instance'])
    expect(await codes('/api/v2/services')).toEqual([404, 'unknown_path'])
    expect(await codes('/api/v1/services/%zz')).toEqual([404, 'unknown_path'])
  })

  it('lists services in pages, conditionally, and waits for the list to change', async () => {
    await call(node, 'POST', '/api/v1/register', {
      instances: ['a', 'b', 'c'].map((name) => instance('x', { service: `svc-${name}`, namespace: 'shop' })),
    })
    const page = await call(node, 'GET', '/api/v1/services?namespace=shop&prefix=svc-&limit=2')
    expect(page.body.services.map((each) => each.service)).toEqual(['svc-a', 'svc-b'])
    const rest = await call(
      node,
      'GET',
      `/api/v1/services?namespace=shop&limit=2&after=${encodeURIComponent(page.body.next ?? '')}`,
    )
    expect(rest.body.services.map((each) => each.service)).toEqual(['svc-c'])
    expect(rest.body.next).toBeUndefined()
    const tag = (await call(node, 'GET', '/api/v1/services')).headers.get('etag') as string
    expect((await call(node, 'GET', '/api/v1/services', undefined, { 'if-none-match': tag })).status).toBe(
      304,
    )
    const waiting = call(node, 'GET', '/api/v1/services?wait=30s', undefined, { 'if-none-match': tag })
    await until(() => node.native.stats().longPolls === 1, 'the long poll waits')
    await register('a')
    expect((await waiting).body.services.map((each) => each.service)).toContain('orders')
    expect((await call(node, 'GET', '/api/v1/services?limit=0')).body.error.field).toBe('limit')
    const namespaces = await call(node, 'GET', '/api/v1/namespaces')
    expect(namespaces.body.namespaces.map((each) => each.namespace)).toEqual(['default', 'shop'])
  })

  it('compares many signs at once; an unknown service is the empty list', async () => {
    await register('a')
    const { sign } = await view()
    const { body } = await call(node, 'POST', '/api/v1/signs', {
      services: [
        { service: 'orders', sign },
        { service: 'orders', group: 'default', sign: EMPTY_SIGN },
        { service: 'nobody', sign: EMPTY_SIGN },
      ],
    })
    expect(body).toEqual({ changed: [{ namespace: 'default', service: 'orders', group: 'default', sign }] })
  })

  it('keeps declarations', async () => {
    const path = '/api/v1/services/billing'
    const declared = await call(node, 'PUT', path, { groups: ['core'], metadata: { team: 'x' }, colour: 1 })
    expect(declared.body).toEqual({ durability: 'memory', warnings: ['colour'] })
    expect((await call(node, 'GET', `${path}/settings`)).body).toEqual({
      groups: ['core'],
      metadata: { team: 'x' },
    })
    expect((await call(node, 'GET', path)).body.instances).toEqual([])
    expect((await call(node, 'DELETE', path)).body).toEqual({ removed: true })
    expect((await call(node, 'DELETE', path)).body.error.code).toBe('unknown_service')
    expect((await call(node, 'GET', `${path}/settings`)).status).toBe(404)
    const namespace = '/api/v1/namespaces/shop'
    expect((await call(node, 'GET', namespace)).body).toEqual({})
    expect((await call(node, 'PUT', namespace, { allow: ['10.0.0.0/8'] })).status).toBe(200)
    expect((await call(node, 'PUT', namespace, { allow: ['not an address'] })).status).toBe(400)
    expect((await call(node, 'GET', namespace)).body).toEqual({ allow: ['10.0.0.0/8'] })
    expect((await call(node, 'DELETE', namespace)).body).toEqual({ removed: true })
    expect((await call(node, 'DELETE', namespace)).body).toEqual({ removed: false })
  })
})
