/** What Eureka's clients do to the registry, by the rules of Eureka's own server. */
import { describe, expect, it } from 'vitest'
import { EurekaScene, instanceOf } from './scene.fixture.js'
import { readSaid } from './reading.js'

describe('a registration', () => {
  it('is an instance of the service in lower case, with its lease and zone, and says by what it came', async () => {
    const scene = new EurekaScene()
    await scene.register('h:orders:1', {
      metadata: { zone: 'eu-1', version: '2' },
      leaseInfo: { durationInSecs: 20 },
      securePort: { $: 8_443, '@enabled': false },
    })
    const key = { namespace: 'default', service: 'orders', group: 'default', id: 'h:orders:1' }
    expect(scene.read.instance(key)).toMatchObject({
      host: '10.0.0.1',
      port: 8_080,
      protocol: 'http',
      zone: 'eu-1',
      metadata: { zone: 'eu-1', version: '2' },
      state: 'up',
      via: 'eureka',
    })
    expect(scene.read.offer(key)?.content.leaseMs).toBe(20_000)
    expect(scene.read.events({}).events.at(-1)).toMatchObject({ kind: 'registered', via: 'eureka' })
  })

  it('has the secure port where that alone is enabled, and the address where the name is no host', async () => {
    const scene = new EurekaScene()
    await scene.register('a', {
      hostName: 'my host',
      port: { $: 8_080, '@enabled': false },
      securePort: { $: 8_443, '@enabled': true },
    })
    const key = { namespace: 'default', service: 'orders', group: 'default', id: 'a' }
    expect(scene.read.instance(key)).toMatchObject({ host: '10.0.0.1', port: 8_443, protocol: 'https' })
    expect(await scene.instance('a')).toMatchObject({ hostName: 'my host', ipAddr: '10.0.0.1' })
  })

  it('that says the same writes nothing', async () => {
    const scene = new EurekaScene()
    const said = { lastDirtyTimestamp: '1700000000000', metadata: { a: '1', b: '2' } }
    await scene.register('a', said)
    const { body } = await scene.list('all')
    const index = scene.read.index({ namespace: 'default' })
    scene.pass(1_000)
    await scene.register('a', { ...said, metadata: { b: '2', a: '1' } })
    expect(scene.read.index({ namespace: 'default' })).toBe(index)
    expect((await scene.list('all')).body.whole().equals(body.whole())).toBe(true)
  })

  it('that is older than what is stored renews and changes nothing; a newer one counts', async () => {
    const scene = new EurekaScene()
    await scene.register('a', { lastDirtyTimestamp: 20, metadata: { v: 'new' } })
    await scene.register('a', { lastDirtyTimestamp: 10, metadata: { v: 'old' } })
    expect(await scene.instance('a')).toMatchObject({ metadata: { v: 'new' }, lastDirtyTimestamp: '20' })
    await scene.register('a', { lastDirtyTimestamp: 30, metadata: { v: 'newer' } })
    expect(await scene.instance('a')).toMatchObject({ metadata: { v: 'newer' } })
  })

  it.each([
    ['Missing instanceId', { instanceId: '', hostName: '' }],
    ['Missing hostname', { hostName: null }],
    ['Missing ip address', { ipAddr: undefined }],
    ['Missing appName', { app: '' }],
    ['Missing dataCenterInfo', { dataCenterInfo: null }],
    ['Missing dataCenterInfo Name', { dataCenterInfo: { '@class': 'a' } }],
  ])('is refused: %s', async (message, more) => {
    const scene = new EurekaScene()
    const said = readSaid(instanceOf('a', more))
    await expect(
      scene.commands.register('ORDERS', said, { principal: { kind: 'anonymous' } }),
    ).rejects.toThrow(message)
    expect(scene.read.services({}).services).toEqual([])
  })

  it('is refused for another application, a name without end, and more than is kept', async () => {
    const scene = new EurekaScene()
    const register = (app: string, more: object): Promise<void> =>
      scene.commands.register(app, readSaid(instanceOf('a', more)), { principal: { kind: 'anonymous' } })
    await expect(register('OTHER', {})).rejects.toThrow('Mismatched appName')
    await expect(register('x'.repeat(200), { app: 'x'.repeat(200) })).rejects.toThrow('too long')
    await expect(register('ORDERS', { instanceId: '\ud800' })).rejects.toThrow('no Unicode')
    await expect(register('ORDERS', { homePageUrl: 'x'.repeat(17_000) })).rejects.toThrow('16384 bytes')
    await expect(register('ORDERS', { metadata: { '': 'x' } })).rejects.toThrow('empty key')
    expect(scene.read.services({}).services).toEqual([])
  })

  it('takes any text for an id, and is known by it again', async () => {
    const scene = new EurekaScene()
    for (const id of ['a b/c#d', 'h:svc:80', 'né', '_.a_20b']) {
      await scene.register(id)
      expect(await scene.instance(id)).toMatchObject({ instanceId: id })
      expect(scene.commands.renew(scene.asked(id))).toBe(200)
      expect(await scene.commands.cancel(scene.asked(id))).toBe(200)
    }
  })
})

