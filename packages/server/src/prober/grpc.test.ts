/** The gRPC probe over a connection in memory. */
import { createServer } from 'node:http2'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { ProbeRequest } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { memoryConnection } from './memory-socket.fixture.js'
import { GRPC_PROBE } from './grpc.js'
import type { ProbeAnswer } from './socket.js'

interface Asked {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const SERVING = Buffer.from([0, 0, 0, 0, 2, 0x08, 1])

/** A server that answers every call in the same way. */
async function ask(
  reply: (stream: ServerHttp2Stream) => void,
  change: Partial<ProbeRequest> = {},
): Promise<ProbeAnswer & { readonly asked?: Asked }> {
  const { near, far } = memoryConnection()
  let asked: Asked | undefined
  const server = createServer()
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = []
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      asked = { headers, body: Buffer.concat(chunks) }
      reply(stream)
    })
  })
  server.on('sessionError', () => {})
  server.emit('connection', far)
  const answer = await converse(near, change)
  return { ...answer, ...(asked === undefined ? {} : { asked }) }
}

function converse(
  near: Parameters<ReturnType<typeof GRPC_PROBE.conversation>>[0],
  change: Partial<ProbeRequest>,
): Promise<ProbeAnswer> {
  const request: ProbeRequest = {
    key: { namespace: 'default', service: 'orders', group: 'default', id: 'a' },
    incarnation: 1,
    host: 'orders.example',
    port: 3000,
    type: 'grpc',
    purpose: 'evidence',
    timeoutMs: 1_000,
    delayMs: 0,
    ...change,
  }
  near.on('error', () => {})
  return new Promise((resolve) => {
    const release = GRPC_PROBE.conversation(request)(near, (answer) => {
      release()
      near.destroy()
      resolve(answer)
    })
  })
}

/** A whole gRPC answer: headers, one body, trailers. */
function say(body: Buffer, status = '0') {
  return (stream: ServerHttp2Stream): void => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }))
    stream.end(body)
  }
}

describe('what a gRPC probe sends', () => {
  it('is one call of Check, by the registered name', async () => {
    const { asked } = await ask(say(SERVING))
    expect(asked?.headers).toMatchObject({
      ':method': 'POST',
      ':scheme': 'http',
      ':authority': 'orders.example:3000',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': '1000m',
    })
    expect([...(asked?.body ?? [])]).toEqual([0, 0, 0, 0, 0])
  })

  it('names the service and the scheme that were registered, also for a host that fits in no URL', async () => {
    const { asked } = await ask(say(SERVING), { serviceName: 'a.B', tls: true, host: 'a.0x1' })
    expect(asked?.headers).toMatchObject({ ':scheme': 'https', ':authority': 'a.0x1:3000' })
    expect(asked?.body.subarray(7).toString()).toBe('a.B')
  })
})

describe('the answer to a gRPC probe', () => {
  it('is succeeded for SERVING', async () => {
    expect((await ask(say(SERVING))).outcome).toBe('succeeded')
  })

  it.each<[string, (stream: ServerHttp2Stream) => void]>([
    ['NOT_SERVING', say(Buffer.from([0, 0, 0, 0, 2, 0x08, 2]))],
    ['UNKNOWN', say(Buffer.from([0, 0, 0, 0, 0]))],
    ['malformed', say(Buffer.alloc(0))],
    ['grpc-status 13', say(SERVING, '13')],
    [
      'grpc-status 12',
      (stream) => stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true }),
    ],
    [
      'grpc-status missing',
      (stream) => {
        stream.respond({ ':status': 200 })
        stream.end(SERVING)
      },
    ],
    ['status 404', (stream) => stream.respond({ ':status': 404 }, { endStream: true })],
    ['response too long', say(Buffer.alloc(5_000))],
    ['ERR_HTTP2_STREAM_ERROR', (stream) => stream.close(2)],
    ['no response', (stream) => stream.session?.destroy(undefined, 1)],
  ])('is failed for %s', async (cause, reply) => {
    expect(await ask(reply)).toMatchObject({ outcome: 'failed', cause })
  })

  it('is failed where something else listens', async () => {
    const { near, far } = memoryConnection()
    far.on('error', () => {})
    far.resume()
    far.write('HTTP/1.1 400 Bad Request\r\n\r\n')
    expect(await converse(near, {})).toMatchObject({ outcome: 'failed', cause: 'ERR_HTTP2_ERROR' })
  })

  it('is failed when the other side hangs up', async () => {
    const { near, far } = memoryConnection()
    far.on('error', () => {})
    far.resume()
    far.once('data', () => far.end())
    expect((await converse(near, {})).outcome).toBe('failed')
  })
})
