import { createConnection } from 'node:net'
import { EMPTY_SIGN } from '@rollcall/wire'
import { openApiDocument, ROUTES } from '@rollcall/wire/schemas'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Body,
  call,
  exchangeBytes,
  instance,
  startNode,
  until,
  type TestNode,
} from './native-node.fixture.js'

let node: TestNode
beforeEach(async () => {
  node = await startNode({ closeMsMax: 200 })
})
afterEach(() => node.close())

const register = (...ids: string[]): Promise<{ status: number; body: Body }> =>
  call(node, 'POST', '/api/v1/register', { instances: ids.map((id) => instance(id)) })

describe('what a node refuses', () => {
  const code = async (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<unknown[]> => {
    const answer = await call(node, method, path, body, headers)
    return [answer.status, answer.body.error.code]
  }

  it('gives each malformed request its error and lives on', async () => {
    expect(await code('POST', '/api/v1/register', '{"instances":')).toEqual([400, 'malformed'])
    expect(await code('POST', '/api/v1/register', '[]')).toEqual([400, 'malformed'])
    expect(await code('POST', '/api/v1/register', '{"instances":{}}')).toEqual([400, 'invalid_argument'])
    expect(await code('POST', '/api/v1/register', '['.repeat(500_000))).toEqual([400, 'malformed'])
    expect(await code('POST', '/api/v1/register', 'x', { 'content-type': 'text/plain' })).toEqual([
      415,
      'unsupported_media_type',
    ])
    expect(await code('POST', '/api/v1/register', 'x', { 'content-type': 'application/jsonp' })).toEqual([
      415,
      'unsupported_media_type',
    ])
    expect(await code('GET', '/api/v1/register')).toEqual([405, 'method_not_allowed'])
    expect(await code('GET', '/api/v1/stream')).toEqual([400, 'protocol'])
    const wrong = await call(node, 'DELETE', '/api/v1/services')
    expect(wrong.headers.get('allow')).toBe('GET, HEAD')
    const many = { instances: Array.from({ length: 10_001 }, (_, index) => instance(`i${index}`)) }
    const tooMany = await call(node, 'POST', '/api/v1/register', many)
    expect([tooMany.status, tooMany.body.error.code, tooMany.body.error.details?.['itemsMax']]).toEqual([
      413,
      'batch_too_large',
      10_000,
    ])
    expect((await register('a')).status).toBe(200)
  })

  it('reads no more than 8 MiB, and its sender gets to read why', async () => {
    const body = JSON.stringify({ x: 'x'.repeat(9 * 1_048_576) })
    const declared = await call(node, 'POST', '/api/v1/register', body)
    expect([declared.status, declared.body.error]).toMatchObject([
      413,
      { code: 'body_too_large', details: { bytesMax: 8_388_608 } },
    ])
    const chunk = `${(1_048_576).toString(16)}\r\n${'x'.repeat(1_048_576)}\r\n`
    const head =
      'POST /api/v1/register HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
    const text = await exchangeBytes(node.port, `${head}${chunk.repeat(9)}0\r\n\r\n`, (got) =>
      got.includes('body_too_large'),
    )
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    const endless = await exchangeBytes(node.port, head + chunk.repeat(60))
    expect(endless).toMatch(/^HTTP\/1\.1 413 /)
    expect(endless).toMatch(/connection: close/i)
  })

  it('takes 10,000 instances in one batch', async () => {
    const { status, body } = await call(node, 'POST', '/api/v1/register', {
      instances: Array.from({ length: 10_000 }, (_, index) => instance(`i${index}`)),
    })
    expect([status, body.results.length, body.results.every((each) => each.ok)]).toEqual([200, 10_000, true])
  })

  it('serves no page of another site', async () => {
    const raw = (lines: string[]): Promise<string> =>
      exchangeBytes(node.port, `${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`)
    expect(await raw(['GET /api/v1/services HTTP/1.1', 'Host: evil.example'])).toMatch(
      /403[\s\S]*forbidden_host/,
    )
    expect(await raw(['GET /api/v1/services HTTP/1.1', 'Host: localhost:7400'])).toMatch(/^HTTP\/1.1 200/)
    expect(await raw(['GET /api/v1/services HTTP/1.1', 'Host: [::1]:7400'])).toMatch(/^HTTP\/1.1 200/)
    const foreign = { origin: 'http://evil.example' }
    expect(await code('POST', '/api/v1/register', { instances: [] }, foreign)).toEqual([
      403,
      'forbidden_origin',
    ])
    expect(await code('DELETE', '/api/v1/services/x', undefined, { origin: 'null' })).toEqual([
      403,
      'forbidden_origin',
    ])
    expect(await code('GET', '/api/v1/watch?service=x', undefined, foreign)).toEqual([
      403,
      'forbidden_origin',
    ])
    expect((await call(node, 'GET', '/api/v1/services', undefined, foreign)).status).toBe(200)
    expect(
      (await call(node, 'POST', '/api/v1/register', { instances: [] }, { origin: node.origin })).status,
    ).toBe(200)
    expect((await call(node, 'DELETE', '/api/v1/namespaces/x')).status).toBe(200)
  })

  it('survives garbage on the socket', async () => {
    for (const bytes of [
      '\0\0\0\0\r\n\r\n',
      'GET /\u00ff HTTP/9\r\n\r\n',
      'POST /api/v1/register HTTP/1.1\r\nHost: [\r\nContent-Length: x\r\n\r\n',
    ]) {
      expect(await exchangeBytes(node.port, Buffer.from(bytes, 'latin1'))).toMatch(/^HTTP\/1\.1 4/)
    }
    expect((await register('a')).status).toBe(200)
  })

  it('answers lookups only when it is ready, but registers from the first moment', async () => {
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
    const socket = createConnection(node.port, '127.0.0.1')
    await until(() => node.native.stats().longPolls === 1, 'the long poll waits')
    await node.native.close()
    const ended = await waiting
    expect([ended.status, ended.body.error.code, ended.headers.get('connection')]).toEqual([
      503,
      'stopping',
      'close',
    ])
    const after = await call(node, 'GET', '/api/v1/services')
    expect([after.status, after.body.error.code]).toEqual([503, 'stopping'])
    socket.destroy()
  })
})
