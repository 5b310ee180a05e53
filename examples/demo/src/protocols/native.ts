/** An instance of orders that speaks Rollcall's own protocol, by the SDK. */
import { connect } from '@rollcall/client'
import { say } from './messages.js'
import { found, onLeave, serveInstance } from './speaker.js'

const [, , registry = 'http://127.0.0.1:7400'] = process.argv

const port = await serveInstance()
const rollcall = await connect({ registries: [registry], snapshotDir: false, logger: false })
onLeave(() => rollcall.close())
await rollcall.register({ service: 'orders', host: '127.0.0.1', port })
say({ kind: 'registered', at: Date.now(), port })
for await (const { instances } of rollcall.service('orders').changes())
  found(instances.filter(({ state }) => state === 'up'))
