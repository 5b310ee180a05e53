/** `GET /metrics` of a bridge, at an address of its own. */
import { createServer, type Server } from 'node:http'
import { UsageError } from '../exit-codes.js'

export interface FiguresAddress {
  readonly host: string
  readonly port: number
}

/** A scrape is one request; these are for those that keep their connection. */
const CONNECTIONS_MAX = 16

/** Serves what `render` says until the returned function is called. Rejects where the address cannot be had. */
export async function serveFigures(
  render: () => string,
  { host, port }: FiguresAddress,
): Promise<() => void> {
  const server: Server = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?')
    if (request.method !== 'GET' || path !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics\n')
      return
    }
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(render())
  })
  server.maxConnections = CONNECTIONS_MAX
  await new Promise<void>((resolve, reject) => {
    // Afterwards too: a connection that cannot be taken is no end of the bridge, and the scrape that fails is seen by who scrapes.
    server.on('error', (error) => reject(new UsageError(`--metrics: ${error.message}`)))
    server.listen(port, host, resolve)
  })
  // The bridge ends with its own work.
  server.unref()
  return () => {
    server.closeAllConnections()
    server.close()
  }
}
