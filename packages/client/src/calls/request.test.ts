/** What of a request goes on the wire, and what is refused before it could. */
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { outgoingBody } from './body.js'
import type { FetchBody } from './body.js'
import type { FetchHeaders } from './request.js'
import { requestHead } from './request.js'

async function head(path: string, init: { method?: string; headers?: FetchHeaders; body?: FetchBody } = {}) {
  return requestHead(path, init, await outgoingBody(init.body))
}

describe('the target', () => {
  it.each([
    ['/orders/42', '/orders/42'],
    ['orders', '/orders'],
    ['', '/'],
    ['?page=2', '/?page=2'],
    ['/käse', '/k%C3%A4se'],
    ['/?q=ü', '/?q=%C3%BC'],
    ['/a b', '/a%20b'],
    ['/a%20b', '/a%20b'],
    ['/a#part', '/a'],
    ['/a/../b', '/b'],
    ['//other/x', '//other/x'],
    ['urn:isbn:1', '/urn:isbn:1'],
    ['/\ud800', '/%EF%BF%BD'],
  ])('of %j is %s', async (path, target) => {
    expect((await head(path)).target).toBe(target)
  })

  it.each(['http://orders/42', 'HTTPS://orders', 'file:///x'])(
    'is no whole URL, such as %s',
    async (path) => {
      await expect(head(path)).rejects.toMatchObject({ code: 'invalid_argument', field: 'path' })
    },
  )

  it.each([undefined, 42, new URL('http://x/')])('is a text, not %s', async (path) => {
    await expect(head(path as unknown as string)).rejects.toMatchObject({
      code: 'invalid_argument',
      field: 'path',
    })
  })
})

describe('the method', () => {
  it('is in capitals', async () => {
    expect((await head('/', { method: 'patch' })).method).toBe('PATCH')
  })

  it.each(['', 'GE T', 'GET\r\n', 'Größe', 'connect', 'TRACE'])('is not %j', async (method) => {
    await expect(head('/', { method })).rejects.toMatchObject({ code: 'invalid_argument', field: 'method' })
  })
})

describe('the headers', () => {
  it.each<readonly [string, FetchHeaders]>([
    ['headers', { 'x-name': 'Łódź' }],
    ['headers', { 'x name': 'a' }],
    ['headers', { 'x-name': 'a\r\nb: c' }],
    ['headers', [['a']] as unknown as FetchHeaders],
    ['headers.transfer-encoding', { 'Transfer-Encoding': 'chunked' }],
    ['headers.expect', { expect: '100-continue' }],
    ['headers.upgrade', [['upgrade', 'websocket']]],
  ])('are refused with the field %s: %j', async (field, headers) => {
    await expect(head('/', { headers })).rejects.toMatchObject({ code: 'invalid_argument', field })
  })

  it('have the length of the body, whatever the caller says of one that is known', async () => {
    const headers = { 'content-length': '5' }
    expect((await head('/', { headers, method: 'POST', body: 'abc' })).headers['content-length']).toBe('3')
    expect((await head('/', { headers, method: 'POST' })).headers['content-length']).toBeUndefined()
    const body = Readable.from(['hello'])
    expect((await head('/', { headers, method: 'POST', body })).headers['content-length']).toBe('5')
  })
})

describe('a body', () => {
  const destroyed = new Readable().destroy()
  const locked = new Blob(['x']).stream()
  locked.getReader()
  it.each([[{}], [42], [destroyed], [locked]])('that cannot be sent is refused: %s', async (body) => {
    await expect(outgoingBody(body as FetchBody)).rejects.toMatchObject({
      code: 'invalid_argument',
      field: 'body',
    })
  })
})
