/**
 * One registry, four tongues: eureka-js-client, the npm client `consul`, the SDK and Node's resolver, each unchanged and in a
 * process of its own, register and find one another; each is killed once, and all see it.
 *
 *     npm run demo:protocols            ends with a table of promised and measured; exit code 0 only if all held
 *     npm run demo:protocols -- --keep  keeps everything running to play with
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { npmPackage } from '@rollcall/testkit'
import { act, summary, tell } from '../narration.js'
import { endAll } from '../processes.js'
import { allRegister, drained, killed, leaves } from './acts.js'
import { Gathering, LAGS, type Manifests, PROVIDERS } from './gathering.js'

const keep = process.argv.includes('--keep')
const directory = mkdtempSync(join(tmpdir(), 'rollcall-demo-protocols-'))

async function leave(code: number): Promise<never> {
  await endAll()
  rmSync(directory, { recursive: true, force: true })
  process.exit(code)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void leave(130))

/** The clients of npm; ends the demo, in words, where they cannot be had. */
async function fetchClients(): Promise<Manifests> {
  const fetching = (name: string): void => tell(`fetching ${name} with npm into .cache/, once …`)
  try {
    const [eureka, consul] = await Promise.all([
      npmPackage({ name: 'eureka-js-client', version: '4.5.0' }, fetching),
      npmPackage({ name: 'consul', version: '2.0.1' }, fetching),
    ])
    return { eureka, consul }
  } catch (error) {
    process.stderr.write(
      `this demo needs two clients of npm: ${error instanceof Error ? error.message : String(error)}\n`,
    )
    return leave(1)
  }
}

try {
  act('One registry that speaks its own protocol, Eureka, Consul and DNS')
  const gathering = await Gathering.open(await fetchClients(), join(directory, 'data'))
  const { eureka, consul, dns } = gathering.ports
  tell(`ready at ${gathering.url}; Eureka on port ${eureka}, Consul on ${consul}, DNS on ${dns}`)
  await allRegister(gathering)
  await drained(gathering, 'Eureka')
  for (const tongue of PROVIDERS) await killed(gathering, tongue)
  for (const tongue of ['Eureka', 'Consul'] as const) await leaves(gathering, tongue)
  const held = summary(gathering.outcomes())
  process.stdout.write(`  * ${LAGS}\n`)
  if (keep) {
    act('Everything keeps running')
    tell(`try: npx rollcall watch orders --registry ${gathering.url}`)
    tell(
      `     curl http://127.0.0.1:${eureka}/eureka/apps   curl http://127.0.0.1:${consul}/v1/health/service/orders`,
    )
    tell(`     dig @127.0.0.1 -p ${dns} orders.service.rollcall SRV   Ctrl-C ends it all`)
  } else {
    await leave(held ? 0 : 1)
  }
} catch (error) {
  process.stderr.write(
    `the demo failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  await leave(1)
}
