/** Clients of Eureka with several nodes: any of them takes the renewals of an instance, and a client goes on when its node is gone. */
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { startCluster, type TestCluster } from './support/cluster.js'
import { changedSince, revisionOf } from './support/engine-writes.js'
import {
  createJsClient,
  foundAt,
  instanceOf,
  registerAt,
  startClient,
  stopClient,
} from './support/eureka/client.js'
import { findEtcd } from './support/guests/etcd.js'
import { findPackage } from './support/guests/npm-package.js'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

async function start(program: string): Promise<{ cluster: TestCluster; bases: [string, string, string] }> {
  const cluster = await startCluster({ program, args: ['--eureka', '127.0.0.1:0'] })
  cleanUp.push(() => cluster.close())
  const bases: string[] = []
  for (const node of cluster.nodes)
    bases.push(`${(await node.server.written(/^eureka at (http:\S+)/m))[1] ?? ''}/eureka`)
  return { cluster, bases: bases as [string, string, string] }
}

/** What each node says of the instances of ORDERS. */
function statuses(bases: readonly string[]): Promise<readonly string[]> {
  return Promise.all(
    bases.map(async (base) => {
      const found = await foundAt(base)
      return found
        .map(({ instanceId, status }) => `${instanceId} ${status}`)
        .toSorted()
        .join()
    }),
  )
}

interface Applications {
  readonly apps__hashcode: string
  readonly application: readonly {
    readonly instance: readonly { readonly instanceId: string; readonly actionType: string }[]
  }[]
}

async function listAt(base: string, path: string): Promise<Applications> {
  const answer = await fetch(base + path, { headers: { accept: 'application/json' } })
  return ((await answer.json()) as { applications: Applications }).applications
}

it('what registers at one node renews at all of them in turn, and no renewal is written', async (context) => {
  const { cluster, bases } = await start(await findEtcd(context, 'debian'))
  const [first, second, third] = bases
  const said = { leaseInfo: { durationInSecs: 3 }, lastDirtyTimestamp: '1700000000000' }
  expect(await registerAt(first, 'a', said)).toBe(204)
  await expect.poll(() => statuses(bases)).toEqual(['a UP', 'a UP', 'a UP'])
  const agreed = (): Promise<number> => cluster.agree('orders', 1)
  await agreed()
  const before = await revisionOf(cluster.etcd)
  for (let turn = 0; turn < 12; turn++) {
    await pause(500)
    const query = '?status=UP&lastDirtyTimestamp=1700000000000'
    const { status } = await fetch(`${bases[turn % 3]}/apps/ORDERS/a${query}`, { method: 'PUT' })
    expect([turn, status, await statuses(bases)]).toEqual([turn, 200, ['a UP', 'a UP', 'a UP']])
  }
  // As a client does that had to change the server.
  for (const base of bases) expect(await registerAt(base, 'a', said)).toBe(204)
  expect(await changedSince(cluster.etcd, before)).toEqual([])

  await fetch(`${second}/apps/ORDERS/a/metadata?zone=b`, { method: 'PUT' })
  const changed = async (): Promise<unknown> => {
    const found = await foundAt(third)
    return found.map(({ metadata }) => metadata['zone'])
  }
  await expect.poll(changed).toEqual(['b'])
  expect((await fetch(`${third}/apps/ORDERS/a`, { method: 'DELETE' })).status).toBe(200)
  await expect.poll(() => statuses(bases)).toEqual(['', '', ''])
  for (const base of bases) {
    const { apps__hashcode, application } = await listAt(base, '/apps/delta')
    const told = application.flatMap(({ instance }) => instance)
    expect([apps__hashcode, told.map(({ actionType }) => actionType)]).toEqual(['', ['DELETED']])
  }
})

it('no node says DOWN before the lease is over, and all say so then, wherever it was heard', async (context) => {
  const { bases } = await start(await findEtcd(context, 'debian'))
  const leaseMs = 6_000
  expect(
    await registerAt(bases[0], 'a', { leaseInfo: { durationInSecs: leaseMs / 1_000 }, port: { $: 1 } }),
  ).toBe(204)
  await expect.poll(() => statuses(bases)).toEqual(['a UP', 'a UP', 'a UP'])
  const renew = async (base: string): Promise<void> =>
    expect((await fetch(`${base}/apps/ORDERS/a`, { method: 'PUT' })).status).toBe(200)
  // The others heard it long before its last renewal.
  await renew(bases[1])
  await renew(bases[2])
  for (let beats = 0; beats < 3; beats++) {
    await pause(leaseMs / 3)
    await renew(bases[0])
  }
  const heardAt = performance.now()
  const downAfter: (number | undefined)[] = [undefined, undefined, undefined]
  const goneAfter: (number | undefined)[] = [undefined, undefined, undefined]
  while (goneAfter.includes(undefined) && performance.now() - heardAt < 10 * leaseMs) {
    const seen = await statuses(bases)
    const after = performance.now() - heardAt
    for (const [index, each] of seen.entries()) {
      if (each === 'a DOWN') downAfter[index] ??= after
      if (each === '') goneAfter[index] ??= after
    }
    await pause(100)
  }
  for (const after of downAfter) expect(after).toBeGreaterThan(leaseMs - 600)
  for (const after of goneAfter) expect(after).toBeGreaterThan(2 * leaseMs - 600)
})

it('a client whose node is killed goes on with the next one, and its instance is UP at the others all the time', async (context) => {
  const folder = await findPackage(context, 'eureka-js-client', '4.5.0')
  const { cluster, bases } = await start(await findEtcd(context, 'debian'))
  const client = createJsClient(folder, instanceOf('js', { leaseInfo: { durationInSecs: 4 } }), {
    serviceUrls: { default: bases.map((base) => `${base}/apps/`) },
    heartbeatInterval: 500,
    registryFetchInterval: 500,
    requestRetryDelay: 20,
  })
  await startClient(client)
  cleanUp.push(() => stopClient(client))
  await expect.poll(() => statuses(bases)).toEqual(['js UP', 'js UP', 'js UP'])
  await cluster.nodes[0]?.kill()
  const rest = bases.slice(1)
  const seen = new Set<string>()
  // The key of the node ends after ten seconds, and others take over what it judged.
  for (const end = performance.now() + 20_000; performance.now() < end; await pause(200))
    for (const each of await statuses(rest)) seen.add(each)
  expect([...seen]).toEqual(['js UP'])
  // The client takes two of one host and port for one.
  expect(await registerAt(bases[2], 'late', { port: { $: 3_001 } })).toBe(204)
  const ids = (): readonly string[] =>
    client
      .getInstancesByAppId('ORDERS')
      .map(({ instanceId }) => instanceId)
      .toSorted()
  await expect.poll(ids).toEqual(['js', 'late'])
})
