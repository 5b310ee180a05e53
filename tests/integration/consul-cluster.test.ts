/** Clients of Consul with several nodes: each answers as the same agent, and any of them takes the beats of an instance. */
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { startCluster, type TestCluster } from './support/cluster.js'
import { findEtcd } from './support/guests/etcd.js'

let cluster: TestCluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

type Health = readonly {
  readonly Node: { readonly ID: string }
  readonly Checks: readonly { readonly Status: string }[]
}[]

it('a service registers at one node, beats at another, and leaves at a third', async (context) => {
  cluster = await startCluster({
    program: await findEtcd(context, 'debian'),
    args: ['--consul', '127.0.0.1:0'],
  })
  const bases: string[] = []
  for (const node of cluster.nodes) bases.push((await node.server.written(/^consul at (http:\S+)/m))[1] ?? '')
  const [first, second, third] = bases as [string, string, string]
  const put = async (base: string, path: string, body?: object): Promise<number> =>
    (await fetch(`${base}/v1${path}`, { method: 'PUT', ...(body && { body: JSON.stringify(body) }) })).status
  const passing = async (): Promise<readonly number[]> => {
    const lists = bases.map(async (base) => {
      const answer = await fetch(`${base}/v1/health/service/web?passing=true`)
      return ((await answer.json()) as Health).length
    })
    return Promise.all(lists)
  }
  const Check = { TTL: '3s' }
  expect(await put(first, '/agent/service/register', { Name: 'web', ID: 'w', Port: 80, Check })).toBe(200)
  await expect.poll(passing).toEqual([0, 0, 0])
  await expect.poll(() => put(second, '/agent/check/pass/service:w')).toBe(200)
  await expect.poll(passing).toEqual([1, 1, 1])
  for (let beats = 0; beats < 8; beats++) {
    await pause(1_000)
    expect(await put(second, '/agent/check/pass/service:w')).toBe(200)
    expect(await passing()).toEqual([1, 1, 1])
  }
  const nodes = await Promise.all(
    bases.map(
      async (base) => ((await (await fetch(`${base}/v1/health/service/web`)).json()) as Health)[0]?.Node.ID,
    ),
  )
  expect(new Set(nodes).size).toBe(1)
  // No more beats: the node that judges it says so, and the others go by its verdict.
  await expect.poll(passing).toEqual([0, 0, 0])
  expect(await put(third, '/agent/service/deregister/w')).toBe(200)
  await expect
    .poll(async () => (await (await fetch(`${first}/v1/health/service/web`)).json()) as Health)
    .toEqual([])
})
