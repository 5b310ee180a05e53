/** What the SDK has to do wherever it runs: register, watch, warm up, pick, call, share work and leave. */
import { createServer } from 'node:http'

/** Does it all against a registry; throws at the first thing that is not as it should be. */
export async function smoke({ connect, isRegistryError }, registry) {
  const server = createServer((request, response) => response.end(`${request.method} ${request.url}`))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  const service = `smoke-${process.pid}`
  const rollcall = await connect({ registries: [registry], snapshotDir: false })
  const registration = await rollcall.register({ service, host: '127.0.0.1', port, metadata: { a: 'b' } })
  same('state', registration.state, 'up')
  const [target] = await rollcall.ready([service])
  same('source', target.source, 'registry')
  same('picked', target.pick().port, port)
  const answer = await target.fetch('/x', { method: 'POST', body: 'y' })
  same('answer', await answer.text(), 'POST /x')
  same('shards', target.shards(8).own().length, 8)
  const changes = target.changes()
  await registration.update({ weight: 7 })
  let weight
  while (weight !== 7) weight = (await changes.next()).value.instances[0].weight
  const refusal = await rollcall
    .service('absent')
    .ready({ timeoutMs: 300 })
    .catch((error) => error)
  same('refusal', isRegistryError(refusal) && refusal.code, 'no_instances')
  await rollcall.close()
  let rest
  do rest = await changes.next()
  while (!rest.done)
  server.closeAllConnections()
  server.close()
  process.stdout.write(`${process.version} ok\n`)
}

function same(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, not ${String(expected)}`)
}
