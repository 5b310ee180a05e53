/** A node that means harm: what it does on each connection is drawn from a seed. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { STREAM_PROTOCOL } from '@rollcall/wire'
import { WebSocketServer, type WebSocket } from 'ws'

type Random = () => number

/** The seed is what a failure has to name. */
export interface HostileNode {
  /** Connections it has had. */
  readonly connections: () => number
  /** Which attacks were carried out. */
  readonly attacks: ReadonlySet<string>
  close(): Promise<void>
}

/** Numbers from 0 to below 1 (mulberry32). */
function createRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
const hex16 = (random: Random): string =>
  Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join('')
const bytes = (random: Random, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))

/** What takes the place of a part of a message. */
const JUNK: readonly unknown[] = [
  null,
  -1,
  0,
  1e308,
  Number.MAX_SAFE_INTEGER,
  '',
  '\n\u0000',
  '__proto__',
  'x'.repeat(70_000),
  [],
  [null],
  [[]],
  {},
  { toString: 1 },
  true,
]

function instance(random: Random, service: string): Record<string, unknown> {
  return {
    namespace: 'default',
    service,
    group: 'default',
    id: `i${Math.floor(random() * 20)}`,
    host: '127.0.0.1',
    port: 1 + Math.floor(random() * 60_000),
    weight: Math.floor(random() * 3),
    metadata: { a: 'b' },
    state: pick(random, ['up', 'suspect', 'down', 'draining', 'starting', 'disabled', 'new-state']),
    stateAgeMs: 0,
    incarnation: Math.floor(random() * 1e6),
    digest: hex16(random),
  }
}

function instances(random: Random, service: string): Record<string, unknown>[] {
  return Array.from({ length: Math.floor(random() * 12) }, () => instance(random, service))
}

/** A well-formed message, with a sign that is wrong. */
function message(random: Random, req: number): Record<string, unknown> {
  const service = pick(random, ['victim', 's0', 's1', 's2', 'stranger'])
  const view = { namespace: 'default', service, seq: Math.floor(random() * 100) }
  const error = {
    code: pick(random, ['internal', 'superseded', 'id_taken', 'deregistered', 'batch_too_large', 'what']),
    message: 'no',
    details: { incarnation: pick(random, [1, 1e15, Number.MAX_SAFE_INTEGER]) },
  }
  const ref = { namespace: 'default', service, group: 'default', id: 'v', incarnation: 1 }
  return pick(random, [
    () => ({
      type: 'view',
      ...view,
      sign: hex16(random),
      instances: instances(random, service),
      removes: [{ group: 'default', id: 'i1', incarnation: 1, reason: 'expired' }],
      guard: { tripped: true, kept: 3 },
      stale: true,
    }),
    () => ({
      type: 'delta',
      ...view,
      from: hex16(random),
      to: hex16(random),
      upserts: instances(random, service),
      removes: [{ group: 'default', id: 'i2', incarnation: 1, reason: 'deregistered' }],
    }),
    () => ({ type: 'registered', req, results: [{ ok: false, error }] }),
    () => ({ type: 'registered', req, results: [] }),
    () => ({ type: 'registered', req, results: [{ ok: true }], warnings: ['w'] }),
    () => ({ type: 'deregistered', req, removed: [], unknown: [], superseded: [] }),
    () => ({ type: 'watching', req }),
    () => ({ type: 'signs', req, changed: [{ ...view, sign: hex16(random) }] }),
    () => ({ type: 'settled', req, settled: random() < 0.5, seq: 1 }),
    () => ({ type: 'removed', instances: [{ ...ref, reason: 'superseded' }] }),
    () => ({ type: 'goaway', reason: 'go', afterMs: pick(random, [0, -5, 1e300]) }),
    () => ({ type: 'error', ...(random() < 0.5 ? { req } : {}), error }),
    () => welcome(random),
    () => ({ type: 'pong', island: random() < 0.5 }),
  ])()
}

