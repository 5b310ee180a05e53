/** HTTP calls as a stranger would make them, every answer held against the OpenAPI document of the server. */
import { Agent, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { ServerProcess } from '@rollcall/testkit'
import type { Contract } from './openapi-contract.js'

/** An answer; `body` is JSON where the answer is, else its text. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

export interface Call {
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly raw?: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** Makes calls to one server over connections it keeps. */
export interface Api {
  call(method: string, path: string, call?: Call): Promise<Answer>
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>
  post(path: string, json: unknown): Promise<Answer>
  close(): void
}

/** Without a contract nothing is checked. */
export function createApi(server: Pick<ServerProcess, 'host' | 'port'>, contract?: Contract): Api {
  const agent = new Agent({ keepAlive: true })
  const call = async (method: string, path: string, { json, raw, headers }: Call = {}): Promise<Answer> => {
    const payload = json === undefined ? raw : JSON.stringify(json)
    const answer = await send(server, agent, method, path, payload, {
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    })
    contract?.check(method, path, answer)
    return answer
  }
  return {
    call,
    get: (path, headers = {}) => call('GET', path, { headers }),
    post: (path, json) => call('POST', path, { json }),
    close: () => agent.destroy(),
  }
}

function send(
  { host, port }: Pick<ServerProcess, 'host' | 'port'>,
  agent: Agent,
  method: string,
  path: string,
  payload: string | Buffer | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, method, path, agent, headers }, (incoming) => {
      readAnswer(incoming).then(resolve, reject)
    })
    outgoing.once('error', reject)
    if (payload !== undefined) outgoing.setHeader('content-length', Buffer.byteLength(payload))
    outgoing.end(payload)
  })
}

async function readAnswer(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  const isJson = incoming.headers['content-type']?.startsWith('application/json') === true
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: isJson ? (JSON.parse(text) as unknown) : text,
  }
}

/** Writes bytes to the port and resolves to everything that comes back until the server closes or `ms` passes. */
export function rawExchange(
  { host, port }: Pick<ServerProcess, 'host' | 'port'>,
  bytes: string | Buffer,
  ms = 5_000,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    let text = ''
    const timer = setTimeout(() => socket.destroy(), ms)
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.on('error', () => {})
    socket.once('close', () => {
      clearTimeout(timer)
      resolve(text)
    })
    socket.write(bytes)
  })
}

/** The value of a metric without label, or the sum over its labels. */
export async function metric(api: Api, name: string): Promise<number> {
  const { body } = await api.get('/metrics')
  const lines = String(body)
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  if (lines.length === 0) throw new Error(`there is no metric ${name}`)
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
