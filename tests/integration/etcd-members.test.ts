/** The etcd that other tests run: what is done to its members is what they say. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startEtcd, type EtcdCluster } from '@rollcall/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { describeEtcd } from './support/guests/etcd.js'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const put = (cluster: EtcdCluster, key: string): Promise<unknown> =>
  cluster.ask('/v3/kv/put', { key: base64(key), value: base64('value') })

/** How many keys there are, and at which revision. */
async function state(cluster: EtcdCluster): Promise<readonly [number, number]> {
  const all = { key: base64('\0'), range_end: base64('\0'), count_only: true }
  const answer = (await cluster.ask('/v3/kv/range', all)) as { count?: string; header: { revision: string } }
  return [Number(answer.count ?? 0), Number(answer.header.revision)]
}

await describeEtcd(['debian'], (_version, program) => {
  it('elects another leader, goes back to a backup, and begins with nothing', async () => {
    await using cluster = await startEtcd({ program })
    await put(cluster, 'a')
    const backup = await cluster.backup()
    const leader = await cluster.leader()
    await leader.kill()
    expect((await cluster.leader()).endpoint).not.toBe(leader.endpoint)
    await put(cluster, 'b')
    await cluster.startAll()
    expect(await state(cluster)).toEqual([2, 3])
    await cluster.restore(backup)
    expect(await state(cluster)).toEqual([1, 2])
    await cluster.wipe()
    expect(await state(cluster)).toEqual([0, 1])
  })

  it('ends with the process that started it, even when that is killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-etcd-child-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('support/etcd-child.mjs', import.meta.url)), program],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TMPDIR: folder } },
    )
    const [pid] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
    expect(isAlive(Number(pid))).toBe(true)
    child.kill('SIGKILL')
    await expect.poll(() => isAlive(Number(pid))).toBe(false)
  })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