function welcome(random: Random): Record<string, unknown> {
  return {
    type: 'welcome',
    node: 'hostile',
    cluster: 'c',
    pingMs: pick(random, [0, -1, 50, 3_000, 1e300]),
    frameBytesMax: pick(random, [0, -1, 1e6]),
    batchItemsMax: pick(random, [0, -1, 1e4]),
    island: random() < 0.3,
  }
}

/** The message with one of its parts replaced. */
function spoiled(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random() < 0.1) return pick(random, JUNK)
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...value] : { ...value }
  const name = pick(random, Object.keys(value))
  if (name !== undefined) Reflect.set(copy, name, spoiled(random, Reflect.get(value, name)))
  return copy
}

/** A text frame of a server, as it should be. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text)
  const head = Buffer.alloc(payload.length < 126 ? 2 : 4)
  head[0] = 0x81
  head[1] = payload.length < 126 ? payload.length : 126
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}

/** What is done to a stream that stands, by name. `socket` is below the WebSocket. */
const STREAM_ATTACKS: Readonly<
  Record<string, (random: Random, peer: { socket: Duplex; stream: WebSocket; req: () => number }) => void>
> = {
  messages(random, { stream, req }) {
    stream.send(JSON.stringify(welcome(random)))
    for (let n = 0; n < 20; n++) stream.send(JSON.stringify(message(random, req())))
  },
  spoiled(random, { stream, req }) {
    stream.send(JSON.stringify(welcome(random)))
    for (let n = 0; n < 20; n++) stream.send(JSON.stringify(spoiled(random, message(random, req()))))
  },
  text(random, { stream }) {
    stream.send(pick(random, ['', '{', 'null', '[]', '{"type":"view"}', '{"__proto__":1}', '"\\ud800"']))
  },
  binary: (random, { stream }) => stream.send(bytes(random, 50)),
  garbage: (random, { socket }) => void socket.write(bytes(random, 200)),
  'cut frame': (random, { socket }) => {
    const whole = frame(JSON.stringify(message(random, 1)).slice(0, 60_000))
    socket.end(whole.subarray(0, Math.floor(random() * whole.length)))
  },
  'endless fragments': (_, { socket }) => {
    socket.write(Buffer.from([0x01, 1, 0x7b]))
    for (let n = 0; n < 2_000; n++) socket.write(Buffer.from([0x00, 1, 0x20]))
  },
  'impossible length': (_, { socket }) =>
    void socket.write(Buffer.from([0x81, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255])),
  'masked frame': (_, { socket }) => void socket.write(Buffer.from([0x81, 0x81, 1, 2, 3, 4, 5])),
  'ping flood': (_, { socket }) => {
    for (let n = 0; n < 2_000; n++) socket.write(Buffer.from([0x89, 0]))
  },
  'reserved bits': (_, { socket }) => void socket.write(Buffer.from([0xf1, 1, 1])),
  'bad close code': (random, { socket }) =>
    void socket.write(Buffer.from([0x88, 2, 0, Math.floor(random() * 256)])),
  'turned away': (random, { stream }) =>
    stream.close(pick(random, [1000, 1001, 1008, 1013, 4400, 4408, 4429]), 'x'),
  'go away': (random, { stream }) => {
    stream.send(JSON.stringify(welcome(random)))
    stream.send('{"type":"goaway","reason":"r","afterMs":0}')
  },
  reset: (_, { socket }) => void socket.destroy(),
  silence: () => {},
}

/** What is answered instead of a stream, by name. */
const UPGRADE_ATTACKS: Readonly<Record<string, (random: Random, socket: Duplex) => void>> = {
  'bytes for http': (random, socket) => void socket.end(bytes(random, 300)),
  'wrong key': (_, socket) =>
    void socket.write(
      'HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: eA==\r\n\r\n',
    ),
  'endless head': (_, socket) => void socket.write(`HTTP/1.1 101 X\r\nX: ${'x'.repeat(200_000)}`),
  redirect: (_, socket) =>
    void socket.end('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'),
  'server error': (_, socket) => void socket.end('HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nno'),
  'closed at once': (_, socket) => void socket.destroy(),
  'no answer': () => {},
}

