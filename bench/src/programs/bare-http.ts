/** The floor of HTTP: a bare `node:http` server that parses the same bodies and answers the same bodies. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveProgram } from '../program.js'

/** An answer, ready to be sent. */
export interface BareAnswer {
  readonly body: string | Uint8Array
  /** Further headers, as names and values in turn; `Content-Type` is JSON unless it is among them. */
  readonly headers: readonly string[]
  /** Default 200; 204 has no length. */
  readonly status?: number
}

let head: string[] = []
let status = 200
let answer = Buffer.alloc(0)

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(status, head)
    response.end(answer)
    return
  }
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const text = (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString() ?? ''
    const body: unknown = text === '' ? {} : JSON.parse(text)
    response.writeHead(typeof body === 'object' ? status : 400, head)
    response.end(answer)
  })
})

/** Resolves to the port. */
function listen(): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

/** What every request is answered from now on. */
function prepare(next: BareAnswer): void {
  answer = Buffer.from(next.body as string)
  status = next.status ?? 200
  const typed = next.headers.some((name) => name.toLowerCase() === 'content-type')
  head = [
    ...(typed || answer.length === 0 ? [] : ['Content-Type', 'application/json; charset=utf-8']),
    ...(status === 204 ? [] : ['Content-Length', String(answer.length)]),
    ...next.headers,
  ]
}

/** What this program can do. */
export type BareHttp = {
  readonly listen: typeof listen
  readonly prepare: typeof prepare
}
serveProgram({ listen, prepare } satisfies BareHttp)
