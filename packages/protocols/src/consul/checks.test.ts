/** Checks in time: TTLs that run out, endpoints that are asked, services that go; and what silence may not take. */
import { describe, expect, it } from 'vitest'
import { HandRegistry } from './registry.fixture.js'

const web = (id: string, check: object): object => ({
  Name: 'web',
  ID: id,
  Address: '10.0.0.1',
  Port: 8_080,
  Check: check,
})

const instance = (id: string, ttl = '10s', more: object = {}): object => web(id, { TTL: ttl, ...more })

async function fleet(count: number): Promise<HandRegistry> {
  const registry = new HandRegistry()
  for (let n = 0; n < count; n++) {
    await registry.register(instance(`w${n}`))
    await registry.beat(`service:w${n}`)
  }
  return registry
}

const critical = (registry: HandRegistry): number =>
  Object.values(registry.statuses('web')).filter((status) => status === 'critical').length

describe('a TTL', () => {
  it('begins critical, and natively not to be called; a first word makes it so', async () => {
    const registry = new HandRegistry()
    await registry.register(instance('a'))
    expect([registry.statuses('web'), registry.states('web')]).toEqual([
      { 'service:a': 'critical' },
      ['starting'],
    ])
    await registry.beat('service:a')
    expect([registry.statuses('web'), registry.states('web')]).toEqual([{ 'service:a': 'passing' }, ['up']])
    await registry.beat('service:a', 'critical')
    expect([registry.statuses('web'), registry.states('web')]).toEqual([
      { 'service:a': 'critical' },
      ['draining'],
    ])
    await registry.beat('service:a', 'warning')
    expect([registry.statuses('web'), registry.states('web')]).toEqual([{ 'service:a': 'warning' }, ['up']])
  })

  it('that runs out is critical at once, for an only instance too, and no word of it stays natively', async () => {
    const registry = await fleet(1)
    await registry.pass(9_900)
    expect(registry.statuses('web')).toEqual({ 'service:w0': 'passing' })
    const before = registry.changes.index('web')
    await registry.pass(400)
    expect(registry.statuses('web')).toEqual({ 'service:w0': 'critical' })
    expect(registry.changes.index('web')).toBeGreaterThan(before)
    // Its kernel answers: natively it is up until twice the TTL, and only doubted then.
    expect(registry.states('web')).toEqual(['up'])
    await registry.beat('service:w0')
    expect(registry.statuses('web')).toEqual({ 'service:w0': 'passing' })
  })

  it('that is beaten as late as it may be never runs out, here nor natively', async () => {
    const registry = await fleet(1)
    for (let n = 0; n < 20; n++) {
      await registry.pass(9_000)
      expect([registry.statuses('web'), registry.states('web')]).toEqual([
        { 'service:w0': 'passing' },
        ['up'],
      ])
      await registry.beat('service:w0')
    }
  })

  it('of a share of a service may run out together, the rest after long silence', async () => {
    const registry = await fleet(4)
    await registry.pass(10_300)
    expect(critical(registry)).toBe(1)
    await registry.pass(60_000)
    expect(critical(registry)).toBe(1)
    await registry.pass(600_000)
    // What natively went down by then is hidden.
    const shown = Object.keys(registry.statuses('web')).length
    expect(critical(registry)).toBe(shown)
  })

  it('takes the share of its service that was declared, all of it where the breaker is off', async () => {
    for (const [breaker, lost] of [
      [{ share: 0.5 }, 2],
      [{ enabled: false }, 4],
    ] as const) {
      const registry = await fleet(4)
      await registry.door.execute(
        { kind: 'declareService', namespace: 'default', service: 'web', settings: { breaker } },
        { principal: { kind: 'anonymous' } },
      )
      await registry.pass(11_000)
      expect(critical(registry)).toBe(lost)
    }
  })

  it('of a share only may run out together after a restart, too', async () => {
    const before = await fleet(4)
    const after = new HandRegistry(before.node.snapshot())
    await after.pass(10_500)
    expect(critical(after)).toBe(1)
  })

  it('that was never renewed does not count in that share', async () => {
    const registry = await fleet(1)
    for (let n = 0; n < 9; n++) await registry.register(instance(`never${n}`, '100s'))
    await registry.register(instance('mute', '10s', { Status: 'passing' }))
    await registry.pass(10_300)
    // Nine began critical; the one that claimed to pass and the one that was renewed ran out.
    expect(critical(registry)).toBe(11)
  })

  it('does not run out while an operator holds what silence takes', async () => {
    const registry = await fleet(1)
    await registry.door.execute(
      { kind: 'freeze', namespace: 'default' },
      { principal: { kind: 'anonymous' } },
    )
    await registry.pass(60_000)
    expect(registry.statuses('web')).toEqual({ 'service:w0': 'passing' })
    await registry.door.execute(
      { kind: 'unfreeze', namespace: 'default' },
      { principal: { kind: 'anonymous' } },
    )
    await registry.pass(1_100)
    expect(registry.statuses('web')).toEqual({ 'service:w0': 'critical' })
  })

  it('does not run out while the node is an island', async () => {
    const registry = await fleet(1)
    registry.node.fare({ ...registry.read.health(), island: true }, registry.clock.now())
    await registry.pass(60_000)
    expect(registry.statuses('web')).toEqual({ 'service:w0': 'passing' })
    registry.node.fare({ ...registry.read.health(), island: false }, registry.clock.now())
    // What lives has a while to say so.
    await registry.pass(30_000)
    expect(registry.statuses('web')).toEqual({ 'service:w0': 'critical' })
  })

  it('of one service that falls silent does not touch another one', async () => {
    const registry = await fleet(1)
    await registry.register({ ...instance('o'), Name: 'other' })
    await registry.beat('service:o')
    const before = registry.changes.index('other')
    await registry.pass(5_000)
    await registry.beat('service:o')
    await registry.pass(6_000)
    expect([registry.statuses('web'), registry.statuses('other')]).toEqual([
      { 'service:w0': 'critical' },
      { 'service:o': 'passing' },
    ])
    expect(registry.changes.index('other')).toBe(before)
  })
})