/** Starts a hostile node on a port. */
export async function startHostileNode(port: number, seed: number): Promise<HostileNode> {
  const random = createRandom(seed)
  const attacks = new Set<string>()
  const sockets = new Set<Duplex>()
  let connections = 0
  const streams = new WebSocketServer({ noServer: true, handleProtocols: () => STREAM_PROTOCOL })
  const server: Server = createServer((_, response) => response.writeHead(500).end('{'))

  const attackStream = (stream: WebSocket, socket: Duplex): void => {
    let last = 1
    // Half of them by messages: there is most to get wrong.
    const name = random() < 0.5 ? 'spoiled' : pick(random, Object.keys(STREAM_ATTACKS))
    const attack = STREAM_ATTACKS[name]!
    attacks.add(name)
    stream.on('error', () => {})
    stream.on('message', (data) => {
      const { req } = JSON.parse((data as Buffer).toString()) as { readonly req?: number }
      last = req ?? last
      if (socket.destroyed || random() > 0.7) return
      attack(random, { socket, stream, req: () => last })
    })
  }
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    // It never lasts: what hangs is cut after a while drawn as well.
    const cut = setTimeout(() => socket.destroy(), 5 + random() * 80)
    socket.on('close', () => clearTimeout(cut))
    if (random() < 0.7) streams.handleUpgrade(request, socket, head, (stream) => attackStream(stream, socket))
    else {
      const [name, attack] = pick(random, Object.entries(UPGRADE_ATTACKS))
      attacks.add(name)
      attack(random, socket)
    }
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    connections: () => connections,
    attacks,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A list of 400 million characters, of few instances: what is to be filled is the memory, not the processor. */
const FLOOD_BATCHES = 80
const FLOOD_BATCH = 500
const FLOOD_CHARS = 10_000

/** Sends lists without end, or one message that grows beyond all bounds when it is unpacked, to every client that connects. */
export async function startFlood(port: number, kind: 'endless list' | 'bomb'): Promise<HostileNode> {
  const attacks = new Set<string>([kind])
  let connections = 0
  const deflate = kind === 'bomb' ? { threshold: 0 } : false
  const streams = new WebSocketServer({
    port,
    host: '127.0.0.1',
    perMessageDeflate: deflate,
    handleProtocols: () => STREAM_PROTOCOL,
  })
  const random = createRandom(1)
  const list = async (stream: WebSocket): Promise<void> => {
    for (let batch = 0; batch < FLOOD_BATCHES && stream.readyState === stream.OPEN; batch++) {
      const upserts = Array.from({ length: FLOOD_BATCH }, (_, n) => ({
        ...instance(random, 'victim'),
        id: `e${batch}-${n}`,
        metadata: { a: `${batch}-${n}`.padEnd(FLOOD_CHARS, 'x') },
      }))
      const delta = {
        type: 'delta',
        namespace: 'default',
        service: 'victim',
        seq: batch,
        upserts,
        removes: [],
      }
      const text = JSON.stringify({ ...delta, from: hex16(random), to: hex16(random) })
      await new Promise((resolve) => stream.send(text, resolve))
      if (batch === FLOOD_BATCHES - 1) attacks.add('all sent')
    }
  }
  streams.on('connection', (stream) => {
    connections += 1
    stream.on('error', () => {})
    stream.send(JSON.stringify({ ...welcome(random), pingMs: 3_000 }))
    if (kind === 'bomb') stream.send(`{"type":"view","x":"${'0'.repeat(200_000_000)}"}`)
    else void list(stream)
  })
  await once(streams, 'listening')
  return {
    connections: () => connections,
    attacks,
    async close() {
      for (const stream of streams.clients) stream.terminate()
      streams.close()
      await once(streams, 'close')
    },
  }
}
