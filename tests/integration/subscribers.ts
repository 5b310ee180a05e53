/** Subscribers without the SDK: the stream over a bare WebSocket, and server-sent events over a bare request. */
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { ServerProcess } from '@rollcall/testkit'
import {
  SignSum,
  STREAM_PATH,
  STREAM_PROTOCOL,
  type ClientMessage,
  type Delta,
  type Instance,
  type ServerMessage,
  type View,
} from '@rollcall/wire'
import { WebSocket } from 'ws'

/** What a consumer holds of one view. It believes nothing: its sum is made of the digests it was given. */
export class Mirror {
  readonly instances = new Map<string, Instance>()
  sign = ''
  views = 0
  readonly deltas: Delta[] = []
  /** Shortest the list has been since its first view. */
  least = Infinity
  private sum = new SignSum()

  view(view: View): void {
    this.instances.clear()
    this.sum = new SignSum()
    for (const instance of view.instances) this.put(instance)
    this.views++
    this.settle(view.sign)
  }

  delta(delta: Delta): void {
    if (delta.from !== this.sign) throw new Error(`a delta from ${delta.from} came to a list at ${this.sign}`)
    for (const remove of delta.removes) this.take(keyOf(remove))
    for (const instance of delta.upserts) this.put(instance)
    this.deltas.push(delta)
    this.settle(delta.to)
  }

  private put(instance: Instance): void {
    this.take(keyOf(instance))
    this.instances.set(keyOf(instance), instance)
    this.sum.addHex(instance.digest)
  }

  private take(key: string): void {
    const held = this.instances.get(key)
    if (held !== undefined) this.sum.subtractHex(held.digest)
    this.instances.delete(key)
  }

  private settle(sign: string): void {
    if (this.sum.toString() !== sign)
      throw new Error(`the digests sum up to ${this.sum.toString()}, the sign is ${sign}`)
    this.sign = sign
    this.least = Math.min(this.least, this.instances.size)
  }
}

function keyOf({ group, id }: { readonly group: string; readonly id: string }): string {
  return `${group}/${id}`
}

/** A client of the stream. What a mirror finds wrong is kept in `faults`, for the test to see. */
export interface StreamPeer {
  readonly messages: readonly ServerMessage[]
  readonly faults: readonly string[]
  readonly ws: WebSocket
  /** The bare connection, to be paused. */
  readonly socket: Socket
  readonly closed: { readonly code: number; readonly reason: string } | undefined
  /** The mirror of a watched service. */
  mirror(service: string): Mirror
  /** Sends a message and resolves to the answer with its number. */
  ask(message: ClientMessage): Promise<ServerMessage>
  /** Called with each publication, right after the mirror took it. */
  onChange(listener: (update: View | Delta) => void): void
  close(): Promise<void>
  /** Cuts the connection without a word. */
  drop(): void
}

/** Says hello, and from then on something every `pingMs` (default: what the node asks for). */
export async function openStream(
  server: Pick<ServerProcess, 'host' | 'port'>,
  { pingMs = 3_000, deflate = false }: { readonly pingMs?: number; readonly deflate?: boolean } = {},
): Promise<StreamPeer> {
  const ws = new WebSocket(`ws://${server.host}:${server.port}${STREAM_PATH}`, STREAM_PROTOCOL, {
    perMessageDeflate: deflate,
    maxPayload: 256 * 1024 * 1024,
  })
  const peer = new BareStreamPeer(ws, pingMs)
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve)
    ws.once('error', reject)
  })
  ws.on('error', () => {})
  await peer.ask({ type: 'hello', client: 'integration test' })
  return peer
}

class BareStreamPeer implements StreamPeer {
  readonly messages: ServerMessage[] = []
  readonly faults: string[] = []
  readonly ws: WebSocket
  closed: StreamPeer['closed']
  private readonly mirrors = new Map<string, Mirror>()
  private readonly waiting = new Map<
    number,
    { resolve(message: ServerMessage): void; reject(error: Error): void }
  >()
  private readonly listeners: ((update: View | Delta) => void)[] = []
  private connection: Socket | undefined
  private requests = 0

