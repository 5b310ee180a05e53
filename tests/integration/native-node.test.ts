/** A node from the inside: before it is ready, on every route of its document, and while it stops. */
import { EMPTY_SIGN } from '@rollcall/wire'
import { openApiDocument, ROUTES } from '@rollcall/wire/schemas'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Body, call, instance, startNode, until, type TestNode } from './native-node.fixture.js'
import { soon } from './support/soon.js'

let node: TestNode
beforeEach(async () => {
  node = await startNode({ closeMsMax: 200 })
})
afterEach(() => node.close())

describe('before its journal is read, a node', () => {
  it('answers no lookups, but takes registrations', async () => {
    const loading = await startNode({ loaded: false })
    try {
      expect((await call(loading, 'POST', '/api/v1/register', { instances: [instance('a')] })).status).toBe(
        200,
      )
      for (const path of ['/api/v1/services', '/api/v1/services/orders', '/api/v1/watch?service=orders']) {
        const { status, body } = await call(loading, 'GET', path)
        expect([status, body.error.code]).toEqual([503, 'not_ready'])
      }
    } finally {
      await loading.close()
    }
  })
})

describe('the document and the router', () => {
  it('agree on every path and method', async () => {
    const { body } = await call(node, 'GET', '/api/v1/openapi.json')
    expect(body).toEqual(JSON.parse(JSON.stringify(openApiDocument({ version: '0.0.0' }))))
    for (const { method, path } of ROUTES) {
      const url = path.replace('{service}', 'none').replace('{id}', 'none').replace('{namespace}', 'none')
      const answer = await call(node, method, url, method === 'PUT' || method === 'POST' ? {} : undefined)
      expect([path, (answer.body as Partial<Body>).error?.code]).not.toEqual([path, 'unknown_path'])
      expect([path, (answer.body as Partial<Body>).error?.code]).not.toEqual([path, 'method_not_allowed'])
    }
    const head = await fetch(`${node.origin}/api/v1/services`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })
})

describe('stopping', () => {
  it('ends long polls with `stopping` and refuses what comes after', async () => {
    const waiting = call(node, 'GET', `/api/v1/services/orders?since=${EMPTY_SIGN}&wait=30s`)
    await until(() => node.native.stats().longPolls === 1, 'the long poll waits')
    await node.native.close()
    const ended = await soon(waiting)
    expect([ended.status, ended.body.error.code, ended.headers.get('connection')]).toEqual([
      503,
      'stopping',
      'close',
    ])
    const after = await call(node, 'GET', '/api/v1/services')
    expect([after.status, after.body.error.code]).toEqual([503, 'stopping'])
  })
})
