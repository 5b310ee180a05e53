/** Lists and what changed of them: a client that applies every delta has the list and the hash of a fresh one. */
import fc from 'fast-check'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { acceptsGzip } from './codec.js'
import { Lists } from './lists.js'
import { EurekaScene, type Told, type ToldList } from './scene.fixture.js'
import { statusOf } from './server-status.js'
import { hashOf, isStatus, STATUSES } from './statuses.js'

/** A client as Netflix' own is: it takes a delta over, and fetches everything where the hash says so. */
class Client {
  readonly instances = new Map<string, Told>()
  fetches = 0

  async fetch(scene: EurekaScene): Promise<void> {
    this.fetches++
    this.instances.clear()
    this.take(await scene.told('all'))
  }

  async update(scene: EurekaScene): Promise<void> {
    const delta = await scene.told('delta')
    this.take(delta)
    if (this.hash() !== delta.apps__hashcode) await this.fetch(scene)
  }

  private take({ application }: ToldList): void {
    for (const each of application.flatMap(({ instance }) => instance)) {
      const name = `${each.app}/${each.instanceId}`
      if (each.actionType === 'DELETED') this.instances.delete(name)
      else this.instances.set(name, each)
    }
  }

  hash(): string {
    const counts: Record<string, number> = {}
    for (const { status } of this.instances.values()) counts[status] = (counts[status] ?? 0) + 1
    return hashOf(counts)
  }

  shown(): unknown {
    return [...this.instances].map(([name, { status }]) => `${name} ${status}`).toSorted()
  }
}

const id = fc.constantFrom('a', 'b', 'c')
const app = fc.constantFrom('ORDERS', 'USERS')
const status = fc.constantFrom(...STATUSES)

type Operation = (scene: EurekaScene) => unknown

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(app, id, status).map(
    ([name, each, said]): Operation =>
      (scene) =>
        scene.register(each, { app: name, status: said }),
  ),
  fc.tuple(app, id).map(
    ([name, each]): Operation =>
      (scene) =>
        scene.commands.cancel(scene.asked(each, {}, name)),
  ),
  fc.tuple(app, id, status).map(
    ([name, each, value]): Operation =>
      (scene) =>
        scene.commands.putStatus(scene.asked(each, { value }, name)),
  ),
  fc.tuple(app, id).map(
    ([name, each]): Operation =>
      (scene) =>
        scene.commands.deleteStatus(scene.asked(each, {}, name)),
  ),
  fc.tuple(app, id).map(
    ([name, each]): Operation =>
      (scene) =>
        scene.commands.renew(scene.asked(each, {}, name)),
  ),
  id.map(
    (each): Operation =>
      (scene) =>
        scene.registerNative(`n-${each}`, { group: `g-${each}` }),
  ),
  id.map(
    (each): Operation =>
      (scene) =>
        scene.execute({
          kind: 'deregister',
          refs: [{ namespace: 'default', service: 'orders', group: `g-${each}`, id: `n-${each}` }],
        }),
  ),
  fc.integer({ min: 1, max: 60_000 }).map(
    (ms): Operation =>
      (scene) =>
        scene.pass(ms),
  ),
)

