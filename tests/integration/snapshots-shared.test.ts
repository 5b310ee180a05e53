/** One snapshot directory and many processes: those that write all the time, some of them killed while they do, and readers. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Rollcall } from '@rollcall/client'
import { afterAll, expect, it } from 'vitest'
import { type Child, end, endAll, start, until } from './support/processes.js'

const INSTANCES = 20
const WRITERS = 4
const READS = 60

const clients: Rollcall[] = []
afterAll(async () => {
  await Promise.all(clients.map((rollcall) => rollcall.close()))
  await endAll()
})

/** What a process finds that starts with no registry in reach. */
async function read(snapshotDir: string): Promise<{ source: string; ids: string[]; revision: number }> {
  const rollcall = await connect({
    registries: ['http://127.0.0.1:1'],
    cluster: 'shared',
    snapshotDir,
    warmup: false,
    times: { headStartMs: 0 },
  })
  const service = rollcall.service('churn')
  await service.ready({ timeoutMs: 10_000 })
  const list = service.instances()
  const revision = Math.max(...list.map(({ metadata }) => Number(metadata['revision'])))
  const { source } = service
  await rollcall.close()
  return { source, ids: list.map(({ id }) => id).sort(), revision }
}

it('always holds a whole list', async () => {
  const snapshotDir = await mkdtemp(join(tmpdir(), 'rollcall-shared-'))
  const registry = await start('registry-child.mjs', '127.0.0.1:0')
  const provider = await connect({ registries: [registry.ready], snapshotDir: false })
  clients.push(provider)
  const ids = Array.from({ length: INSTANCES }, (_, n) => `i${String(n).padStart(2, '0')}`)
  const registrations = await provider.register(
    ids.map((id) => ({ service: 'churn', id, host: '127.0.0.1', port: 9, metadata: { revision: '0' } })),
  )
  const writer = (): Promise<Child> => start('snapshot-child.mjs', registry.ready, 'churn', snapshotDir)
  const writers = await Promise.all(Array.from({ length: WRITERS }, writer))
  await until(async () => (await readdir(snapshotDir)).some((file) => file.endsWith('.json')), 'the first')

  let going = true
  const changing = (async () => {
    for (let revision = 1; going; revision += 1)
      await registrations[revision % INSTANCES]!.update({ metadata: { revision: String(revision) } })
  })()
  let last = 0
  for (let turn = 1; turn <= READS; turn += 1) {
    const { source, ids: found, revision } = await read(snapshotDir)
    expect({ source, found }).toEqual({ source: 'snapshot', found: ids })
    last = revision
    if (turn % 20 === 0) {
      await end(writers.shift()!, 'SIGKILL')
      writers.push(await writer())
    }
  }
  going = false
  await changing
  expect(last).toBeGreaterThan(0)
  await Promise.all(writers.map((child) => end(child, 'SIGKILL')))
  await rm(snapshotDir, { recursive: true, force: true })
})