describe('a renewal', () => {
  it('keeps an instance; without one it is down when its lease is over, and one brings it back', async () => {
    const scene = new EurekaScene()
    await scene.register('a')
    for (let beat = 0; beat < 5; beat++) {
      scene.pass(30_000)
      expect(scene.commands.renew(scene.asked('a', {}, 'orders'))).toBe(200)
    }
    expect(await scene.instance('a')).toMatchObject({ status: 'UP' })
    // The breaker of a service keeps its last one: a second that lives lets the first go.
    await scene.register('b')
    for (let beat = 0; beat < 5; beat++) {
      scene.pass(30_000)
      scene.commands.renew(scene.asked('b'))
    }
    expect(await scene.instance('a')).toMatchObject({ status: 'DOWN' })
    expect(scene.commands.renew(scene.asked('a'))).toBe(200)
    expect(await scene.instance('a')).toMatchObject({ status: 'UP' })
  })

  it('is missed by the only instance of a service too: DOWN after its lease, gone after twice that, and back with the next', async () => {
    const scene = new EurekaScene()
    await scene.register('a')
    await scene.registerNative('n', { service: 'users' })
    scene.pass(80_000)
    expect([(await scene.instance('a'))?.status, scene.state('a')]).toEqual(['UP', 'suspect'])
    scene.pass(20_000)
    expect([(await scene.instance('a'))?.status, scene.state('a')]).toEqual(['DOWN', 'suspect'])
    expect(await scene.told('delta')).toMatchObject({ apps__hashcode: 'DOWN_1_UP_1_' })
    scene.pass(70_000)
    expect(await scene.instance('a')).toMatchObject({ status: 'DOWN' })
    scene.pass(20_000)
    expect([await scene.instance('a'), scene.state('a')]).toEqual([undefined, 'suspect'])
    const { apps__hashcode, application } = await scene.told('delta')
    const deleted = expect.objectContaining({ instanceId: 'a', actionType: 'DELETED' }) as unknown
    expect([apps__hashcode, application.at(-1)]).toMatchObject(['UP_1_', { instance: [deleted] }])
    expect(scene.commands.renew(scene.asked('a'))).toBe(200)
    expect([(await scene.instance('a'))?.status, scene.state('a')]).toEqual(['UP', 'up'])
  })

  it('is missed for long by one that the registry takes down later: that shows nothing again', async () => {
    const scene = new EurekaScene()
    await scene.register('a')
    scene.pass(200_000)
    expect(await scene.instance('a')).toBeUndefined()
    scene.pass(450_000)
    expect([scene.state('a'), (await scene.told('all')).apps__hashcode]).toEqual(['down', ''])
    scene.pass(200_000)
    expect([scene.state('a'), (await scene.told('delta')).application]).toEqual([undefined, []])
  })

  /** Ten that renewed, of which some stop; another application goes on, so that the node trusts its ears. */
  async function fleet(stopping: number, unrenewed = 0): Promise<EurekaScene> {
    const scene = new EurekaScene()
    for (let at = 0; at < unrenewed; at++) await scene.register(`never-${at}`)
    for (let at = 0; at < 10; at++) await scene.register(`i${at}`)
    for (let at = 0; at < 100; at++) await scene.register(`o${at}`, { app: 'OTHERS' })
    const beat = (from: number): void => {
      for (let at = from; at < 10; at++) scene.commands.renew(scene.asked(`i${at}`))
      for (let at = 0; at < 100; at++) scene.commands.renew(scene.asked(`o${at}`, {}, 'OTHERS'))
    }
    scene.pass(20_000)
    beat(0)
    for (let passed = 0; passed < 240_000; passed += 30_000) {
      scene.pass(30_000)
      beat(stopping)
      await scene.told('all')
    }
    return scene
  }

  async function statuses(scene: EurekaScene, prefix: string): Promise<readonly string[]> {
    const { application } = await scene.told('all')
    const all = application.flatMap(({ instance }) => instance)
    return all.filter(({ instanceId }) => instanceId.startsWith(prefix)).map(({ status }) => status)
  }

  it('that two of ten miss takes them away; that five miss takes three down and removes none', async () => {
    expect(await statuses(await fleet(2), 'i')).toEqual(Array(8).fill('UP'))
    const five = await statuses(await fleet(5), 'i')
    expect(five.toSorted()).toEqual([...Array<string>(3).fill('DOWN'), ...Array<string>(7).fill('UP')])
  })

  it('that never came is missed by any number, which is no share of those that renewed', async () => {
    const scene = await fleet(2, 9)
    expect([await statuses(scene, 'never'), await statuses(scene, 'i')]).toEqual([[], Array(8).fill('UP')])
  })

  it('that a whole registry misses takes none of them down: the node doubts its ears', async () => {
    const scene = new EurekaScene()
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']) await scene.register(id)
    scene.pass(400_000)
    expect((await scene.told('all')).apps__hashcode).toBe('UP_10_')
  })

  it('is not missed while the namespace is frozen', async () => {
    const scene = new EurekaScene()
    await scene.register('a')
    await scene.execute({ kind: 'freeze', namespace: 'default', by: 'ann' })
    scene.pass(300_000)
    expect(await scene.instance('a')).toMatchObject({ status: 'UP' })
  })

  it('is 404 for what is not known, was cancelled, or is dirtier than what is stored', async () => {
    const scene = new EurekaScene()
    expect(scene.commands.renew(scene.asked('a'))).toBe(404)
    await scene.register('a', { lastDirtyTimestamp: 10 })
    expect(scene.commands.renew(scene.asked('a', { status: 'DOWN', lastDirtyTimestamp: '10' }))).toBe(200)
    expect(scene.commands.renew(scene.asked('a', { lastDirtyTimestamp: '9' }))).toBe(200)
    expect(scene.commands.renew(scene.asked('a', { lastDirtyTimestamp: '11' }))).toBe(404)
    expect(await scene.instance('a')).toMatchObject({ status: 'UP' })
    expect(await scene.commands.cancel(scene.asked('a'))).toBe(200)
    expect(await scene.commands.cancel(scene.asked('a'))).toBe(404)
    expect(scene.commands.renew(scene.asked('a'))).toBe(404)
  })
})