describe('a delta', () => {
  it('leads every client to the list of a fresh one, by whatever happened', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(operation, { maxLength: 5 }), { maxLength: 8 }), async (rounds) => {
        const scene = new EurekaScene()
        const client = new Client()
        await client.fetch(scene)
        for (const operations of rounds) {
          for (const run of operations) await run(scene)
          await client.update(scene)
          const fresh = new Client()
          await fresh.fetch(scene)
          expect(client.shown()).toEqual(fresh.shown())
          expect([
            fresh.hash(),
            [...fresh.instances.values()].every((each) => isStatus(each.status)),
          ]).toEqual([(await scene.told('all')).apps__hashcode, true])
        }
        expect(client.fetches).toBe(1)
      }),
      { numRuns: 150 },
    )
  })

  it('tells a change for three minutes, with all of what left, and then no more', async () => {
    const scene = new EurekaScene()
    await scene.registerNative('a')
    await scene.told('all')
    scene.pass(200_000)
    await scene.register('b')
    const { versions__delta } = await scene.told('delta')
    await scene.commands.cancel(scene.asked('b'))
    const told = await scene.told('delta')
    expect(Number(told.versions__delta)).toBeGreaterThan(Number(versions__delta))
    expect(told.application).toMatchObject([
      { name: 'ORDERS', instance: [{ instanceId: 'b', actionType: 'DELETED', status: 'UP' }] },
    ])
    scene.pass(170_000)
    expect((await scene.told('delta')).application).toHaveLength(1)
    scene.pass(20_000)
    expect(await scene.told('delta')).toMatchObject({ application: [] })
  })

  it('has each application once, those that left last', async () => {
    const scene = new EurekaScene()
    for (const each of ['a', 'b']) await scene.register(each)
    await scene.told('all')
    await scene.commands.cancel(scene.asked('a'))
    const { application } = await scene.told('delta')
    const told = application.map(({ name, instance }) => [name, instance.map(({ actionType }) => actionType)])
    expect(told).toEqual([['ORDERS', ['ADDED', 'DELETED']]])
  })

  it('tells what left as it was at last, whether or not it was looked at meanwhile', async () => {
    const scene = new EurekaScene()
    await scene.register('a')
    await scene.told('all')
    await scene.register('a', { status: 'DOWN' })
    await scene.commands.cancel(scene.asked('a'))
    expect((await scene.told('delta')).application).toMatchObject([
      { instance: [{ actionType: 'DELETED', status: 'DOWN' }] },
    ])
  })

  it('holds no more of what left than there is, and some', async () => {
    const scene = new EurekaScene()
    await scene.registerNative('stays')
    await scene.told('all')
    for (let at = 0; at < 10_100; at++) {
      await scene.register('comes', { instanceId: `i${at}` })
      await scene.caughtUp()
      await scene.commands.cancel(scene.asked(`i${at}`))
    }
    await scene.caughtUp()
    expect([...scene.applications.changed()]).toHaveLength(10_002)
  })

  it('has everything where the adapter has just begun to look', async () => {
    const scene = new EurekaScene()
    await scene.registerNative('a')
    scene.pass(300_000)
    await scene.register('b')
    expect((await scene.told('delta')).application).toMatchObject([{ instance: [{}, {}] }])
  })
})

it('a list is the same bytes for all, plain and compressed, until something changes', async () => {
  const scene = new EurekaScene()
  await scene.register('a')
  const first = await scene.list('all', 'xml')
  expect(await scene.list('all', 'xml')).toBe(first)
  const zipped = await Lists.zipped(first)
  expect(await Lists.zipped(first)).toBe(zipped)
  expect(gunzipSync(zipped.whole()).equals(first.body.whole())).toBe(true)
  await scene.register('b')
  expect((await scene.list('all', 'xml')).body.length).toBeGreaterThan(first.body.length)
})

it('a list that is not fetched any more is forgotten, and a long one is written in turns', async () => {
  const scene = new EurekaScene()
  for (let at = 0; at < 700; at++) await scene.register(`i${at}`, { app: `APP${at % 3}` })
  await scene.caughtUp()
  const writing = scene.lists.all('json')
  expect(writing).toBeInstanceOf(Promise)
  expect(scene.lists.all('json')).toBe(writing)
  const written = await scene.finished(writing)
  expect(JSON.parse(String(written.body.whole()))).toMatchObject({
    applications: { apps__hashcode: 'UP_700_' },
  })
  scene.clock.advance(90_000)
  expect(scene.lists.all('json')).toBeInstanceOf(Promise)
})

it('a list that takes long to write is good for ten times that, and no longer than two fetches of a client', async () => {
  const scene = new EurekaScene()
  for (let at = 0; at < 700; at++) await scene.register(`i${at}`)
  await scene.caughtUp()
  let now = 0
  const clock = {
    now: () => now,
    wallNow: () => now,
    // Each turn takes seven seconds.
    setTimer: (ms: number, run: () => void) =>
      scene.clock.setTimer(ms, () => {
        now += 7_000
        run()
      }),
  }
  const { applications } = scene
  const lists = new Lists({ clock, applications }, { idleMs: Infinity, deltaMs: 180_000 })
  const first = await scene.finished(lists.all('json'))
  await scene.register('late')
  await scene.caughtUp()
  now += 59_000
  expect(lists.all('json')).toBe(first)
  now += 2_000
  expect(await scene.finished(lists.all('json'))).not.toBe(first)
})

