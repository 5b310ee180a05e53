/** Offers to speak another protocol: only WebSocket is taken, everything else is answered as if it had not been offered. */
import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startNode, type EmbeddedNode } from '@rollcall/server'
import { programOnPath } from '@rollcall/testkit'
import { EMPTY_SIGN } from '@rollcall/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { without } from './support/guests/guest.js'

let node: EmbeddedNode
let port: number
beforeAll(async () => {
  node = await startNode({ memory: true, listen: '127.0.0.1:0', logLevel: 'error' })
  port = Number(new URL(node.url).port)
})
afterAll(() => node.close())

const H2C =
  'Host: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n'
const SOCKET_KEY = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
const STREAM = `Sec-WebSocket-Protocol: rollcall.v1\r\n${SOCKET_KEY}`

const get = (path: string, head = H2C): string => `GET ${path} HTTP/1.1\r\n${head}\r\n`
const post = (body: string, more = '', length = Buffer.byteLength(body)): string =>
  `POST /api/v1/signs HTTP/1.1\r\n${H2C}Content-Type: application/json\r\n${more}Content-Length: ${length}\r\n\r\n${body}`

const SIGNS = JSON.stringify({ services: [{ service: 'absent', sign: EMPTY_SIGN }] })

/** A connection on which parts are sent one by one; each is followed by all answers that came by then. */
async function talk(...parts: readonly [bytes: string, answers: number][]): Promise<string[]> {
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  socket.on('error', () => {})
  try {
    let expected = 0
    for (const [bytes, answers] of parts) {
      socket.write(bytes)
      expected += answers
      // Bytes that are not to be answered yet travel by themselves.
      if (answers === 0) await new Promise((resolve) => setTimeout(resolve, 20))
      else await expect.poll(() => statuses(text).length).toBe(expected)
    }
    return statuses(text)
  } finally {
    socket.destroy()
  }
}

/** Status and code of the error that a request gets, after which the connection ends. */
async function refusal(request: string): Promise<readonly [status: string | undefined, code: string]> {
  const answer = await textOf(connect(port, '127.0.0.1').end(request))
  const { error } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as { error: { code: string } }
  return [statuses(answer)[0], error.code]
}

const statuses = (text: string): string[] => text.match(/(?<=HTTP\/1\.1 )\d{3}/g) ?? []

describe('an offer of h2c', () => {
  it.each(['/livez', '/readyz', '/metrics', '/api/v1/services', '/api/v1/stream'])(
    'on %s is answered in HTTP/1.1, and again on the same connection',
    async (path) => {
      const plain = (await fetch(`${node.url}${path}`)).status.toString()
      expect(await talk([get(path), 1], [get(path), 1], [get(path, 'Host: 127.0.0.1\r\n'), 1])).toEqual([
        plain,
        plain,
        plain,
      ])
    },
  )

  it('on a path that does not exist gets what anybody gets there', async () => {
    expect(await talk([get('/nowhere'), 1], [get('/livez'), 1])).toEqual(['404', '200'])
  })

  it('comes with a body that is read', async () => {
    expect(await talk([post(SIGNS), 1], [post(SIGNS), 1], [get('/livez'), 1])).toEqual(['200', '200', '200'])
  })

  it('comes with a body in many pieces, some in the middle of the head', async () => {
    const body = JSON.stringify({
      services: Array.from({ length: 5_000 }, (_, n) => ({ service: `s${n}`, sign: EMPTY_SIGN })),
    })
    const bytes = post(body)
    const cuts = [10, 60, 100, bytes.length - body.length, bytes.length - body.length + 1, bytes.length - 5]
    const pieces = cuts.map((cut, n): [string, number] => [bytes.slice(cuts[n - 1] ?? 0, cut), 0])
    expect(await talk(...pieces, [bytes.slice(-5), 1], [post(SIGNS), 1])).toEqual(['200', '200'])
  })

  it('comes with a chunked body, and with one that waits to be asked for', async () => {
    const chunked = `POST /api/v1/signs HTTP/1.1\r\n${H2C}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
    expect(
      await talk([`${chunked}5\r\n{"ser\r\n`, 0], ['c\r\nvices":[  ]}\r\n0\r\n\r\n', 1], [get('/livez'), 1]),
    ).toEqual(['200', '200'])
    const patient = post('', 'Expect: 100-continue\r\n', SIGNS.length)
    expect(await talk([patient, 1], [SIGNS, 1], [get('/livez'), 1])).toEqual(['100', '200', '200'])
  })

  it('lifts no bound', async () => {
    const { bodyBytesMax } = node.config.limits
    expect(await talk([post('{}', '', bodyBytesMax * 10), 1])).toEqual(['413'])
    expect(await talk([get('/livez', `${H2C}X: ${'x'.repeat(40_000)}\r\n`), 1])).toEqual(['431'])
    expect(await talk([get('/api/v1/services', H2C.replace('127.0.0.1', 'elsewhere.example')), 1])).toEqual([
      '403',
    ])
  })
})

describe('an offer of WebSocket', () => {
  const offer = (upgrade: string, more = STREAM): string =>
    `Host: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n${more}`

  it.each(['websocket', 'WebSocket', 'h2c, websocket', 'websocket,h2c'])(
    'as %s opens a stream',
    async (upgrade) => {
      expect(await talk([get('/api/v1/stream', offer(upgrade)), 1])).toEqual(['101'])
    },
  )

  it('opens a stream behind requests that offered h2c', async () => {
    expect(
      await talk([get('/livez'), 1], [post(SIGNS), 1], [get('/api/v1/stream', offer('websocket')), 1]),
    ).toEqual(['200', '200', '101'])
  })

  it('is ignored where there is none', async () => {
    expect(
      await talk([get('/livez', offer('websocket')), 1], [get('/metrics', offer('websocket')), 1]),
    ).toEqual(['200', '200'])
  })

  it('is refused on other paths of the API, and without GET, with an error of the API', async () => {
    expect(await refusal(get('/api/v1/services', offer('h2c, websocket')))).toEqual(['404', 'unknown_path'])
    const head = offer('websocket', `${STREAM}Content-Length: 0\r\n`)
    expect(await refusal(`POST /api/v1/stream HTTP/1.1\r\n${head}\r\n`)).toEqual([
      '405',
      'method_not_allowed',
    ])
  })

  it.each(['h2c', 'websocketx', 'h2c, web-socket', 'TLS/1.0, HTTP/1.1'])(
    'is not made by %s',
    async (upgrade) => {
      expect(await talk([get('/api/v1/services', offer(upgrade)), 1])).toEqual(['200'])
    },
  )
})

describe("the JDK's HTTP client", () => {
  it('registers, looks up and deregisters with its defaults', async (context) => {
    const java = programOnPath('java') ?? without(context, 'there is no `java` on the PATH')
    const program = fileURLToPath(new URL('support/guests/JavaClient.java', import.meta.url))
    const { stdout } = await promisify(execFile)(java, [program, node.url])
    expect(stdout.trim().split('\n')).toEqual([
      'GET /livez 200 HTTP_1_1 0',
      'GET /readyz 200 HTTP_1_1 0',
      'GET /metrics 200 HTTP_1_1 0',
      'POST /api/v1/register 200 HTTP_1_1 0',
      'GET /api/v1/services/from-java 200 HTTP_1_1 1',
      'POST /api/v1/register 200 HTTP_1_1 0',
      'GET /api/v1/services/from-java 200 HTTP_1_1 3000',
      'POST /api/v1/deregister 200 HTTP_1_1 0',
      'GET /api/v1/services/from-java 200 HTTP_1_1 0',
    ])
  })
})
