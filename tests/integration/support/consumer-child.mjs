// A consumer that ends by itself: `consumer-child.mjs REGISTRY SERVICE SNAPSHOTS`. Says what it picked and from where.
import { connect } from '@rollcall/client'

const [registry, service, snapshotDir] = process.argv.slice(2)
const startedAt = performance.now()
const rollcall = await connect({ registries: [registry], snapshotDir, logger: false })
const target = rollcall.service(service)
await target.ready()
const readyMs = performance.now() - startedAt
const answer = await (await target.fetch('/')).text()
process.stdout.write(JSON.stringify({ id: target.pick().id, source: target.source, readyMs, answer }))
await rollcall.close()
