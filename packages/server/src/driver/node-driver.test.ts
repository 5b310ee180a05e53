import { NODE_DEFAULTS, NO_LOGGER, NO_METER, type Update } from '@rollcall/core'
import { EMPTY_SIGN } from '@rollcall/wire'
import { describe, expect, it, vi } from 'vitest'
import { command, HandClock, ORDERS, PEER, pending, setUp } from './node-driver.fixture.js'
import { createNodeDriver } from './node-driver.js'

describe('an acknowledgement', () => {
  it('comes after the commit and says how durable it is', async () => {
    const { driver, journal } = setUp()
    journal.manual = true
    const registered = driver.register([command()], PEER)
    expect(await pending(registered)).toBe(true)
    expect(driver.view(ORDERS)?.instances).toHaveLength(1)
    journal.commit('disk')
    expect(await registered).toEqual([
      { ok: true, service: 'orders', group: 'default', id: 'a', incarnation: 1, durability: 'disk' },
    ])
  })

  it('of a batch is one commit, with each item answered in its place', async () => {
    const { driver, journal } = setUp()
    const results = await driver.register(
      [command(), command({ id: 'b', port: 0 }), command({ id: 'c' })],
      PEER,
    )
    expect(results.map(({ ok }) => ok)).toEqual([true, false, true])
    expect(journal.appends).toBe(1)
    expect(journal.entries).toHaveLength(2)
  })

  it('of a renewal that writes nothing waits for the commit that its record is in', async () => {
    const { driver, journal } = setUp()
    journal.manual = true
    const first = driver.register([command()], PEER)
    const renewal = driver.register([command()], PEER)
    expect(await pending(renewal)).toBe(true)
    journal.commit('disk')
    expect([await first, await renewal]).toMatchObject([[{ durability: 'disk' }], [{ durability: 'disk' }]])
    expect(journal.appends).toBe(1)
  })

  it('waits for the last commit in flight, not the first', async () => {
    const { driver, journal } = setUp()
    journal.manual = true
    const first = driver.register([command()], PEER)
    const second = driver.register([command({ id: 'b' })], PEER)
    const renewal = driver.register([command({ id: 'b' })], PEER)
    journal.commit()
    expect(await pending(first)).toBe(false)
    expect(await pending(renewal)).toBe(true)
    journal.commit('memory')
    expect([await second, await renewal]).toMatchObject([
      [{ durability: 'memory' }],
      [{ durability: 'memory' }],
    ])
  })

  it('of a renewal after a restart is as durable as the journal it was read from', async () => {
    const before = setUp()
    await before.driver.register([command()], PEER)
    const { driver, journal } = setUp({ nodeId: 'n2' }, before.journal.entries)
    expect(await driver.register([command()], PEER, { require: 'disk' })).toMatchObject([
      { ok: true, durability: 'disk' },
    ])
    journal.durability = 'memory'
    expect(await driver.register([command()], PEER)).toMatchObject([{ ok: true, durability: 'memory' }])
    expect(journal.entries).toEqual([])
  })

  it('without a journal is memory', async () => {
    const clock = new HandClock()
    const driver = createNodeDriver(
      { clock, logger: NO_LOGGER, meter: NO_METER, prober: { probe() {} } },
      { ...NODE_DEFAULTS, nodeId: 'n1' },
    )
    expect(await driver.register([command()], PEER)).toMatchObject([{ durability: 'memory' }])
  })

  it.each([
    ['disk', 'memory', 'not_durable'],
    ['disk', 'disk', undefined],
    ['replicated', 'disk', 'not_durable'],
    ['memory', 'memory', undefined],
  ] as const)('that must be %s where the journal gives %s: %s', async (required, given, code) => {
    const { driver, journal } = setUp()
    journal.durability = given
    const answer = driver.register([command()], PEER, { require: required })
    if (code === undefined) expect(await answer).toMatchObject([{ durability: given }])
    else await expect(answer).rejects.toMatchObject({ code, details: { durability: given } })
    expect(driver.view(ORDERS)?.instances).toHaveLength(1)
  })

  it('of a deregistration waits as well, and lists what became of each item', async () => {
    const { driver, journal } = setUp()
    await driver.register([command(), command({ id: 'b', incarnation: 7 })], PEER)
    journal.manual = true
    const ref = (id: string, incarnation: number) => ({ ...ORDERS, group: 'default', id, incarnation })
    const answer = driver.deregister([ref('a', 1), ref('b', 1), ref('c', 1)], PEER)
    expect(await pending(answer)).toBe(true)
    journal.commit()
    expect(await answer).toEqual({
      removed: [ref('a', 1)],
      unknown: [ref('c', 1)],
      superseded: [ref('b', 1)],
      durability: 'disk',
    })
  })

  it('from a journal that is closed already is memory, and nobody crashes for it', async () => {
    const { driver, journal, clock } = setUp()
    const unhandled = vi.fn()
    process.once('unhandledRejection', unhandled)
    await journal.close()
    expect(await driver.register([command()], PEER)).toMatchObject([{ ok: true, durability: 'memory' }])
    expect(await driver.register([command()], PEER)).toMatchObject([{ ok: true, durability: 'memory' }])
    const session = driver.openSession({})
    await driver.register([command({ id: 'b' })], { session })
    session.close()
    clock.pass(2_000)
    expect(driver.instance({ ...ORDERS, group: 'default', id: 'b' })?.state).toBe('suspect')
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })
})

