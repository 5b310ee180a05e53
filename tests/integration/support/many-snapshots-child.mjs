// A consumer of many services with few descriptors: `many-snapshots-child.mjs REGISTRY COUNT SNAPSHOTS`. Prints as JSON how many
// snapshots there are, which warnings came and how many descriptors were open at once.
import { readdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { connect } from '@rollcall/client'

const [registry, count, snapshotDir] = process.argv.slice(2)
const warnings = new Set()
const logger = {
  debug() {},
  info() {},
  error() {},
  warn: (fields, text) => warnings.add(`${text}: ${fields.error}`),
}
const rollcall = await connect({ registries: [registry], snapshotDir, warmup: false, logger })
for (let n = 0; n < Number(count); n += 1) rollcall.service(`s${n}`)
let openMax = 0
let written = 0
const until = performance.now() + 60_000
while (written < Number(count) && performance.now() < until) {
  await new Promise((resolve) => setTimeout(resolve, 5))
  openMax = Math.max(openMax, readdirSync('/proc/self/fd').length)
  const files = await readdir(snapshotDir).catch(() => [])
  written = files.filter((file) => file.endsWith('.json')).length
}
process.stdout.write(JSON.stringify({ written, openMax, warnings: [...warnings] }))
await rollcall.close()
