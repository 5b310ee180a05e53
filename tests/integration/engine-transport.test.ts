/** The transport to etcd against real sockets: another library's gRPC, servers that are none, that break off, hang or are not trusted. */
import { once } from 'node:events'
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net'
import {
  Server as GrpcServer,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import { frame } from '../../packages/storage/src/engine/etcd/frames.js'
import { createHttp2Transport } from '../../packages/storage/src/engine/etcd/http2-transport.js'
import { ETCD_SIZES, ETCD_TIMING } from '../../packages/storage/src/engine/etcd/options.js'
import type { EtcdTransport, RpcError } from '../../packages/storage/src/engine/etcd/transport.js'
import { certificates, hasOpenssl } from './support/certificates.js'
import { openWay } from './support/freezing-proxy.js'
import { without } from './support/guests/guest.js'

const clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer(delayMs: number, callback: () => void): () => void {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

type Options = Parameters<typeof createHttp2Transport>[1]

function transport(
  options: Partial<Omit<Options, 'timing'>> & { timing?: Partial<Options['timing']> } = {},
): EtcdTransport {
  const made = createHttp2Transport(clock, { ...options, timing: { ...ETCD_TIMING, ...options.timing } })
  closing.push(() => made.close())
  return made
}

/** Nothing here waits for it; it is what ends a test that would hang. */
const LONG_MS = 30_000

const call = (to: EtcdTransport, endpoint: string, text = 'hello', timeoutMs = LONG_MS): Promise<string> =>
  to
    .unary(endpoint, {
      path: '/test.Echo/Once',
      headers: { token: 't' },
      message: Buffer.from(text),
      timeoutMs,
    })
    .then((bytes) => Buffer.from(bytes).toString())

const failure = (promise: Promise<unknown>): Promise<RpcError> =>
  promise.then(
    () => {
      throw new Error('it succeeded')
    },
    (error: RpcError) => error,
  )

/** Listens on loopback; resolves with the port. */
async function listening(server: Http2Server | TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A server of HTTP/2 that does this with each stream. */
async function http2Server(answer: (stream: ServerHttp2Stream, turn: number) => void): Promise<string> {
  let turn = 0
  const server = createServer()
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    answer(stream, (turn += 1))
  })
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (session) => void sessions.add(session))
  closing.push(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return `http://127.0.0.1:${await listening(server)}`
}

const GRPC = { ':status': 200, 'content-type': 'application/grpc' }

/** A whole answer. */
function answerWith(
  stream: ServerHttp2Stream,
  body: Buffer,
  trailers: Record<string, string> = { 'grpc-status': '0' },
): void {
  stream.respond(GRPC, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.end(body)
}

describe('the transport and the gRPC of another library', () => {
  interface Seen {
    token: unknown
    deadlineMs: number
  }

  async function grpcServer(seen: Seen[] = []): Promise<string> {
    const same = (bytes: Buffer): Buffer => bytes
    const method = (path: string, stream: boolean): object => ({
      path,
      requestStream: stream,
      responseStream: stream,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    })
    const server = new GrpcServer()
    server.addService(
      { once: method('/test.Echo/Once', false), many: method('/test.Echo/Many', true) } as never,
      {
        once(asked: ServerUnaryCall<Buffer, Buffer>, answer: (error: object | null, bytes?: Buffer) => void) {
          seen.push({
            token: asked.metadata.get('token')[0],
            deadlineMs: Number(asked.getDeadline()) - Date.now(),
          })
          if (asked.request.toString() === 'fail') answer({ code: 9, details: 'nein: 100 % “größer”' })
          else answer(null, asked.request)
        },
        many(stream: ServerDuplexStream<Buffer, Buffer>) {
          stream.on('data', (bytes: Buffer) => {
            if (bytes.toString() === 'end') stream.end()
            else stream.write(bytes)
          })
        },
      } as never,
    )
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    )
    closing.push(() => server.forceShutdown())
    return `http://127.0.0.1:${port}`
  }

  it('understand each other: messages, headers, deadlines, failures', async () => {
    const seen: Seen[] = []
    const endpoint = await grpcServer(seen)
    const to = transport()
    expect(await call(to, endpoint)).toBe('hello')
    const large = 'x'.repeat(1_400_000)
    expect(await call(to, endpoint, large)).toBe(large)
    expect(await call(to, endpoint, '')).toBe('')
    expect(await failure(call(to, endpoint, 'fail'))).toMatchObject({
      status: 9,
      message: 'nein: 100 % “größer”',
    })
    expect(seen[0]?.token).toBe('t')
    expect(seen[0]?.deadlineMs).toBeGreaterThan(LONG_MS / 2)
    expect(seen[0]?.deadlineMs).toBeLessThanOrEqual(LONG_MS)
    await expect(
      Promise.all(Array.from({ length: 200 }, (_, at) => call(to, endpoint, `${at}`))),
    ).resolves.toHaveLength(200)
  })

  it('hold a stream in both directions until one of them ends it', async () => {
    const endpoint = await grpcServer()
    const heard: string[] = []
    const ended = new Promise<RpcError>((resolve) => {
      const stream = transport().stream(
        endpoint,
        { path: '/test.Echo/Many', headers: {} },
        {
          message(bytes) {
            heard.push(Buffer.from(bytes).toString())
            if (heard.length === 3) stream.send(Buffer.from('end'))
          },
          ended: resolve,
        },
      )
      for (const text of ['a', 'b', 'c']) stream.send(Buffer.from(text))
    })
    expect(await ended).toMatchObject({ status: 14 })
    expect(heard).toEqual(['a', 'b', 'c'])
  })
})

describe('a server that does not do what it should', () => {
  it.each<[string, (stream: ServerHttp2Stream) => void, object]>([
    [
      'is none of gRPC',
      (stream) => {
        stream.respond({ ':status': 404, 'content-type': 'text/html' })
        stream.end('<html>')
      },
      { status: 2, message: expect.stringContaining('is this etcd?') },
    ],
    [
      'is a proxy without it',
      (stream) => {
        stream.respond({ ':status': 503 })
        stream.end()
      },
      { status: 14 },
    ],
    ['breaks off a stream', (stream) => stream.close(2), { status: 14 }],
    [
      'breaks off in the middle of an answer',
      (stream) => {
        stream.respond(GRPC)
        stream.write(frame(Buffer.from('hello')).subarray(0, 7))
        setImmediate(() => stream.close(2))
      },
      { status: 14 },
    ],
    [
      'ends in the middle of an answer',
      (stream) => answerWith(stream, frame(Buffer.from('hello')).subarray(0, 7)),
      { status: 13 },
    ],
    [
      'says no status',
      (stream) => {
        stream.respond(GRPC)
        stream.end(frame(Buffer.from('hello')))
      },
      { status: 14 },
    ],
    ['answers with nothing', (stream) => answerWith(stream, Buffer.alloc(0)), { status: 13 }],
    ['compresses', (stream) => answerWith(stream, Buffer.from([1, 0, 0, 0, 0])), { status: 13 }],
    [
      'announces more than is taken',
      (stream) => {
        const head = Buffer.alloc(5)
        head.writeUInt32BE(ETCD_SIZES.answerBytesMax + 1, 1)
        stream.respond(GRPC)
        stream.write(head)
      },
      { status: 8, local: 'oversize' },
    ],
    ['closes the connection', (stream) => stream.session?.destroy(), { status: 14 }],
  ])('fails the call: one that %s', async (_what, answer, expected) => {
    const endpoint = await http2Server((stream, turn) =>
      turn === 1 ? answer(stream) : answerWith(stream, frame(Buffer.from('well'))),
    )
    const to = transport()
    expect(await failure(call(to, endpoint))).toMatchObject(expected)
    // And the next one is served.
    expect(await call(to, endpoint)).toBe('well')
  })

  it('is left alone once it wants no more calls, and what is under way is finished', async () => {
    const sessions = new Set<unknown>()
    let finish = (): void => {}
    const endpoint = await http2Server((stream, turn) => {
      sessions.add(stream.session)
      if (turn > 1) return answerWith(stream, frame(Buffer.from('second')))
      finish = () => answerWith(stream, frame(Buffer.from('first')))
      stream.session?.goaway(0)
    })
    const to = transport()
    const first = call(to, endpoint)
    while (sessions.size === 0) await new Promise((resolve) => void setTimeout(resolve, 5))
    await new Promise((resolve) => void setTimeout(resolve, 50))
    expect(await call(to, endpoint)).toBe('second')
    finish()
    expect(await first).toBe('first')
    expect(sessions.size).toBe(2)
  })

  it('does not hold up a close with the calls that it wanted to finish', async () => {
    const endpoint = await http2Server((stream) => stream.session?.goaway(0))
    const to = transport()
    const outcomes = [failure(call(to, endpoint))]
    await new Promise((resolve) => void setTimeout(resolve, 100))
    outcomes.push(failure(call(to, endpoint)))
    await new Promise((resolve) => void setTimeout(resolve, 100))
    await to.close()
    for (const outcome of outcomes) expect(await outcome).toMatchObject({ status: 14, message: 'closed' })
  })

  it('is given up when it does not listen, does not speak, or does not answer', async () => {
    const sockets: Socket[] = []
    const mute = createTcpServer((socket) => void sockets.push(socket.on('error', () => {})))
    const port = await listening(mute)
    closing.push(() => {
      for (const socket of sockets) socket.destroy()
      mute.close()
    })
    const to = transport({ timing: { connectMs: 50 } })
    // A mute server takes the connection and agrees to nothing: HTTP/2 without TLS begins without its word.
    expect(await failure(call(to, `http://127.0.0.1:${port}`, 'hello', 200))).toMatchObject({ status: 4 })
    expect(await failure(call(to, `https://127.0.0.1:${port}`))).toMatchObject({
      status: 14,
      message: expect.stringContaining('within 50 ms'),
    })
    mute.close()
    to.drop(`http://127.0.0.1:${port}`)
    expect(await failure(call(to, `http://127.0.0.1:${port}`))).toMatchObject({
      status: 14,
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('is found out when its host is cut off, or it stands still', async () => {
    const endpoint = await http2Server((stream) => stream.respond(GRPC))
    const way = await openWay({ host: '127.0.0.1', port: Number(new URL(endpoint).port) })
    closing.push(() => way.close())
    const to = transport({ timing: { quietMs: 100, pingMs: 100 } })
    let over = false
    const ended = new Promise<RpcError>((resolve) => {
      to.stream(
        `http://${way.host}:${way.port}`,
        { path: '/test.Echo/Many', headers: {} },
        {
          message() {},
          ended(error) {
            over = true
            resolve(error)
          },
        },
      )
    })
    // As long as it answers pings it may be as silent as it likes.
    await new Promise((resolve) => void setTimeout(resolve, 1_000))
    expect(over).toBe(false)
    way.cut()
    expect(await ended).toMatchObject({ status: 14, message: expect.stringContaining('silent') })
  })

  it('leaves no socket behind', async () => {
    let open = 0
    const server = createServer()
    server.on('session', (session) => {
      open += 1
      session.on('close', () => (open -= 1))
    })
    server.on('stream', (stream) => {
      stream.on('error', () => {})
      stream.respond(GRPC)
    })
    const endpoint = `http://127.0.0.1:${await listening(server)}`
    closing.push(() => server.close())
    const to = transport()
    const outcome = failure(call(to, endpoint))
    while (open === 0) await new Promise((resolve) => void setTimeout(resolve, 5))
    await to.close()
    expect(await outcome).toMatchObject({ status: 14, message: 'closed' })
    expect(await failure(call(to, endpoint))).toMatchObject({ status: 14, message: 'closed' })
    while (open > 0) await new Promise((resolve) => void setTimeout(resolve, 5))
  })
})

describe('trust', () => {
  it('is needed in both directions, and its lack is told apart from an outage', async (context) => {
    if (!hasOpenssl()) without(context, 'there is no openssl to make a certificate with')
    const ours = await certificates('localhost', 'node')
    const other = await certificates('localhost', 'node')
    const server = createSecureServer({
      ...ours.of.localhost,
      ca: ours.ca,
      requestCert: true,
      rejectUnauthorized: true,
    })
    server.on('stream', (stream) => {
      stream.on('error', () => {})
      answerWith(stream, frame(Buffer.from('well')))
    })
    server.on('sessionError', () => {})
    const endpoint = `https://localhost:${await listening(server)}`
    closing.push(() => server.close())
    expect(await call(transport({ ca: ours.ca, ...ours.of.node }), endpoint)).toBe('well')
    for (const options of [{ ca: other.ca, ...ours.of.node }, { ...ours.of.node }, { ca: ours.ca }]) {
      expect(await failure(call(transport(options), endpoint))).toMatchObject({
        status: 14,
        local: 'certificate',
      })
    }
    // Node hangs up on such a client without a word; etcd says why, which engine-etcd-access.test.ts has.
    const stranger = transport({ ca: ours.ca, ...other.of.node })
    expect(await failure(call(stranger, endpoint))).toMatchObject({ status: 14 })
    const none = transport({ ca: ours.ca, cert: 'none', key: 'none' })
    expect(await failure(call(none, endpoint))).toMatchObject({ local: 'certificate' })
    const byAddress = endpoint.replace('localhost', '127.0.0.1')
    const named = transport({ ca: ours.ca, ...ours.of.node })
    expect(await failure(call(named, byAddress))).toMatchObject({ local: 'certificate' })
  })
})
