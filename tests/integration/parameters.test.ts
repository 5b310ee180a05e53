/** What a node makes of query parameters, over HTTP: it takes what its document says, and nothing else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { View } from '@rollcall/wire'
import { call, exchangeBytes, instance, startNode, type TestNode } from './native-node.fixture.js'

let node: TestNode
beforeAll(async () => {
  node = await startNode({ closeMsMax: 200 })
})
afterAll(() => node.close())

/** Status, and code and field of the error. */
async function judged(method: string, path: string, body?: unknown): Promise<unknown[]> {
  const answer = await call(node, method, path, body)
  const { error } = answer.body as { error?: { code: string; field?: string } }
  return error === undefined ? [answer.status] : [answer.status, error.code, error.field]
}

async function messageOf(path: string): Promise<string> {
  return (await call(node, 'GET', path)).body.error.message
}

async function idsIn(namespace: string, service: string): Promise<string[]> {
  const { status, body } = await call(node, 'GET', `/api/v1/services/${service}?namespace=${namespace}`)
  return status === 404 ? [] : (body as unknown as View).instances.map(({ id }) => id)
}

describe('a query parameter', () => {
  it('may have any value that the document allows', async () => {
    const path = '/api/v1/services/x?since=0000000000000000'
    expect(await judged('GET', `${path}&wait=0.1234567s`)).toEqual([200])
    expect(await judged('GET', `${path}&wait=0000000000.001`)).toEqual([200])
  })

  it.each([
    ['GET', '/api/v1/services?nmespace=a', 'nmespace'],
    ['GET', '/api/v1/services?Namespace=a', 'Namespace'],
    ['GET', '/api/v1/services/x?states=up', 'states'],
    ['GET', '/api/v1/services/x?gruop=a', 'gruop'],
    ['GET', '/api/v1/services/x?service=y', 'service'],
    ['GET', '/api/v1/watch?service=x&state=up', 'state'],
    ['GET', '/api/v1/watch?service=x&__proto__=up', '__proto__'],
    ['GET', '/api/v1/openapi.json?pretty', 'pretty'],
    ['GET', '/api/v1/freeze?limit=1', 'limit'],
    ['GET', '/api/v1/events?=1', ''],
    ['PUT', '/api/v1/namespaces/a?namespace=b', 'namespace'],
    ['POST', '/api/v1/register?durabilty=disk', 'durabilty'],
    ['POST', '/api/v1/heartbeat?durability=disk', 'durability'],
  ])('that the operation does not have is refused: %s %s', async (method, path, field) => {
    expect(await judged(method, path, method === 'GET' ? undefined : {})).toEqual([
      400,
      'invalid_argument',
      field,
    ])
  })

  it('that was misspelt is refused with the name of the one that was meant', async () => {
    expect(await messageOf('/api/v1/services/x?nmespace=a')).toContain('did you mean namespace?')
    expect(await messageOf('/api/v1/services/x?states=up')).toContain('did you mean state?')
    expect(await messageOf('/api/v1/services/x?colour=red')).toContain('namespace, group, state')
    expect(await messageOf('/api/v1/openapi.json?a=b')).toContain('takes no parameters')
  })

  it.each(['namespace', 'group', 'state', 'zone', 'since', 'wait', 'every'])(
    'without a value is refused: %s',
    async (name) => {
      for (const query of [`${name}=`, name]) {
        expect(await judged('GET', `/api/v1/services/x?${query}`)).toEqual([400, 'invalid_argument', name])
      }
    },
  )

  it('that has one value is refused when it is given twice', async () => {
    expect(await judged('GET', '/api/v1/services?prefix=a&prefix=a')).toEqual([
      400,
      'invalid_argument',
      'prefix',
    ])
    expect(await judged('GET', '/api/v1/watch?service=a&namespace=a&namespace=b')).toEqual([
      400,
      'invalid_argument',
      'namespace',
    ])
  })

  it('is refused on the way to the stream as well', async () => {
    const lines = [
      'GET /api/v1/stream?token=a HTTP/1.1',
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Protocol: rollcall.v1',
    ]
    const answer = await exchangeBytes(node.port, `${lines.join('\r\n')}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('"field":"token"')
  })
})

describe('namespace in the query of a write', () => {
  const prod = { ...instance('one'), service: 'pay' }

  it('stands in for the one of the body', async () => {
    expect(await judged('POST', '/api/v1/register?namespace=prod', { instances: [prod] })).toEqual([200])
    expect(await idsIn('prod', 'pay')).toEqual(['one'])
    expect(await idsIn('default', 'pay')).toEqual([])

    const ref = { service: 'pay', id: 'one' }
    const beat = await call(node, 'POST', '/api/v1/heartbeat?namespace=prod', { instances: [ref] })
    expect(beat.body).toMatchObject({ unknown: [] })
    const signs = { services: [{ service: 'pay', sign: '0000000000000000' }] }
    const changed = await call(node, 'POST', '/api/v1/signs?namespace=prod', signs)
    expect(changed.body).toMatchObject({ changed: [{ namespace: 'prod' }] })
    const drained = await call(node, 'PUT', '/api/v1/overrides?namespace=prod', {
      instances: [ref],
      drain: true,
    })
    expect(drained.body).toMatchObject({ results: [{ ok: true, namespace: 'prod' }] })
    const cleared = await call(node, 'DELETE', '/api/v1/overrides?namespace=prod', { instances: [ref] })
    expect(cleared.body).toMatchObject({ results: [{ ok: true, namespace: 'prod' }] })
    const gone = await call(node, 'POST', '/api/v1/deregister?namespace=prod', { instances: [ref] })
    expect(gone.body).toMatchObject({ removed: [{ namespace: 'prod' }] })
    const restored = await call(node, 'POST', '/api/v1/restore?namespace=prod', { service: 'pay' })
    expect(restored.status).toBe(200)
  })

  it('takes out by host what is in it, and nothing else', async () => {
    const at = { service: 'hosted', host: '10.9.9.9', port: 80, liveness: 'static' }
    await call(node, 'POST', '/api/v1/register', { instances: [{ ...at, id: 'prod' }] })
    await call(node, 'POST', '/api/v1/register', {
      namespace: 'staging',
      instances: [{ ...at, id: 'staged' }],
    })
    const { body } = await call(node, 'POST', '/api/v1/deregister?namespace=staging', { host: at.host })
    expect(body).toMatchObject({ removed: [{ namespace: 'staging', id: 'staged' }] })
    expect(await idsIn('default', 'hosted')).toEqual(['prod'])
    const all = await call(node, 'POST', '/api/v1/deregister?namespace=*', { host: at.host })
    expect(all.body).toMatchObject({ removed: [{ namespace: 'default', id: 'prod' }] })
  })

  it('freezes what it names', async () => {
    expect(await judged('PUT', '/api/v1/freeze?namespace=staging', {})).toEqual([200])
    const frozen = async (): Promise<string[]> => {
      const { body } = await call(node, 'GET', '/api/v1/freeze')
      return (body as unknown as { freezes: { namespace: string }[] }).freezes.map(
        ({ namespace }) => namespace,
      )
    }
    expect(await frozen()).toEqual(['staging'])
    expect(await judged('PUT', '/api/v1/freeze?namespace=*', {})).toEqual([200])
    expect(await judged('DELETE', '/api/v1/freeze?namespace=*', {})).toEqual([200])
    expect((await call(node, 'DELETE', '/api/v1/freeze?namespace=staging', {})).body).toEqual({
      removed: true,
    })
    expect(await frozen()).toEqual([])
  })

  it.each([
    ['POST', 'register', { instances: [] }],
    ['POST', 'heartbeat', { instances: [] }],
    ['POST', 'deregister', { instances: [] }],
    ['POST', 'deregister', { host: '10.0.0.5' }],
    ['POST', 'signs', { services: [] }],
    ['PUT', 'overrides', { instances: [], drain: true }],
    ['DELETE', 'overrides', { instances: [] }],
    ['PUT', 'freeze', {}],
    ['DELETE', 'freeze', {}],
    ['POST', 'restore', { service: 'pay' }],
  ])('must be that of the body where both are given: %s %s %j', async (method, name, body) => {
    expect(await judged(method, `/api/v1/${name}?namespace=a`, { ...body, namespace: 'b' })).toEqual([
      400,
      'invalid_argument',
      'namespace',
    ])
  })

  it('gives way to the namespace of an item', async () => {
    const item = { ...instance('elsewhere'), namespace: 'b', service: 'own' }
    expect(await judged('POST', '/api/v1/register?namespace=a', { instances: [item] })).toEqual([200])
    expect(await idsIn('b', 'own')).toEqual(['elsewhere'])
  })
})
