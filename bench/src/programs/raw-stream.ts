/** A stream client on a raw socket: the handshake, whole frames out, and either every message or a mere count in. */
import { connect, type Socket } from 'node:net'
import { constants, inflateRawSync } from 'node:zlib'
import { STREAM_PATH, STREAM_PROTOCOL, type ClientMessage, type ServerMessage } from '@rollcall/wire'
import { FrameReader, maskedFrame, OPCODES, type Frame } from '../frames.js'
import { createRandom, SEED } from '../random.js'

const random = createRandom(SEED)

/** A message as the frame a client sends. */
export function clientFrame(message: ClientMessage): Buffer {
  return maskedFrame(Buffer.from(JSON.stringify(message)), random() * 2 ** 32)
}

/** A ping of WebSocket itself: the node hears it, and answers with a frame that is no message. */
export const PING_FRAME: Buffer = maskedFrame(Buffer.alloc(0), random() * 2 ** 32, OPCODES.ping)

/** The message of a text frame. RFC 7692 section 7.2.2: the tail that was cut off is put back. */
export function messageOf({ payload, deflated }: Frame): ServerMessage {
  const json = deflated
    ? inflateRawSync(Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]), {
        finishFlush: constants.Z_SYNC_FLUSH,
      })
    : payload
  return JSON.parse(json.toString()) as ServerMessage
}

/** All sockets of a process are read into this one buffer: nothing is allocated per read. */
const CHUNK = Buffer.allocUnsafe(65_536)

/** A connected socket. What is read goes to `receive`, which must not keep the chunk. */
export interface RawSocket {
  readonly socket: Socket
  receive: (chunk: Buffer) => void
  /** Called when the connection breaks; by default that ends the process, because the measurement is void. */
  fail: (error: Error) => void
}

/** Connects to a port of this machine, from an address of it. */
export function openSocket(port: number, localAddress = '127.0.0.1'): Promise<RawSocket> {
  return new Promise((resolve, reject) => {
    const onread = {
      buffer: CHUNK,
      callback: (bytes: number): boolean => {
        raw.receive(CHUNK.subarray(0, bytes))
        return true
      },
    }
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true, onread })
    const raw: RawSocket = { socket, receive: () => {}, fail: reject }
    socket.on('error', (error) => raw.fail(error))
    socket.on('end', () => raw.fail(new Error(`port ${port} ended the connection`)))
    socket.once('connect', () => {
      raw.fail = (error) => {
        throw error
      }
      resolve(raw)
    })
  })
}

/** How a stream is opened. */
export interface StreamOptions {
  /** Whether compressed frames may come, as the SDK allows. */
  readonly deflate: boolean
  /** The address of this machine that it comes from. Default 127.0.0.1. */
  readonly from?: string
}

/** A stream whose messages are read one by one. */
export class RawStream {
  readonly raw: RawSocket
  private readonly reader = new FrameReader()
  private readonly inbox: Frame[] = []
  private waiting: ((frame: Frame) => void) | undefined

  private constructor(raw: RawSocket) {
    this.raw = raw
    raw.receive = (chunk) => this.arrived(chunk)
  }

  /** Connects, and says hello. */
  static async open(port: number, options: StreamOptions): Promise<RawStream> {
    const raw = await openSocket(port, options.from)
    await upgrade(raw, port, options)
    const stream = new RawStream(raw)
    stream.send({ type: 'hello', client: 'rollcall bench' })
    await stream.expect('welcome')
    return stream
  }

  send(message: ClientMessage): void {
    this.raw.socket.write(clientFrame(message))
  }

  /** The next text frame. */
  frame(): Promise<Frame> {
    const frame = this.inbox.shift()
    if (frame !== undefined) return Promise.resolve(frame)
    return new Promise((resolve) => {
      this.waiting = resolve
    })
  }

  /** The next message, which must be of this type. */
  async expect<T extends ServerMessage['type']>(type: T): Promise<Extract<ServerMessage, { type: T }>> {
    const message = messageOf(await this.frame())
    if (message.type !== type) throw new Error(`${JSON.stringify(message).slice(0, 500)} instead of ${type}`)
    return message as Extract<ServerMessage, { type: T }>
  }

  private arrived(chunk: Buffer): void {
    for (const frame of this.reader.read(chunk)) {
      if (frame.opcode === OPCODES.close)
        throw new Error(`the node closed the stream: ${frame.payload.subarray(2).toString()}`)
      if (frame.opcode !== OPCODES.text) continue
      const { waiting } = this
      this.waiting = undefined
      if (waiting === undefined) this.inbox.push(frame)
      else waiting(frame)
    }
  }
}

function upgrade(raw: RawSocket, port: number, { deflate }: StreamOptions): Promise<void> {
  const lines = [
    `GET ${STREAM_PATH} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Sec-WebSocket-Protocol: ${STREAM_PROTOCOL}`,
    ...(deflate
      ? [
          'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover',
        ]
      : []),
  ]
  return new Promise((resolve, reject) => {
    // A server sends nothing after its answer until the client has said hello: this is the head and no more.
    raw.receive = (chunk) => {
      const head = chunk.toString()
      if (head.startsWith('HTTP/1.1 101 ')) resolve()
      else reject(new Error(`no stream: ${head}`))
    }
    raw.socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  })
}

/** Runs `work` for 0 to n - 1, so many at a time; results in order. */
export async function inParallel<T>(
  n: number,
  width: number,
  work: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < n) {
      const index = next++
      results[index] = await work(index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(n, width) }, lane))
  return results
}
