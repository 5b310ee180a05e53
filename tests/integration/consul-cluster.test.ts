/**
 * Clients of Consul with several nodes: each answers as the same agent, any of them takes the beats of an instance, and what one
 * of them had to do another one does when it is lost.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, it, type TestContext } from 'vitest'
import { startCluster, type TestCluster } from './support/cluster.js'
import { findEtcd } from './support/guests/etcd.js'
import { until } from './support/processes.js'

let cluster: TestCluster | undefined
const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0)) await step()
  await cluster?.close()
  cluster = undefined
})

type Health = readonly {
  readonly Node: { readonly ID: string }
  readonly Service: { readonly ID: string }
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[]
}[]

/** Where the nodes serve Consul's clients. */
async function start(
  context: TestContext,
): Promise<{ readonly cluster: TestCluster; readonly bases: readonly [string, string, string] }> {
  const own = await startCluster({
    program: await findEtcd(context, 'debian'),
    args: ['--consul', '127.0.0.1:0'],
  })
  cluster = own
  const bases: string[] = []
  for (const node of own.nodes) bases.push((await node.server.written(/^consul at (http:\S+)/m))[1] ?? '')
  return { cluster: own, bases: bases as unknown as readonly [string, string, string] }
}

const put = async (base: string, path: string, body?: object | string): Promise<number> => {
  const text = typeof body === 'object' ? JSON.stringify(body) : body
  return (await fetch(`${base}/v1${path}`, { method: 'PUT', ...(text !== undefined && { body: text }) }))
    .status
}

const health = async (base: string, service: string, query = ''): Promise<Health> =>
  (await (await fetch(`${base}/v1/health/service/${service}?${query}`)).json()) as Health

const passing = (bases: readonly string[], service: string): Promise<readonly number[]> =>
  Promise.all(bases.map(async (base) => (await health(base, service, 'passing=true')).length))

it('a service registers at one node, beats at another, and leaves at a third', async (context) => {
  const { bases } = await start(context)
  const [first, second, third] = bases
  const Check = { TTL: '3s' }
  expect(await put(first, '/agent/service/register', { Name: 'web', ID: 'w', Port: 80, Check })).toBe(200)
  await expect.poll(() => passing(bases, 'web')).toEqual([0, 0, 0])
  await expect.poll(() => put(second, '/agent/check/pass/service:w')).toBe(200)
  await expect.poll(() => passing(bases, 'web')).toEqual([1, 1, 1])
  for (let beats = 0; beats < 8; beats++) {
    await pause(1_000)
    expect(await put(second, '/agent/check/pass/service:w')).toBe(200)
    expect(await passing(bases, 'web')).toEqual([1, 1, 1])
  }
  const nodes = await Promise.all(bases.map(async (base) => (await health(base, 'web'))[0]?.Node.ID))
  expect(new Set(nodes).size).toBe(1)
  // No more beats: the node that judges it says so, and the others go by its verdict.
  await expect.poll(() => passing(bases, 'web')).toEqual([0, 0, 0])
  expect(await put(third, '/agent/service/deregister/w')).toBe(200)
  await expect.poll(() => health(first, 'web')).toEqual([])
})

it('a client whose requests go to each node in turn waits for news, and has it soon', async (context) => {
  const { bases } = await start(context)
  expect(await put(bases[0], '/agent/service/register', { Name: 'web', ID: 'w', Port: 80 })).toBe(200)
  await expect.poll(() => passing(bases, 'web')).toEqual([1, 1, 1])
  let asked = 0
  let going = true
  const seen: { readonly at: number; readonly ids: string }[] = []
  const client = (async (): Promise<void> => {
    let index = '0'
    for (let turn = 0; going; turn++) {
      const base = bases[turn % 3]
      const answer = await fetch(`${base}/v1/health/service/web?index=${index}&wait=20s`)
      index = answer.headers.get('x-consul-index') ?? '0'
      asked++
      const ids = ((await answer.json()) as Health).map(({ Service }) => Service.ID).sort()
      seen.push({ at: performance.now(), ids: ids.join() })
    }
  })()
  await pause(6_000)
  const idle = asked
  // Without a change a client that spins asks thousands of times.
  expect(idle).toBeLessThan(10)
  const changedAt = performance.now()
  expect(await put(bases[1], '/agent/service/register', { Name: 'web', ID: 'x', Port: 81 })).toBe(200)
  await expect.poll(() => seen.at(-1)?.ids).toBe('w,x')
  const heard = seen.find(({ ids }) => ids === 'w,x')
  expect((heard?.at ?? Infinity) - changedAt).toBeLessThan(5_000)
  expect(asked - idle).toBeLessThan(20)
  going = false
  await put(bases[2], '/agent/service/deregister/x')
  await client
})