  constructor(ws: WebSocket, pingMs: number) {
    this.ws = ws
    ws.on('upgrade', (response: IncomingMessage) => (this.connection = response.socket))
    ws.on('message', (data: Buffer) => this.take(JSON.parse(data.toString()) as ServerMessage))
    const timer = setInterval(() => {
      if (ws.readyState === WebSocket.OPEN) ws.send('{"type":"ping"}')
    }, pingMs)
    ws.on('close', (code, reason) => {
      clearInterval(timer)
      this.closed = { code, reason: reason.toString() }
      for (const each of this.waiting.values())
        each.reject(new Error(`the stream was closed with ${code} ${reason.toString()}`))
    })
  }

  get socket(): Socket {
    if (this.connection === undefined) throw new Error('no connection')
    return this.connection
  }

  mirror(service: string): Mirror {
    const found = this.mirrors.get(service) ?? new Mirror()
    this.mirrors.set(service, found)
    return found
  }

  ask(message: ClientMessage): Promise<ServerMessage> {
    return new Promise((resolve, reject) => {
      const req = ++this.requests
      this.waiting.set(req, { resolve, reject })
      this.ws.send(JSON.stringify({ ...message, req }), (error) => {
        if (error) reject(error)
      })
    })
  }

  onChange(listener: (update: View | Delta) => void): void {
    this.listeners.push(listener)
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.ws.readyState === WebSocket.CLOSED) return resolve()
      this.ws.once('close', () => resolve())
      this.ws.close(1000)
    })
  }

  drop(): void {
    this.ws.terminate()
  }

  private take(message: ServerMessage): void {
    this.messages.push(message)
    try {
      if (message.type === 'view') this.mirror(message.service).view(message)
      if (message.type === 'delta') this.mirror(message.service).delta(message)
    } catch (error) {
      this.faults.push(String(error))
    }
    if (message.type === 'view' || message.type === 'delta')
      for (const listener of this.listeners) listener(message)
    if ('req' in message && message.req !== undefined) {
      this.waiting.get(message.req)?.resolve(message)
      this.waiting.delete(message.req)
    }
  }
}

/** One server-sent event. */
export interface StreamEvent {
  readonly id: string
  readonly event: string
  readonly data: View | Delta
}

/** A reader of server-sent events. */
export interface EventPeer {
  readonly status: number
  readonly events: readonly StreamEvent[]
  readonly comments: readonly string[]
  readonly mirror: Mirror
  readonly ended: boolean
  readonly request: ClientRequest
  close(): void
}

/** Opens an event stream. `query` such as `service=orders`. */
export function openEvents(
  { host, port }: Pick<ServerProcess, 'host' | 'port'>,
  query: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventPeer> {
  const events: StreamEvent[] = []
  const comments: string[] = []
  const mirror = new Mirror()
  let ended = false
  let rest = ''
  const take = (block: string): void => {
    const fields = new Map<string, string>()
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':')
      if (colon === 0) comments.push(line.slice(1).trim())
      else fields.set(line.slice(0, colon), line.slice(colon + 1).trimStart())
    }
    if (!fields.has('data')) return
    const event = {
      id: fields.get('id') ?? '',
      event: fields.get('event') ?? 'message',
      data: JSON.parse(fields.get('data') ?? '') as View | Delta,
    }
    events.push(event)
    if ('sign' in event.data) mirror.view(event.data)
    else if (mirror.sign !== '') mirror.delta(event.data)
  }
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host, port, path: `/api/v1/watch?${query}`, headers, agent: false },
      (incoming) => {
        incoming.setEncoding('utf8').on('data', (text: string) => {
          const blocks = (rest + text).split('\n\n')
          rest = blocks.pop() ?? ''
          for (const block of blocks) take(block)
        })
        incoming.on('error', () => {})
        incoming.once('close', () => (ended = true))
        resolve({
          status: incoming.statusCode ?? 0,
          events,
          comments,
          mirror,
          get ended() {
            return ended
          },
          request: outgoing,
          close: () => outgoing.destroy(),
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end()
  })
}
