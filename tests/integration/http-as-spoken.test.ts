/** HTTP as proxies, scripts and clients of other languages speak it: heads, expectations, encodings, byte order marks. */
import { request } from 'node:http'
import { connect } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { startNode, type EmbeddedNode } from '@rollcall/server'
import { EMPTY_SIGN } from '@rollcall/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HEX16 } from './support/http-shapes.js'

let node: EmbeddedNode
let port: number
beforeAll(async () => {
  node = await startNode({
    memory: true,
    listen: '127.0.0.1:0',
    logLevel: 'error',
    allowedHosts: ['a.example'],
  })
  port = Number(new URL(node.url).port)
  // Prometheus is answered once something has registered.
  await fetch(`${node.url}/api/v1/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ instances: [{ service: 'orders', host: '10.0.0.1', port: 80 }] }),
  })
})
afterAll(() => node.close())

interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** The last answer on a connection that is sent these bytes, and then nothing. */
async function ask(bytes: string | Buffer): Promise<Answer> {
  const text = await textOf(connect(port, '127.0.0.1').end(bytes))
  const at = text.indexOf('\r\n\r\n')
  return { status: Number(text.slice(9, 12)), head: text.slice(0, at), body: text.slice(at + 4) }
}

/** Prometheus reads errors as text, others as JSON. */
const codeOf = ({ body }: Answer): string | undefined => /(?<="code":")\w+|^\w+(?=:)/.exec(body)?.[0]

async function refusal(bytes: string | Buffer): Promise<readonly [status: number, code: string | undefined]> {
  const answer = await ask(bytes)
  return [answer.status, codeOf(answer)]
}

const SIGNS = JSON.stringify({ services: [{ service: 'absent', sign: EMPTY_SIGN }] })
const get = (target: string, head = 'Host: 127.0.0.1\r\n', version = '1.1'): string =>
  `GET ${target} HTTP/${version}\r\n${head}\r\n`
const post = (body: Buffer | string, more = '', length = Buffer.byteLength(body)): Buffer =>
  Buffer.concat([
    Buffer.from(
      `POST /api/v1/signs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${more}Content-Length: ${length}\r\n\r\n`,
    ),
    Buffer.from(body),
  ])

describe.each(['/livez', '/metrics', '/api/v1/services', '/prometheus/sd'])(
  'the host of a request for %s',
  (path) => {
    it('is given once', async () => {
      expect(await refusal(get(path, 'Host: 127.0.0.1\r\nHost: evil.example\r\n'))).toEqual([
        400,
        'malformed',
      ])
      expect(await refusal(get(path, 'Host: 127.0.0.1\r\nHost: 127.0.0.1\r\n'))).toEqual([400, 'malformed'])
    })

    it('is given at all, but by HTTP/1.0', async () => {
      expect(await refusal(get(path, ''))).toEqual([400, 'malformed'])
      expect((await ask(get(path, '', '1.0'))).status).toBe(200)
    })
  },
)

describe.each(['/metrics', '/api/v1/services', '/prometheus/sd'])(
  'the target of a request for %s',
  (path) => {
    it('may be absolute, and its host is the one that counts', async () => {
      expect((await ask(get(`http://127.0.0.1:7400${path}`))).status).toBe(200)
      expect((await ask(get(`HTTP://a.example${path}`, 'Host: evil.example\r\n'))).status).toBe(200)
      expect(await refusal(get(`http://evil.example${path}`))).toEqual([403, 'forbidden_host'])
    })

    it('is not served to a page of another site', async () => {
      expect(await refusal(get(path, 'Host: evil.example\r\n'))).toEqual([403, 'forbidden_host'])
    })
  },
)

it('takes the path of an absolute target that has none for the root', async () => {
  expect(await refusal(get('http://127.0.0.1'))).toEqual([404, 'unknown_path'])
  expect(await refusal(get('http://127.0.0.1?a=b'))).toEqual([404, 'unknown_path'])
  expect(await refusal(get('http://user@127.0.0.1/livez'))).toEqual([400, 'malformed'])
  expect(await refusal(get('ftp://127.0.0.1/livez'))).toEqual([400, 'malformed'])
})