describe('the status', () => {
  it('of an instance that is up stays so when it says OUT_OF_SERVICE, and changes when it says DOWN or STARTING', async () => {
    const scene = new EurekaScene()
    const says = async (status: string): Promise<unknown> => {
      await scene.register('a', { status })
      return [(await scene.instance('a'))?.status, scene.state('a')]
    }
    expect(await says('UP')).toEqual(['UP', 'up'])
    expect(await says('OUT_OF_SERVICE')).toEqual(['UP', 'up'])
    expect(await says('DOWN')).toEqual(['DOWN', 'draining'])
    expect(await says('UP')).toEqual(['UP', 'up'])
    expect(await says('STARTING')).toEqual(['STARTING', 'starting'])
    expect(await says('OUT_OF_SERVICE')).toEqual(['OUT_OF_SERVICE', 'draining'])
    expect(await says('UP')).toEqual(['OUT_OF_SERVICE', 'draining'])
  })

  it('is overridden as operators drain, survives a registration, and is unknown when that is taken back', async () => {
    const scene = new EurekaScene()
    await scene.register('a')
    expect(await scene.commands.putStatus(scene.asked('a', { value: 'OUT_OF_SERVICE' }))).toBe(200)
    expect(scene.state('a')).toBe('draining')
    expect(scene.read.overrides({}).overrides).toMatchObject([{ id: 'a', drain: true, by: 'eureka' }])
    await scene.register('a', { lastDirtyTimestamp: 5 })
    expect(await scene.instance('a')).toMatchObject({
      status: 'OUT_OF_SERVICE',
      overriddenStatus: 'OUT_OF_SERVICE',
    })
    expect(scene.commands.renew(scene.asked('a'))).toBe(200)
    expect(await scene.commands.deleteStatus(scene.asked('a'))).toBe(200)
    expect(await scene.instance('a')).toMatchObject({ status: 'UNKNOWN', overriddenStatus: 'UNKNOWN' })
    expect(scene.commands.renew(scene.asked('a'))).toBe(404)
    await scene.register('a')
    expect(await scene.instance('a')).toMatchObject({ status: 'UP' })
    expect(scene.read.overrides({}).overrides).toEqual([])
  })

  it('may be taken back with a value, and overridden with any', async () => {
    const scene = new EurekaScene()
    await scene.register('a')
    await scene.commands.putStatus(scene.asked('a', { value: 'OUT_OF_SERVICE' }))
    expect(await scene.commands.deleteStatus(scene.asked('a', { value: 'UP' }))).toBe(200)
    expect([scene.state('a'), scene.commands.renew(scene.asked('a'))]).toEqual(['up', 200])
    await scene.commands.putStatus(scene.asked('a', { value: 'DOWN' }))
    expect([(await scene.instance('a'))?.status, scene.state('a')]).toEqual(['DOWN', 'draining'])
    await scene.commands.putStatus(scene.asked('a', { value: 'UP' }))
    expect(await scene.instance('a')).toMatchObject({ status: 'UP', overriddenStatus: 'UP' })
  })

  it('is 404 for strangers and 500 for words that are none, as by Eureka', async () => {
    const scene = new EurekaScene()
    await scene.register('a')
    const { commands } = scene
    expect(await commands.putStatus(scene.asked('x', { value: 'UP' }))).toBe(404)
    expect(await commands.putStatus(scene.asked('a', { value: 'down' }))).toBe(500)
    expect(await commands.putStatus(scene.asked('a'))).toBe(500)
    expect(await commands.deleteStatus(scene.asked('a', { value: 'x' }))).toBe(500)
    expect(await commands.deleteStatus(scene.asked('x'))).toBe(404)
    expect(await commands.putMetadata(scene.asked('x', { a: '1' }))).toBe(404)
  })

  it('of what operators drained or disabled shows, and a ban is not lifted by Eureka', async () => {
    const scene = new EurekaScene()
    await scene.register('a')
    const refs = [{ namespace: 'default', service: 'orders', group: 'default', id: 'a' }]
    await scene.execute({ kind: 'override', refs, disable: true, weight: 7, by: 'ann' })
    expect(await scene.instance('a')).toMatchObject({
      status: 'OUT_OF_SERVICE',
      overriddenStatus: 'OUT_OF_SERVICE',
    })
    await scene.commands.putStatus(scene.asked('a', { value: 'UP' }))
    await scene.commands.deleteStatus(scene.asked('a', { value: 'UP' }))
    expect(scene.read.overrides({}).overrides).toMatchObject([{ disable: true, by: 'ann' }])
    await scene.execute({ kind: 'clearOverrides', refs })
    expect(await scene.instance('a')).toMatchObject({ status: 'UP' })
  })

  it('overridden by Eureka ends with the instance; a drain of an operator does not', async () => {
    const scene = new EurekaScene()
    await scene.register('a')
    await scene.commands.putStatus(scene.asked('a', { value: 'OUT_OF_SERVICE' }))
    await scene.commands.cancel(scene.asked('a'))
    await scene.register('a')
    expect(await scene.instance('a')).toMatchObject({ status: 'UP', overriddenStatus: 'UNKNOWN' })
    const refs = [{ namespace: 'default', service: 'orders', group: 'default', id: 'a' }]
    await scene.execute({ kind: 'override', refs, drain: true, by: 'ann' })
    await scene.commands.cancel(scene.asked('a'))
    await scene.register('a')
    expect(await scene.instance('a')).toMatchObject({ status: 'OUT_OF_SERVICE' })
  })
})

