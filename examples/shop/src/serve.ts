/** What the services of the shop share: serving HTTP under a registration, and calling one another through the registry. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { connect, isRegistryError } from '@rollcall/client'

/** Where the registry is; several nodes of a cluster are separated by commas. */
export const REGISTRIES: readonly string[] = (
  process.env['ROLLCALL_REGISTRY'] ?? 'http://127.0.0.1:7400'
).split(',')

/** Where the services listen. Loopback suits one machine; elsewhere the SDK finds the address that others reach. */
const LISTEN = process.env['SHOP_LISTEN'] ?? '127.0.0.1'

/** What a service answers. */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

/**
 * Serves `PUT /<service>/<id>` on a free port, registered for as long as it runs. Resolves when a signal has ended it:
 * consumers have turned away, it is deregistered, and the last request is answered.
 */
export async function serve(
  service: string,
  put: (id: string, body: unknown) => Promise<Answer>,
): Promise<void> {
  let answers = 0
  const server = createServer((request, response) => {
    const answer = ({ status, body }: Answer): void => {
      answers += 1
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    if (request.url === '/metrics') {
      return response.end(`# TYPE shop_answers_total counter\nshop_answers_total ${answers}\n`)
    }
    const [, collection, id] = request.url?.split('/') ?? []
    if (request.method !== 'PUT' || collection !== service || id === undefined) {
      return answer({ status: 404, body: { error: `PUT /${service}/<id> is all there is` } })
    }
    json(request)
      .then((body) => put(id, body))
      .catch((error: unknown) => failure(error))
      .then(answer, () => response.destroy())
  })
  await once(server.listen(0, LISTEN), 'listening')

  const rollcall = await connect({ registries: REGISTRIES })
  const { port } = server.address() as AddressInfo
  const { id, state } = await rollcall.register({
    service,
    port,
    metadata: { 'metrics.path': '/metrics' },
    ...(LISTEN === '127.0.0.1' ? { host: LISTEN } : {}),
  })
  console.log(`${service} ${id} is ${state}`)

  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  await rollcall.close() // until this resolves, calls still arrive and are answered
  server.close()
  await once(server, 'close')
}

/** Without an instance to call, the caller may try again later; any other error but bad JSON is a mistake of this program. */
function failure(error: unknown): Answer {
  if (error instanceof SyntaxError) return { status: 400, body: { error: error.message } }
  if (isRegistryError(error)) return { status: 503, body: { error: error.code, message: error.message } }
  console.error(error)
  return { status: 500, body: { error: 'internal' } }
}