describe('heartbeats and sessions', () => {
  it('never write (G7)', async () => {
    const { driver, journal, clock } = setUp()
    const session = driver.openSession({})
    await driver.register([command()], { session })
    await driver.register([command({ id: 'b' })], PEER)
    const { appends } = journal
    for (let n = 0; n < 200; n++) {
      session.heard()
      expect(
        driver.heartbeat([{ ...ORDERS, group: 'default', id: 'b', incarnation: 1 }], PEER).unknown,
      ).toEqual([])
      clock.pass(3_000)
    }
    expect(journal.appends).toBe(appends)
    expect(driver.view(ORDERS)?.instances.map(({ state }) => state)).toEqual(['up', 'up'])
  })

  it('write when they refute', async () => {
    const { driver, journal, clock } = setUp()
    const session = driver.openSession({})
    await driver.register([command()], { session })
    clock.pass(10_000)
    expect(driver.instance({ ...ORDERS, group: 'default', id: 'a' })?.state).toBe('suspect')
    const before = journal.entries.length
    session.heard()
    expect(journal.entries.slice(before)).toMatchObject([
      { record: { verdict: { value: 'up', reason: 'heard' } } },
    ])
  })

  it('a killed process is probed at once, twice, and published', async () => {
    const { driver, clock, probes } = setUp()
    const updates: Update[] = []
    const session = driver.openSession({})
    await driver.register([command()], { session })
    clock.pass()
    probes.shift()?.answer('succeeded')
    driver.subscribe({ deliver: (update) => updates.push(update) }).watch([ORDERS])
    session.close()
    session.close()
    expect(probes.map(({ request }) => `${request.purpose} ${request.delayMs}`)).toEqual(['evidence 0'])
    probes.shift()?.answer('refused')
    expect(probes.map(({ request }) => `${request.purpose} ${request.delayMs}`)).toEqual(['evidence 50'])
    probes.shift()?.answer('refused')
    clock.pass()
    expect(updates.at(-1)).toMatchObject({
      kind: 'delta',
      delta: { upserts: [{ id: 'a', state: 'down', reason: 'refused' }] },
    })
  })

  it('a prober that answers at once is no trouble', async () => {
    const clock = new HandClock()
    const driver = createNodeDriver(
      {
        clock,
        logger: NO_LOGGER,
        meter: NO_METER,
        prober: { probe: ({ purpose }, answer) => answer(purpose === 'baseline' ? 'succeeded' : 'refused') },
      },
      { ...NODE_DEFAULTS, nodeId: 'n1' },
    )
    driver.start()
    const session = driver.openSession({})
    await driver.register([command(), command({ id: 'b' })], { session })
    session.close()
    expect(driver.view(ORDERS)?.instances.map(({ state }) => state)).toEqual(['down', 'down'])
  })
})

describe('what a reader is told', () => {
  it('of an unknown service, group or instance is nothing', async () => {
    const { driver } = setUp()
    await driver.register([command()], PEER)
    await driver.declare('default', 'declared', { groups: ['blue'] })
    expect(driver.view({ ...ORDERS, service: 'nobody' })).toBeUndefined()
    expect(driver.view({ ...ORDERS, group: 'nobody' })).toBeUndefined()
    expect(driver.view({ ...ORDERS, service: 'declared', group: 'blue' })).toMatchObject({
      instances: [],
      sign: EMPTY_SIGN,
    })
    expect(driver.instance({ ...ORDERS, group: 'default', id: 'nobody' })).toBeUndefined()
    expect(driver.sign({ ...ORDERS, service: 'nobody' })).toBe(EMPTY_SIGN)
  })

  it('of a host that needs confirmation is the list, as an error', async () => {
    const { driver, journal } = setUp()
    await driver.register(
      [1, 2, 3, 4, 5].map((n) => command({ id: `i${n}` })),
      PEER,
    )
    const request = { namespace: 'default', host: '10.0.0.1', confirm: false }
    await expect(driver.deregisterHost(request, PEER)).rejects.toMatchObject({
      code: 'needs_confirmation',
      field: 'confirm',
      details: { instances: { length: 5 } },
    })
    expect(journal.entries).toHaveLength(5)
    expect(await driver.deregisterHost({ ...request, confirm: true }, PEER)).toMatchObject({
      removed: { length: 5 },
      durability: 'disk',
    })
  })

  it('of declarations is whether there was one to take back', async () => {
    const { driver } = setUp()
    expect(await driver.declare('default', 'orders', {})).toBe('disk')
    expect(await driver.declareNamespace('prod', {})).toBe('disk')
    expect([
      await driver.undeclare('default', 'orders'),
      await driver.undeclare('default', 'orders'),
    ]).toEqual([true, false])
    expect([await driver.undeclareNamespace('prod'), await driver.undeclareNamespace('prod')]).toEqual([
      true,
      false,
    ])
    await expect(driver.declare('default', 'orders', { removalMs: 1 })).rejects.toMatchObject({
      code: 'invalid_argument',
      field: 'removalMs',
    })
  })
})