it('metadata is added to what there is', async () => {
  const scene = new EurekaScene()
  await scene.register('a', { metadata: { a: '1', b: '2' } })
  expect(await scene.commands.putMetadata(scene.asked('a', { b: '3', 'c d': 'x', zone: 'z' }))).toBe(200)
  expect(await scene.instance('a')).toMatchObject({ metadata: { a: '1', b: '3', 'c d': 'x', zone: 'z' } })
})

describe('an instance of another protocol', () => {
  it('is shown with a document that is made up', async () => {
    const scene = new EurekaScene()
    await scene.registerNative('n', { host: '::1', port: 443, protocol: 'https', zone: 'z', weight: 7 })
    await scene.registerNative('n', { group: 'blue', service: 'Orders' })
    expect(await scene.instance('n')).toMatchObject({
      app: 'ORDERS',
      status: 'UP',
      hostName: '::1',
      port: { $: 80, '@enabled': 'false' },
      securePort: { $: 443, '@enabled': 'true' },
      metadata: { zone: 'z', weight: '7' },
      homePageUrl: 'https://[::1]:443/',
      vipAddress: 'orders',
    })
    expect(await scene.instance('Orders:blue:n')).toMatchObject({ app: 'ORDERS', hostName: '10.0.0.2' })
  })

  it('can be taken out of service and back, and nothing else is put into its mouth', async () => {
    const scene = new EurekaScene()
    await scene.registerNative('n', { incarnation: 5 })
    const put = (value: string): Promise<number> => scene.commands.putStatus(scene.asked('n', { value }))
    expect([await put('OUT_OF_SERVICE'), scene.state('n')]).toEqual([200, 'draining'])
    expect([await put('UP'), scene.state('n')]).toEqual([200, 'up'])
    await expect(put('DOWN')).rejects.toThrow('did not register by Eureka')
    await expect(scene.commands.putMetadata(scene.asked('n', { a: '1' }))).rejects.toThrow('by Eureka')
    expect(scene.commands.renew(scene.asked('n'))).toBe(404)
    expect(await scene.commands.cancel(scene.asked('n'))).toBe(404)
    expect(scene.state('n')).toBe('up')
  })
})
