/** The consumer: calls one service all the time, and tells the demo what it saw. */
import { connect } from '@rollcall/client'
import { report } from './messages.js'

const service = process.argv[2] ?? 'orders'
/** One registry, or all nodes of a cluster with commas between them. */
const registries = (process.argv[3] ?? 'http://127.0.0.1:7400').split(',')
const snapshotDir = process.argv[4] ?? '.rollcall'

/** Calls in flight at a time. */
const CALLERS = 4
/** Pause of a caller between two calls: some hundreds of calls a second in all, 400 at most. */
const PAUSE_MS = 10

const startedAt = Date.now()
/** Where many registries are lost and found, the narrator tells of them. */
const quiet = process.argv.includes('--quiet')

const rollcall = await connect({ registries, ...(quiet && { logger: false }), snapshotDir })
const target = rollcall.service(service)
let calls = 0
let failures = 0
let stopping = false

async function call(): Promise<void> {
  while (!stopping) {
    try {
      const response = await target.fetch('/orders/42')
      const answer = (await response.json()) as { readonly pid: number }
      if (calls++ === 0) report({ kind: 'first-call', afterMs: Date.now() - startedAt })
      report({ kind: 'called', pid: answer.pid })
    } catch (error) {
      failures++
      report({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

async function watch(): Promise<void> {
  for await (const change of target.changes()) {
    report({
      kind: 'list',
      at: Date.now(),
      source: change.source,
      sign: change.sign,
      instances: change.instances.map(({ id, state }) => ({ id, state })),
    })
  }
}

const leave = async (): Promise<void> => {
  stopping = true
  await rollcall.close()
  report({ kind: 'totals', calls, failures })
  process.exit(0)
}
process.once('SIGTERM', () => void leave())
process.once('disconnect', () => process.exit(0))

void watch()
await Promise.all(Array.from({ length: CALLERS }, call))
