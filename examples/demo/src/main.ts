/**
 * The main job on real processes: two services with three providers each and a consumer that calls one of
 * them all the time, while providers are killed, leave and come, and the registry itself dies and returns.
 *
 *     npm run demo            ends with a table of promised and measured; exit code 0 only if all held
 *     npm run demo -- --keep  keeps everything running to play with
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { act, summary, tell } from './narration.js'
import { endAll } from './processes.js'
import { Stage } from './stage.js'

const keep = process.argv.includes('--keep')
const directory = mkdtempSync(join(tmpdir(), 'rollcall-demo-'))

async function leave(code: number): Promise<never> {
  await endAll()
  rmSync(directory, { recursive: true, force: true })
  process.exit(code)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void leave(130))

try {
  const stage = await Stage.open(directory)
  await stage.providerKilled()
  await stage.providerLeaves()
  await stage.providerJoins()
  await stage.registryKilled()
  await stage.consumerRestarted()
  await stage.registryReturns()
  const held = summary(stage.outcomes())
  if (keep) {
    act('Everything keeps running')
    tell(
      `registry: ${stage.url}   try: npx rollcall instances orders --registry ${stage.url}   Ctrl-C ends it all`,
    )
  } else {
    await leave(held ? 0 : 1)
  }
} catch (error) {
  process.stderr.write(
    `the demo failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  await leave(1)
}