it('the node that made the checks is killed: another one makes them, and no living instance is critical', async (context) => {
  const { cluster: own, bases } = await start(context)
  const [first, second, third] = bases
  const endpoint = createServer((_request, response) => response.end('fine'))
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve))
  cleanUp.push(() => endpoint.close())
  const { port } = endpoint.address() as AddressInfo
  const service = (ID: string, Check: object): object => ({
    Name: 'web',
    ID,
    Address: '127.0.0.1',
    Port: port,
    Check,
  })
  const Check = { HTTP: `http://127.0.0.1:${port}/`, Interval: '1s', Timeout: '1s' }
  expect(await put(first, '/agent/service/register', service('asked', Check))).toBe(200)
  expect(await put(first, '/agent/service/register', service('beating', { TTL: '5s' }))).toBe(200)
  expect(await put(first, '/kv/fabio/config', 'route add web / http://x')).toBe(200)
  let beatAt = first
  let going = true
  const beats = (async (): Promise<void> => {
    for (; going; await pause(2_500))
      await put(beatAt, '/agent/check/pass/service:beating').catch(() => undefined)
  })()
  await expect.poll(() => passing(bases, 'web')).toEqual([2, 2, 2])
  await own.nodes[0]?.kill()
  beatAt = second
  const left = [second, third]
  for (const end = performance.now() + 20_000; performance.now() < end; await pause(200))
    expect(await passing(left, 'web')).toEqual([2, 2])
  // What clients have kept is there as well.
  for (const base of left)
    expect(await (await fetch(`${base}/v1/kv/fabio/config?raw`)).text()).toBe('route add web / http://x')
  endpoint.closeAllConnections()
  endpoint.close()
  await expect.poll(() => passing(left, 'web'), { timeout: 10_000 }).toEqual([1, 1])
  const native = async (id: string): Promise<string | undefined> =>
    (await own.nodes[1]?.view('web'))?.instances.find((instance) => instance.id === id)?.state
  await expect.poll(() => native('asked')).toBe('down')
  going = false
  await beats
  // Nor is it forgotten that a TTL runs out.
  await expect.poll(() => passing(left, 'web'), { timeout: 10_000 }).toEqual([0, 0])
})

it('islands take no silence for death, and clients still register, are found and keep their settings', async (context) => {
  const { cluster: own, bases } = await start(context)
  const [first, second] = bases
  const Check = { TTL: '3s' }
  for (const [base, ID] of [
    [first, 'a'],
    [second, 'b'],
  ] as const)
    expect(await put(base, '/agent/service/register', { Name: 'web', ID, Port: 80, Check })).toBe(200)
  const beat = async (): Promise<readonly number[]> => [
    await put(first, '/agent/check/pass/service:a'),
    await put(second, '/agent/check/pass/service:b'),
  ]
  await expect.poll(beat).toEqual([200, 200])
  await expect.poll(() => passing(bases, 'web')).toEqual([2, 2, 2])
  await own.etcd.killAll()
  const isIsland = async (): Promise<boolean> => {
    const clusters = await Promise.all(own.nodes.map((node) => node.cluster()))
    return clusters.every(({ engine }) => engine.state !== 'connected')
  }
  for (let waited = 0; !(await isIsland()); waited++) {
    expect(waited).toBeLessThan(60)
    await beat()
    await pause(500)
  }
  // From here on nothing beats.
  for (const end = performance.now() + 8_000; performance.now() < end; await pause(500))
    expect(await passing([first], 'web')).toEqual([2])
  expect(await put(first, '/agent/service/register', { Name: 'other', ID: 'o', Port: 80 })).toBe(200)
  expect(await passing([first], 'other')).toEqual([1])
  expect(await put(first, '/kv/k', 'v')).toBe(200)
  await own.etcd.startAll()
  await until(
    async () => (await passing(bases, 'other')).every((count) => count === 1),
    'all know it',
    60_000,
  )
  await expect.poll(async () => (await fetch(`${second}/v1/kv/k?raw`)).text(), { timeout: 20_000 }).toBe('v')
})
