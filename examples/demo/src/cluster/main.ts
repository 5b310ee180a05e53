/**
 * Three nodes on three members of etcd, all real processes, while providers and a consumer work: nodes are killed, etcd's
 * leader is killed, both at once, all of etcd, and the way between. No call fails, and no instance that lives is taken off a list.
 *
 *     npm run demo:cluster            ends with a table of promised and measured; exit code 0 only if all held
 *     npm run demo:cluster -- --keep  keeps everything running to play with
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { etcdProgram } from '@rollcall/testkit'
import { act, summary, tell } from '../narration.js'
import { endAll } from '../processes.js'
import { Company } from './company.js'
import { EngineActs } from './engine-acts.js'
import { NodeActs } from './node-acts.js'

const keep = process.argv.includes('--keep')
const directory = mkdtempSync(join(tmpdir(), 'rollcall-demo-cluster-'))
let company: Company | undefined

async function leave(code: number): Promise<never> {
  company?.close()
  await endAll()
  await company?.etcd.close()
  rmSync(directory, { recursive: true, force: true })
  process.exit(code)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void leave(130))

/** Path of etcd; ends the demo, in words, where it cannot be had. */
async function findEtcd(): Promise<string> {
  try {
    return await etcdProgram('debian', (name) =>
      tell(`no etcd on the PATH: fetching Debian's ${name} with apt into .cache/, once …`),
    )
  } catch (error) {
    process.stderr.write(`this demo needs etcd: ${error instanceof Error ? error.message : String(error)}\n`)
    return leave(1)
  }
}

try {
  company = await Company.open(await findEtcd(), directory)
  const nodes = new NodeActs(company)
  const engine = new EngineActs(company)
  await nodes.changeTravels()
  await nodes.nodeKilled()
  await engine.leaderKilled()
  await engine.nodeAndLeaderKilled()
  await engine.allMembersKilled()
  await engine.nodeCutOff()
  await nodes.nodeKilledWithProviders()
  await nodes.rollingRestart()
  const held = summary(company.outcomes())
  if (keep) {
    act('Everything keeps running')
    const [first] = company.nodes
    tell(`try: npx rollcall cluster --registry ${first?.url}   Ctrl-C ends it all`)
  } else {
    await leave(held ? 0 : 1)
  }
} catch (error) {
  process.stderr.write(
    `the demo failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  await leave(1)
}
