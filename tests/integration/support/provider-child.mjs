// A provider: `provider-child.mjs REGISTRY SERVICE`. Answers with its pid; leaves gracefully on SIGTERM.
import { createServer } from 'node:http'
import { connect } from '@rollcall/client'

const [registry, service] = process.argv.slice(2)
const web = createServer((_request, response) => response.end(String(process.pid)))
await new Promise((resolve) => web.listen(0, '127.0.0.1', resolve))
const rollcall = await connect({ registries: [registry], snapshotDir: false })
const { id, state } = await rollcall.register({ service, port: web.address().port })
async function leave() {
  await rollcall.close()
  web.close()
  web.closeIdleConnections()
  process.disconnect?.()
}
process.once('SIGTERM', () => void leave())
process.send?.({ ready: id, state })
