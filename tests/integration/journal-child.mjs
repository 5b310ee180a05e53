/**
 * A process that has a journal and nothing else, for journal.test.ts to start, kill and starve.
 * Usage: node journal-child.mjs DIRECTORY hold | append [BYTES]
 * Lines on stdout: `open N` (entries recovered), `ack REV DURABILITY`, `refused KIND PID`.
 */
import { writeSync } from 'node:fs'
import { createDisk, JournalError, openJournal } from '@rollcall/storage'

const [directory, mode, bytes = '10'] = process.argv.slice(2)
const say = (line) => writeSync(1, `${line}\n`)
const quiet = { error() {}, warn() {}, info() {}, debug() {} }
const clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(() => callback(), delayMs).unref()
    return () => clearTimeout(timer)
  },
}

/** One instance that changes all the time; `rev` counts. */
const recordOf = (rev) => ({
  namespace: 'default',
  service: 'web',
  group: 'default',
  id: 'a',
  incarnation: 1,
  content: {
    intent: 'up',
    rev,
    host: '127.0.0.1',
    port: 80,
    weight: 100,
    metadata: { filler: 'x'.repeat(Number(bytes)) },
    leaseMs: 15_000,
    liveness: 'lease',
    named: true,
    digest: '0123456789abcdef',
  },
  verdict: { value: 'up', claim: 1, node: 'n', seq: rev, reason: 'registered' },
})

let rev = 0
const entry = () => ({ kind: 'record', record: recordOf(rev) })
let opened
try {
  opened = await openJournal(
    {
      disk: createDisk(),
      clock,
      logger: quiet,
      meter: { count() {}, set() {}, observe() {} },
      snapshotSource: () => [entry()],
    },
    { directory, rotateBytesMin: 200_000, retryMsMin: 50, retryMsMax: 200 },
  )
} catch (error) {
  if (!(error instanceof JournalError)) throw error
  say(`refused ${error.kind} ${error.pid}`)
  process.exit(3)
}
for (const each of opened.recovered.entries) rev = each.record.content.rev
say(`open ${rev}`)
setInterval(() => undefined, 1_000)
if (mode === 'append') {
  for (;;) {
    // Several in flight, so that commits are groups; the answers come in order.
    const answers = []
    for (let k = 0; k < 8; k++) {
      rev++
      answers.push(
        opened.journal.append([entry()]).then(
          (
            (at) => (durability) =>
              say(`ack ${at} ${durability}`)
          )(rev),
        ),
      )
    }
    await Promise.all(answers)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
