// Consumers of the SDK that only watch: `watchers-child.mjs JSON`, see watchers.ts. Notes every list in which fewer instances were up
// than live, and answers any message with what it noted.
import { connect } from '@rollcall/client'

const { registries, subscribers, services, expected } = JSON.parse(process.argv[2])
const FAULTS_MAX = 20
const told = { lists: 0, fewest: expected, faults: [] }
const clients = []

async function watch(index) {
  const own = registries.map((_, at) => registries[(index + at) % registries.length])
  const client = await connect({ registries: own, snapshotDir: false, logger: false })
  clients.push(client)
  const service = services[index % services.length]
  const target = client.service(service)
  // As long as a busy machine needs.
  await target.ready({ timeoutMs: 60_000 })
  const follow = async () => {
    for await (const { instances } of target.changes()) {
      const up = instances.filter(({ state }) => state === 'up').length
      told.lists += 1
      told.fewest = Math.min(told.fewest, up)
      if (up < expected && told.faults.length < FAULTS_MAX)
        told.faults.push(`subscriber ${index}: ${up} of ${expected} instances of ${service} were up`)
    }
  }
  void follow()
}

for (let index = 0; index < subscribers; index += 10)
  await Promise.all(Array.from({ length: Math.min(10, subscribers - index) }, (_, at) => watch(index + at)))
process.on('message', () => {
  const connected = clients.filter((client) => client.status().connection.state === 'connected').length
  process.send({ ...told, connected })
  told.faults = []
  told.fewest = expected
})
process.send({ ready: '' })