describe('what is critical for too long', () => {
  it('is deregistered, and is unknown to its client then', async () => {
    const registry = new HandRegistry()
    await registry.register(instance('a', '10s', { DeregisterCriticalServiceAfter: '1s' }))
    await registry.pass(59_000)
    expect(registry.states('web')).toHaveLength(1)
    await registry.pass(2_000)
    expect(registry.states('web')).toHaveLength(0)
    expect(await registry.beat('service:a')).toBe(false)
  })

  it('stays when it passes again in between', async () => {
    const registry = new HandRegistry()
    await registry.register(instance('a', '100s', { DeregisterCriticalServiceAfter: '1m' }))
    await registry.pass(50_000)
    await registry.beat('service:a')
    await registry.pass(50_000)
    expect(registry.statuses('web')).toEqual({ 'service:a': 'passing' })
    await registry.beat('service:a', 'critical')
    await registry.pass(50_000)
    expect(registry.statuses('web')).toEqual({ 'service:a': 'critical' })
    await registry.pass(12_000)
    expect(registry.statuses('web')).toEqual({})
  })

  it('stays while an operator holds what silence takes', async () => {
    const registry = new HandRegistry()
    await registry.register(instance('a', '10s', { DeregisterCriticalServiceAfter: '1m' }))
    await registry.door.execute(
      { kind: 'freeze', namespace: 'default' },
      { principal: { kind: 'anonymous' } },
    )
    await registry.pass(120_000)
    expect(registry.states('web')).toHaveLength(1)
    await registry.door.execute(
      { kind: 'unfreeze', namespace: 'default' },
      { principal: { kind: 'anonymous' } },
    )
    await registry.pass(31_000)
    expect(registry.states('web')).toHaveLength(0)
  })
})