it('tells orchestrators by any name whether it lives', async () => {
  for (const path of ['/livez', '/readyz'])
    expect((await ask(get(path, 'Host: pod-7.anything\r\n'))).status).toBe(200)
})

describe('a body', () => {
  it('that is encoded is refused with the name of the header', async () => {
    const zipped = await ask(post(gzipSync(SIGNS), 'Content-Encoding: gzip\r\n'))
    expect([zipped.status, codeOf(zipped)]).toEqual([415, 'unsupported_media_type'])
    expect(zipped.body).toContain('Content-Encoding')
    // A label that does not fit is no better.
    expect(await refusal(post(SIGNS, 'Content-Encoding: gzip\r\n'))).toEqual([415, 'unsupported_media_type'])
    expect((await ask(post(SIGNS, 'Content-Encoding: identity\r\n'))).status).toBe(200)
  })

  it('may begin with a byte order mark', async () => {
    expect((await ask(post(`\uFEFF${SIGNS}`))).status).toBe(200)
    expect(await refusal(post('\uFEFF'))).toEqual([400, 'malformed'])
  })

  it('takes an optional field that is null for absent', async () => {
    const response = await fetch(`${node.url}/api/v1/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        instances: [
          {
            service: 'nullable',
            id: 'n1',
            host: '10.0.0.1',
            port: 80,
            group: null,
            weight: null,
            zone: null,
            metadata: null,
            leaseMs: null,
            incarnation: null,
            protocol: null,
            liveness: 'static',
            probe: { type: 'http', path: null, headers: null },
          },
        ],
        namespace: null,
      }),
    })
    expect(await response.json()).toEqual({ results: [expect.objectContaining({ ok: true })] })
    const view: unknown = await (await fetch(`${node.url}/api/v1/services/nullable`)).json()
    expect(view).toMatchObject({
      instances: [{ weight: 100, metadata: {}, group: 'default', digest: HEX16 }],
    })
  })
})

describe('a request that expects 100-continue', () => {
  const EXPECT = 'Expect: 100-continue\r\n'

  it('is told to go on once its head is right', async () => {
    const answered = await new Promise<{ status: number | undefined; continued: boolean }>(
      (resolve, reject) => {
        let continued = false
        const asking = request({
          port,
          host: '127.0.0.1',
          method: 'POST',
          path: '/api/v1/signs',
          headers: { 'Content-Type': 'application/json', Expect: '100-continue' },
        })
        asking.on('continue', () => {
          continued = true
          asking.end(SIGNS)
        })
        asking.on('response', (response) => {
          response.resume()
          resolve({ status: response.statusCode, continued })
        })
        asking.on('error', reject)
        asking.flushHeaders()
      },
    )
    expect(answered).toEqual({ status: 200, continued: true })
  })

  // The body never comes: an answer that waited for it would not either.
  it.each([
    ['is too large', post('', EXPECT, 99_000_000), 413, 'body_too_large'],
    [
      'is not JSON',
      post('', EXPECT, 10).toString().replace('application/json', 'text/plain'),
      415,
      'unsupported_media_type',
    ],
    ['has no place', post('', EXPECT, 10).toString().replace('/signs', '/nowhere'), 404, 'unknown_path'],
    [
      'is for another host',
      post('', EXPECT, 10).toString().replace('127.0.0.1', 'evil.example'),
      403,
      'forbidden_host',
    ],
  ])('and %s gets its answer at once, and no other', async (_, head, status, code) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(head)
    const text = await textOf(socket)
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(text).toContain(`"code":"${code}"`)
    expect(text.toLowerCase()).toContain('connection: close')
  })
})

it('refuses other expectations and tunnels in words', async () => {
  expect(await refusal(get('/livez', 'Host: 127.0.0.1\r\nExpect: miracles\r\n'))).toEqual([
    417,
    'invalid_argument',
  ])
  expect(await refusal('CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n')).toEqual([
    405,
    'method_not_allowed',
  ])
})
