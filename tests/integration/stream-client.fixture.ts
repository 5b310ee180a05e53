/** Clients written from docs/protocol.md alone: they mirror what a node says and check every sign. */
import { get, type IncomingMessage } from 'node:http'
import { signOf, type Delta, type Instance, type ServerMessage, type View } from '@rollcall/wire'
import { WebSocket, type ClientOptions } from 'ws'
import { until, type TestNode } from './native-node.fixture.js'

/** The lists a client holds, by `service` or `service/group`. */
export class Mirror {
  readonly lists = new Map<string, Map<string, Instance>>()
  readonly signs = new Map<string, string>()
  views = 0
  deltas = 0

  apply(kind: 'view' | 'delta', change: View | Delta): void {
    const name = change.group === undefined ? change.service : `${change.service}/${change.group}`
    let list = this.lists.get(name)
    if (kind === 'view' || list === undefined) {
      list = new Map()
      this.lists.set(name, list)
    }
    const upserts = 'instances' in change ? change.instances : change.upserts
    for (const upsert of upserts) list.set(`${upsert.group}/${upsert.id}`, upsert)
    if ('to' in change) for (const { group, id } of change.removes) list.delete(`${group}/${id}`)
    const sign = 'to' in change ? change.to : change.sign
    if (signOf(list.values()) !== sign) throw new Error(`${kind} of ${name} does not add up to ${sign}`)
    this.signs.set(name, sign)
    if (kind === 'view') this.views++
    else this.deltas++
  }

  ids(name: string): string[] {
    return [...(this.lists.get(name)?.values() ?? [])].map((each) => each.id).toSorted()
  }
}

export interface StreamClient {
  readonly ws: WebSocket
  readonly mirror: Mirror
  readonly messages: ServerMessage[]
  closed: { readonly code: number; readonly reason: string } | undefined
  send(message: object): void
  /** Sends a request and waits for its answer. */
  ask(message: object): Promise<ServerMessage>
}

let lastReq = 0

/** Opens a stream; says hello unless told not to. */
export async function openStream(
  node: TestNode,
  options: ClientOptions & { readonly hello?: boolean; readonly mirror?: Mirror } = {},
): Promise<StreamClient> {
  const { hello = true, mirror = new Mirror(), ...ws } = options
  const socket = new WebSocket(`ws://127.0.0.1:${node.port}/api/v1/stream`, 'rollcall.v1', ws)
  const asked = new Map<
    number,
    { readonly resolve: (answer: ServerMessage) => void; readonly reject: (error: Error) => void }
  >()
  const client: StreamClient = {
    ws: socket,
    mirror,
    messages: [],
    closed: undefined,
    send: (message) => socket.send(JSON.stringify(message)),
    ask(message) {
      const req = ++lastReq
      client.send({ ...message, req })
      return new Promise((resolve, reject) => asked.set(req, { resolve, reject }))
    },
  }
  // A client beats on a timer of its own, whatever it reads.
  const beat = setInterval(() => socket.ping(), 1_000)
  socket.on('message', (data) => {
    const message = JSON.parse((data as Buffer).toString()) as ServerMessage
    client.messages.push(message)
    if ('req' in message && message.req !== undefined) asked.get(message.req)?.resolve(message)
    if (message.type === 'view' || message.type === 'delta') client.mirror.apply(message.type, message)
  })
  socket.on('error', () => {})
  socket.on('close', (code, reason) => {
    clearInterval(beat)
    client.closed = { code, reason: reason.toString() }
    for (const { reject } of asked.values()) reject(new Error(`closed with ${code}`))
  })
  await until(() => socket.readyState !== WebSocket.CONNECTING, 'the stream is open')
  if (hello) await client.ask({ type: 'hello', client: 'test' })
  return client
}

export interface EventClient {
  readonly response: IncomingMessage
  readonly mirror: Mirror
  readonly events: { readonly id: string; readonly type: string; readonly bytes: number }[]
  text: string
  close(): void
}

/** Opens an event stream and reads it by the rules of server-sent events. */
export async function openEvents(
  node: TestNode,
  query: string,
  resumed: { readonly lastEventId?: string | undefined; readonly mirror?: Mirror } = {},
): Promise<EventClient> {
  const { lastEventId, mirror = new Mirror() } = resumed
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const request = get(`${node.origin}/api/v1/watch?${query}`, { headers })
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', (head) => resolve(head))
    request.on('error', reject)
  })
  const client: EventClient = {
    response,
    mirror,
    events: [],
    text: '',
    close: () => request.destroy(),
  }
  let rest = ''
  response.setEncoding('utf8')
  response.on('error', () => {})
  response.on('data', (chunk: string) => {
    client.text += chunk
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s) as [string, string]))
      const [type, data, id] = [fields.get('event'), fields.get('data'), fields.get('id')]
      if ((type !== 'view' && type !== 'delta') || data === undefined || id === undefined) continue
      client.events.push({ id, type, bytes: block.length })
      client.mirror.apply(type, JSON.parse(data) as View | Delta)
    }
  })
  return client
}