describe('an endpoint', () => {
  const http = { HTTP: 'http://10.0.0.1:8080/health', Interval: '2s' }

  it('is asked within its interval, and passes by its first success', async () => {
    const registry = new HandRegistry()
    await registry.register(web('a', http))
    expect([registry.statuses('web'), registry.states('web')]).toEqual([
      { 'service:a': 'critical' },
      ['starting'],
    ])
    await registry.pass(1_100)
    expect([registry.statuses('web'), registry.states('web')]).toEqual([{ 'service:a': 'passing' }, ['up']])
  })

  it('that refuses, or answers with a bad status, is critical at once; 429 is a warning', async () => {
    const registry = new HandRegistry()
    await registry.register(web('a', http))
    await registry.pass(1_100)
    for (const [outcome, cause, status] of [
      ['failed', 'status 503', 'critical'],
      ['succeeded', undefined, 'passing'],
      ['failed', 'status 429', 'warning'],
      ['unable', 'queue full', 'warning'],
      ['refused', undefined, 'critical'],
    ] as const) {
      const before = registry.changes.index('web')
      registry.network = () => (cause === undefined ? [outcome] : [outcome, cause])
      await registry.pass(2_000)
      expect(registry.statuses('web')).toEqual({ 'service:a': status })
      if (outcome !== 'unable') expect(registry.changes.index('web')).toBeGreaterThan(before)
    }
  })

  it('that was not ready when it was registered is natively dead as soon as it refuses, too', async () => {
    const registry = new HandRegistry()
    registry.network = () => ['failed', 'status 503']
    await registry.register(web('a', { ...http, Interval: '1s' }))
    await registry.pass(2_000)
    registry.network = () => ['succeeded']
    await registry.pass(2_000)
    expect(registry.states('web')).toEqual(['up'])
    registry.network = () => ['refused']
    await registry.pass(1_200)
    expect([registry.statuses('web'), registry.states('web')]).toEqual([
      { 'service:a': 'critical' },
      ['down'],
    ])
  })

  it('that is given other times while it is asked is asked at those, once at a time', async () => {
    const registry = new HandRegistry()
    let asked = 0
    registry.network = () => {
      asked++
      return ['succeeded']
    }
    registry.answerMs = 900
    await registry.register(web('a', { ...http, Interval: '1s' }))
    for (let turn = 0; turn < 5; turn++) {
      await registry.pass(1_300)
      await registry.register(web('a', { ...http, Interval: turn % 2 === 0 ? '2s' : '1s' }))
    }
    await registry.pass(3_000)
    asked = 0
    await registry.pass(20_000)
    // Ten, and what the core asks of its own accord, every five seconds.
    expect(asked).toBeGreaterThanOrEqual(10)
    expect(asked).toBeLessThanOrEqual(15)
  })

  it('that comes back passes, natively too', async () => {
    const registry = new HandRegistry()
    await registry.register(web('a', http))
    await registry.pass(2_000)
    registry.network = () => ['refused']
    await registry.pass(3_000)
    registry.network = () => ['succeeded']
    await registry.pass(3_000)
    expect([registry.statuses('web'), registry.states('web')]).toEqual([{ 'service:a': 'passing' }, ['up']])
  })

  it('may fail and has to succeed as often as its check says', async () => {
    const registry = new HandRegistry()
    await registry.register(web('a', { ...http, SuccessBeforePassing: 3, FailuresBeforeCritical: 2 }))
    await registry.pass(1_100)
    expect(registry.statuses('web')).toEqual({ 'service:a': 'critical' })
    await registry.pass(4_000)
    expect(registry.statuses('web')).toEqual({ 'service:a': 'passing' })
    registry.network = () => ['failed', 'status 500']
    await registry.pass(2_000)
    expect(registry.statuses('web')).toEqual({ 'service:a': 'passing' })
    await registry.pass(2_000)
    expect(registry.statuses('web')).toEqual({ 'service:a': 'critical' })
  })

  it('of a share of a service may be silent at once; what may not be asked by now stays as it was', async () => {
    const registry = new HandRegistry()
    for (let n = 0; n < 10; n++) await registry.register(web(`e${n}`, { ...http, Interval: '1s' }))
    await registry.pass(2_000)
    expect(critical(registry)).toBe(0)
    registry.network = () => ['skipped', 'forbidden']
    await registry.pass(5_000)
    expect(critical(registry)).toBe(0)
    // The node is cut off from its network: nothing comes back.
    registry.network = () => ['failed', 'timeout']
    await registry.pass(5_000)
    expect(critical(registry)).toBe(3)
    // What refuses, or answers that it is not well, is no silence.
    registry.network = () => ['failed', 'status 503']
    await registry.pass(2_000)
    expect(critical(registry)).toBe(10)
    registry.network = () => ['succeeded']
    await registry.pass(2_000)
    expect(critical(registry)).toBe(0)
  })

  it('that is silent all by itself is critical at once', async () => {
    const registry = new HandRegistry()
    await registry.register(web('a', { ...http, Interval: '1s' }))
    await registry.pass(2_000)
    registry.network = () => ['failed', 'timeout']
    await registry.pass(1_100)
    expect(registry.statuses('web')).toEqual({ 'service:a': 'critical' })
  })

  it('is not asked any more once its service is deregistered', async () => {
    const registry = new HandRegistry()
    await registry.register(web('a', http))
    await registry.pass(3_000)
    await registry.door.execute(
      { kind: 'deregister', refs: [{ namespace: 'default', service: 'web', group: 'default', id: 'a' }] },
      { principal: { kind: 'anonymous' } },
    )
    await registry.pass(2_000)
    let asked = 0
    registry.network = () => (asked++, ['succeeded'])
    await registry.pass(30_000)
    expect([asked, registry.checks.book.size]).toEqual([0, 0])
  })
})

describe('a check that is registered again', () => {
  it('with other times is made at those', async () => {
    const registry = new HandRegistry()
    await registry.register(instance('a', '3600s'))
    await registry.beat('service:a')
    await registry.register({ ...instance('a', '10s'), Check: { TTL: '10s', Status: 'passing' } })
    await registry.pass(10_500)
    expect(registry.statuses('web')).toEqual({ 'service:a': 'critical' })
  })
})

describe('several checks of one instance', () => {
  it('keep what was said of them when the instance registers again, and go when it does without them', async () => {
    const registry = new HandRegistry()
    const checks = [
      { CheckID: 'own', TTL: '60s' },
      { TCP: '10.0.0.1:8080', Interval: '1s' },
    ]
    const body = { Name: 'web', ID: 'a', Address: '10.0.0.1', Port: 8_080, Checks: checks }
    await registry.register(body)
    await registry.pass(1_100)
    expect(registry.statuses('web')).toEqual({ own: 'critical', 'service:a:2': 'passing' })
    expect(registry.states('web')).toEqual(['starting'])
    await registry.beat('own')
    expect(registry.states('web')).toEqual(['up'])
    await registry.register({ ...body, Checks: [] })
    expect(registry.checks.book.byCheck('own')).toBeUndefined()
  })
})
