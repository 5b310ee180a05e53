/** What the client processes have in common: an HTTP server that answers with its port, a list that is told and called when it changes. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { say } from './messages.js'

const CALL_MS_MAX = 2_000

/** Serves the instance of this process; resolves to its port. */
export async function serveInstance(): Promise<number> {
  const server = createServer((_request, response) => {
    response.end(String((server.address() as AddressInfo).port))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

let told = ''

/** Tells a list that differs from the one before, and calls what is in it. An address that answers as another is left out. */
export function found(endpoints: readonly { readonly host: string; readonly port: number }[]): void {
  const ports = endpoints.map(({ port }) => port).toSorted((a, b) => a - b)
  if (ports.join() === told) return
  told = ports.join()
  say({ kind: 'list', at: Date.now(), ports })
  void callAll(endpoints)
}

async function callAll(
  endpoints: readonly { readonly host: string; readonly port: number }[],
): Promise<void> {
  const answers = await Promise.all(
    endpoints.map(async ({ host, port }) => {
      const answer = await fetch(`http://${host}:${port}/`, { signal: AbortSignal.timeout(CALL_MS_MAX) })
        .then((response) => response.text())
        .catch(() => '')
      return answer === String(port) ? [port] : []
    }),
  )
  say({ kind: 'called', ports: answers.flat() })
}

/** Runs when this process is to leave: on SIGTERM, or when the narrator is gone. */
export function onLeave(leave: () => Promise<unknown>): void {
  const once = (): void => {
    leave().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGTERM', once)
  process.once('disconnect', once)
}
