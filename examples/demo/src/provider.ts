/** One provider: a small HTTP server that registers itself. Leaves gracefully on SIGTERM. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from '@rollcall/client'
import { report } from './messages.js'

const service = process.argv[2] ?? 'orders'
/** One registry, or all nodes of a cluster with commas between them. */
const registries = (process.argv[3] ?? 'http://127.0.0.1:7400').split(',')

const server = createServer((request, response) => {
  response.end(JSON.stringify({ service, pid: process.pid, path: request.url }))
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo

/** Where many registries are lost and found, the narrator tells of them. */
const quiet = process.argv.includes('--quiet')

const rollcall = await connect({ registries, ...(quiet && { logger: false }), snapshotDir: false })
const registration = await rollcall.register({
  service,
  host: '127.0.0.1',
  port,
  metadata: { version: '1.4.2' },
})
report({ kind: 'registered', id: registration.id })

// Signals are the one way to stop; the demo's own death (a closed channel) counts as one.
const leave = async (): Promise<void> => {
  await rollcall.close() // consumers stop choosing this process, then it is deregistered
  server.close()
  server.closeIdleConnections()
  process.exit(0)
}
process.once('SIGTERM', () => void leave())
process.once('disconnect', () => void leave())
