// A consumer that saves every list at once: `snapshot-child.mjs REGISTRY SERVICE SNAPSHOTS`. Goes on until it is killed.
import { connect } from '@rollcall/client'

const [registry, service, snapshotDir] = process.argv.slice(2)
const rollcall = await connect({
  registries: [registry],
  cluster: 'shared',
  snapshotDir,
  times: { saveMs: 0 },
  warmup: false,
})
await rollcall.service(service).ready()
process.send({ ready: 'follows' })
