// Follows a service, closes and tells how long that took: `closing-child.mjs REGISTRY SERVICE SNAPSHOTS`.
import { connect } from '@rollcall/client'

const [registry, service, snapshotDir] = process.argv.slice(2)
const rollcall = await connect({ registries: [registry], snapshotDir, warmup: false, times: { saveMs: 0 } })
await rollcall.service(service).ready()
await new Promise((resolve) => setTimeout(resolve, 500))
const began = performance.now()
await rollcall.close()
process.send({ ready: String(Math.round(performance.now() - began)) })
