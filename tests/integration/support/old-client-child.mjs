/**
 * A program with the SDK of an old build, into whose folder it is copied. Usage: node old-client-child.mjs URL ID PORT SNAPSHOTS
 * Registers, watches its own service, and writes a line of JSON for each change; SIGTERM closes it.
 */
import { connect } from '@rollcall/client'

const [url, id, port, snapshotDir] = process.argv.slice(2)
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)
const rollcall = await connect({ registries: [url], snapshotDir })
process.on('SIGTERM', () => void rollcall.close().then(() => process.exit(0)))
const { incarnation } = await rollcall.register({
  service: 'orders',
  id,
  port: Number(port),
  host: '127.0.0.1',
})
const orders = rollcall.service('orders')
await orders.ready()
say({ incarnation, picked: orders.pick().id })
const changes = orders.changes()
while (!(await changes.next()).done)
  say({
    list: orders
      .instances()
      .map((each) => `${each.id} ${each.state}`)
      .sort(),
  })
