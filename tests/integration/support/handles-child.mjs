// Uses everything of the SDK and closes it: `handles-child.mjs REGISTRY SNAPSHOTS HANGING-PORT`. Prints which resources
// are there that were not there before; ends by itself if there are none.
import { createServer } from 'node:http'
import { connect } from '@rollcall/client'

const [registry, snapshotDir, hangingPort] = process.argv.slice(2)
const turns = async () => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

// Made at first use, and the process's own.
if (!process.stdout.writable || !process.stderr.writable) throw new Error('nowhere to write')
await turns()
const before = process.getActiveResourcesInfo().sort()

const server = createServer((request, response) => request.pipe(response))
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const controller = new AbortController()
const rollcall = await connect({
  // No node is at the first: a client that also tries in vain.
  registries: ['http://127.0.0.1:1', registry],
  snapshotDir,
  logger: false,
  signal: controller.signal,
  static: { fixed: [{ host: '127.0.0.1', port: server.address().port }] },
  warmupTimeoutMs: 60_000,
})
const registrations = await rollcall.register([
  { service: 'handles', id: 'good', host: '127.0.0.1', port: server.address().port },
  { service: 'handles', id: 'hangs', host: '127.0.0.1', port: Number(hangingPort), probe: { type: 'none' } },
])
registrations[0].onEvent(() => {})
const service = rollcall.service('handles')
const changes = service.changes({ signal: controller.signal })
await changes.next()
const shards = service.shards(8).changes()
await shards.next()
service.onCandidates(() => {})
// Warming up goes on, and so do a wait that is in vain and a call whose answer is not read.
const pending = [
  service.ready({ timeoutMs: 60_000 }),
  rollcall.ready(['absent'], { timeoutMs: 60_000, signal: controller.signal }),
  rollcall.service('fixed').ready(),
  changes.next(),
  shards.next(),
].map((promise) => promise.catch(() => {}))
await rollcall.service('fixed', { warmup: false }).ready()
await (await rollcall.service('fixed').fetch('/', { method: 'POST', body: 'x' })).text()
await rollcall.service('fixed').fetch('/', { method: 'POST', body: 'not read' })
await rollcall.close()
await Promise.all(pending)
server.closeAllConnections()
await new Promise((resolve) => server.close(resolve))
await turns()

const after = process.getActiveResourcesInfo().sort()
for (const resource of before) {
  const index = after.indexOf(resource)
  if (index >= 0) after.splice(index, 1)
}
process.stdout.write(JSON.stringify(after))
