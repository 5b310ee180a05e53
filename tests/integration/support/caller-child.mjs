// A consumer that calls all the time: `caller-child.mjs JSON`, see caller.ts. Answers any message with what it noted.
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from '@rollcall/client'

const { registries, services, callers } = JSON.parse(process.argv[2])
const FAILURES_MAX = 20
const told = { calls: 0, slowestMs: 0, failures: [] }

const client = await connect({ registries, snapshotDir: false, logger: false })
const targets = services.map((service) => client.service(service))
await Promise.all(targets.map((target) => target.ready({ timeoutMs: 60_000 })))

let turn = 0
async function call() {
  for (;;) {
    const began = performance.now()
    try {
      await (await targets[turn++ % targets.length].fetch('/')).text()
    } catch (error) {
      if (told.failures.length < FAILURES_MAX) told.failures.push(`a call failed: ${String(error)}`)
    }
    told.calls += 1
    told.slowestMs = Math.max(told.slowestMs, Math.round(performance.now() - began))
    // The callers are to notice troubles, not to be one.
    await pause(10)
  }
}

for (let index = 0; index < callers; index++) void call()
process.on('message', () => {
  process.send({ ...told })
  told.failures = []
})
process.send({ ready: '' })
