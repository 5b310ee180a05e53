/** A round-robin balancer for HTTP: each request goes to the next node, and past those that refuse the connection. */
import { once } from 'node:events'
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Balancer {
  readonly url: string
  /** Requests that each target answered. */
  readonly answered: readonly number[]
  close(): Promise<void>
}

export interface BalancerTarget {
  readonly host: string
  readonly port: number
}

/** Starts one before these targets. */
export async function startBalancer(targets: readonly BalancerTarget[]): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true })
  const answered = targets.map(() => 0)
  let turn = 0
  const pass = (incoming: IncomingMessage, body: Buffer, response: ServerResponse, tries: number): void => {
    const index = turn++ % targets.length
    const { method, url: path, headers } = incoming
    const { host, port } = targets[index] as BalancerTarget
    const onward = request({ host, port, method, path, headers, agent }, (answer) => {
      answered[index] = (answered[index] ?? 0) + 1
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.once('error', () => {
      if (response.headersSent) response.destroy()
      else if (tries > 1) pass(incoming, body, response, tries - 1)
      else response.writeHead(502).end()
    })
    onward.end(body)
  }
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.once('end', () => pass(incoming, Buffer.concat(chunks), response, targets.length))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answered,
    async close() {
      agent.destroy()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
