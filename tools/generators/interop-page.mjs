/** docs/protocols/tried.md: which unchanged clients were run with a node, and what was measured, from docs/results/interop.json. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../prepare.mjs'

/** Columns, by what a measure of one client is called. */
const COLUMNS = {
  'killed: gone from its list': "killed with -9, not in the client's list",
  'killed: natively not up': 'killed with -9, natively not up',
  'ended: gone from its list': "ended in order, not in the client's list",
  'started again: in both lists': 'started again, in both lists',
  'registry restarted': 'registry restarted after SIGTERM, listed as up on both sides',
  'registry killed': 'registry restarted after SIGKILL, listed as up on both sides',
}

export function interopPage(note, table) {
  const { date, machine, tests, measures } = JSON.parse(
    readFileSync(join(ROOT, 'docs', 'results', 'interop.json'), 'utf8'),
  )
  const timeOf = (client, column) => {
    const found = measures.find(({ what }) => what === `${client}: ${column}`)
    return found === undefined ? '–' : `${found.median} ms`
  }
  const clients = tests.flatMap(({ file, name, status }) => {
    const [, client, version] = /^(\S+) \((.+)\) registers/.exec(name) ?? []
    return file.endsWith('clients.test.ts') && client !== undefined ? [{ client, version, status }] : []
  })
  const rows = clients.map(({ client, version, status }) => [
    version,
    status,
    ...Object.values(COLUMNS).map((column) => timeOf(client, column)),
  ])
  const others = tests.filter(({ name }) => clients.every(({ client }) => !name.startsWith(`${client} (`)))
  return `# Clients that were tried

${note}

Unchanged clients with a node on one machine (${machine.cores} cores, load ${machine.loadBefore} before), by \`npm run proof interop\` on ${date}
([all of it](../results/interop.json)). Two programs of each register, list and call each other and a service that is registered
natively; one is killed, one ends in order, the registry is stopped and killed. What the client lists is asked of the
program; state, metadata and \`via\` (the protocol that spoke) of the node.

${table(['client', 'result', ...Object.keys(COLUMNS)], rows)}

Renewals, fetches and checks of HTTP are every second here, leases and TTLs 3 s: slower settings are noticed later. Clients of Eureka
answer from their own copy, also while the registry is away.

${table(
  ['others', 'result'],
  others.map(({ name, status }) => [name, status]),
)}

Java with Maven, Go and Python are used where they are on the machine; what cannot be run there is \`skipped\`. Versions are pinned in
[tests/interop/programs](../../tests/interop/programs). No Consul server was used.
`
}
