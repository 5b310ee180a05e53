/** Work shared by real processes: who has which shard, before and after one of them is gone. */
import { connect, type Rollcall, type Shards } from '@rollcall/client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Child, end, endAll, start, until } from './support/processes.js'

const SHARDS = 64
const clients: Rollcall[] = []
let registry: Child

beforeAll(async () => {
  registry = await start('registry-child.mjs', '127.0.0.1:0')
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map((rollcall) => rollcall.close()))
})

afterAll(endAll)

async function client(): Promise<Rollcall> {
  const rollcall = await connect({ registries: [registry.ready], snapshotDir: false, warmup: false })
  clients.push(rollcall)
  return rollcall
}

async function worker(id: string): Promise<{ readonly rollcall: Rollcall; readonly shards: Shards }> {
  const rollcall = await client()
  await rollcall.register({ service: 'jobs', id, host: '127.0.0.1', port: 9, probe: { type: 'none' } })
  const service = rollcall.service('jobs')
  await service.ready()
  return { rollcall, shards: service.shards(SHARDS) }
}

const owners = (shards: Shards): (string | undefined)[] =>
  Array.from({ length: SHARDS }, (_, shard) => shards.owner(shard)?.id)

describe('sharing work', () => {
  it('gives each shard to one worker, and moves only those of who leaves', async () => {
    const workers = await Promise.all(['w1', 'w2', 'w3'].map((id) => worker(id)))
    const onlooker = (await client()).service('jobs')
    await onlooker.ready()
    const seen = onlooker.shards(SHARDS)
    const all = [seen, ...workers.map(({ shards }) => shards)]
    const agreed = (count: number): boolean =>
      all.every((shards) => new Set(owners(shards)).size === count) &&
      new Set(all.map((shards) => owners(shards).join())).size === 1
    await until(() => agreed(3), 'all agree')
    const before = owners(seen)
    const own = workers.flatMap(({ shards }) => shards.own())
    expect(own.sort((a, b) => a - b)).toEqual(before.map((_, shard) => shard))
    expect(seen.own()).toEqual([])

    const [leaver, stayer] = [workers[0]!, workers[1]!]
    const losses = leaver.shards.changes()
    expect((await losses.next()).value).toMatchObject({ lost: [] })
    const gains = stayer.shards.changes()
    await gains.next()
    const told = losses.next()
    await leaver.rollcall.close()
    expect((await told).value).toMatchObject({ own: [] })
    all.splice(1, 1)
    await until(() => agreed(2), 'the others agree')
    const after = owners(seen)
    expect(before.filter((id, shard) => id !== 'w1' && after[shard] !== id)).toEqual([])
    const { gained, lost } = (await gains.next()).value as { gained: number[]; lost: number[] }
    expect(lost).toEqual([])
    expect(gained.every((shard) => before[shard] === 'w1')).toBe(true)
  })

  it('takes the shards of a worker that was killed, and of no other', async () => {
    const killed = await start('provider-child.mjs', registry.ready, 'crashing')
    const survivor = await client()
    await survivor.register({
      service: 'crashing',
      id: 's',
      host: '127.0.0.1',
      port: 9,
      probe: { type: 'none' },
    })
    const shards = survivor.service('crashing').shards(SHARDS)
    await until(() => new Set(owners(shards)).size === 2, 'both have some')
    const before = shards.own()
    await end(killed, 'SIGKILL')
    await until(() => shards.own().length === SHARDS, 'the survivor has them all')
    expect(before.every((shard) => shards.owner(shard)?.id === 's')).toBe(true)
  })
})