it('instances are found by each of their virtual addresses', async () => {
  const scene = new EurekaScene()
  await scene.register('a', { vipAddress: 'one,two', secureVipAddress: 'safe' })
  await scene.register('b', { app: 'USERS', vipAddress: 'two', status: 'DOWN' })
  await scene.caughtUp()
  const found = async (vip: string, secure = false): Promise<string> => {
    const { body } = await scene.finished(scene.lists.vip(vip, secure, 'json'))
    const { applications } = JSON.parse(String(body.whole())) as { applications: ToldList }
    expect(applications.versions__delta).toBe('-1')
    return `${applications.apps__hashcode} ${applications.application.map(({ name }) => name).join()}`
  }
  expect(await found('one')).toBe('UP_1_ ORDERS')
  expect(await found('two')).toBe('DOWN_1_UP_1_ ORDERS,USERS')
  expect(await found('one,two')).toBe(' ')
  expect(await found('safe')).toBe(' ')
  expect(await found('safe', true)).toBe('UP_1_ ORDERS')
})

it('lists of addresses that nobody has hold a bounded number of bytes, their names included', async () => {
  const scene = new EurekaScene()
  await scene.register('a', { vipAddress: 'one' })
  await scene.caughtUp()
  const ask = (vip: string): Promise<unknown> => scene.finished(scene.lists.vip(vip, false, 'json'))
  const first = await ask('one')
  expect(await ask('one')).toBe(first)
  // 64 MiB, of which each takes 16 KB for its name, and 2 for what it is.
  for (let index = 0; index < 3_800; index++) await ask(String(index).padEnd(16_000, 'x'))
  expect(await ask('one')).not.toBe(first)
})

describe('the status of the node', () => {
  const told = async (scene: EurekaScene): Promise<Readonly<Record<string, string>>> => {
    await scene.caughtUp()
    const text = statusOf(scene.applications, scene.renewals, scene.read, 'json')
    return (JSON.parse(text) as { applicationStats: Record<string, string> }).applicationStats
  }

  it('expects renewals of those that ever renewed here', async () => {
    const scene = new EurekaScene()
    for (let at = 0; at < 14; at++) await scene.register(`i${at}`)
    await scene.caughtUp()
    const beat = (count: number): void => {
      for (let at = 0; at < count; at++) scene.commands.renew(scene.asked(`i${at}`))
    }
    for (let beats = 0; beats < 4; beats++) {
      beat(10)
      scene.pass(30_000)
    }
    const well = { numOfRenewsPerMinThreshold: '17', numOfRenewsInLastMin: '20', isBelowRenewThresold: '0' }
    expect(await told(scene)).toMatchObject({ ...well, leaseExpirationEnabled: 'true' })
    // Those that stop are expected still.
    scene.pass(60_000)
    expect(await told(scene)).toMatchObject({
      numOfRenewsPerMinThreshold: '17',
      numOfRenewsInLastMin: '0',
      isBelowRenewThresold: '1',
      leaseExpirationEnabled: 'false',
    })
  })

  it('has an element for each figure in XML', async () => {
    const scene = new EurekaScene()
    await scene.caughtUp()
    const text = statusOf(scene.applications, scene.renewals, scene.read, 'xml')
    expect(text).toContain('<numOfRenewsPerMinThreshold>0</numOfRenewsPerMinThreshold>')
  })
})

it.each([
  [undefined, false],
  ['gzip', true],
  ['gzip, x-gzip, deflate', true],
  ['deflate, GZIP;q=0.5', true],
  ['gzip;q=0', false],
  ['identity', false],
])('Accept-Encoding %s: compressed %s', (accepted, zipped) => {
  expect(acceptsGzip(accepted)).toBe(zipped)
})
