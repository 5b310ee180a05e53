// Has no descriptor left when its snapshot is due, and some again later: `exhausted-child.mjs REGISTRY SNAPSHOTS`. Prints as JSON
// how many snapshots there were before and after, and which warnings came.
import { closeSync, openSync, readdirSync } from 'node:fs'
import { connect } from '@rollcall/client'

const [registry, snapshotDir] = process.argv.slice(2)
const warnings = []
const logger = { debug() {}, info() {}, error() {}, warn: (_fields, text) => warnings.push(text) }
const rollcall = await connect({ registries: [registry], snapshotDir, warmup: false, logger })
await rollcall.service('s0').ready()
const taken = []
try {
  for (;;) taken.push(openSync('/dev/null'))
} catch {
  // There is none left.
}
while (warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
for (const descriptor of taken) closeSync(descriptor)
const before = readdirSync(snapshotDir).length
while (readdirSync(snapshotDir).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
process.stdout.write(JSON.stringify({ before, after: readdirSync(snapshotDir).length, warnings }))
await rollcall.close()
