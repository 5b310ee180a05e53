/** The floor of HTTP: a bare `node:http` server that parses the same bodies and answers the same bodies. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveProgram } from '../program.js'

/** An answer, ready to be sent. */
export interface BareAnswer {
  readonly body: string
  /** Further headers, as names and values in turn. */
  readonly headers: readonly string[]
}

let head: string[] = []
let answer = ''

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, head)
    response.end(answer)
    return
  }
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body: unknown = JSON.parse(
      (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString() ?? '',
    )
    response.writeHead(typeof body === 'object' ? 200 : 400, head)
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
  answer = next.body
  const length = String(Buffer.byteLength(answer))
  head = ['Content-Type', 'application/json; charset=utf-8', 'Content-Length', length, ...next.headers]
}

/** What this program can do. */
export type BareHttp = {
  readonly listen: typeof listen
  readonly prepare: typeof prepare
}
serveProgram({ listen, prepare } satisfies BareHttp)
