/** The driver: acknowledgements, sessions, what readers are told. */
import { HandClock } from '@rollcall/testkit/time'
import { NODE_DEFAULTS, NO_METER, type Update } from '@rollcall/core'
import { EMPTY_SIGN } from '@rollcall/wire'
import { describe, expect, it, vi } from 'vitest'
import { command, ORDERS, over, PEER, pending, register, setUp } from './node-driver.fixture.js'
import { createNodeDriver } from './node-driver.js'

describe('an acknowledgement', () => {
  it('comes after the commit and says how durable it is', async () => {
    const { driver, journal } = setUp()
    journal.manual = true
    const registered = register(driver, [command()], PEER)
    expect(await pending(registered)).toBe(true)
    expect(driver.read(PEER).view(ORDERS)?.instances).toHaveLength(1)
    journal.commit('disk')
    expect(await registered).toEqual([
      { ok: true, service: 'orders', group: 'default', id: 'a', incarnation: 1, durability: 'disk' },
    ])
  })

  it('of a batch is one commit, with each item answered in its place', async () => {
    const { driver, journal } = setUp()
    const results = await register(
      driver,
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
    const first = register(driver, [command()], PEER)
    const renewal = register(driver, [command()], PEER)
    expect(await pending(renewal)).toBe(true)
    journal.commit('disk')
    expect([await first, await renewal]).toMatchObject([[{ durability: 'disk' }], [{ durability: 'disk' }]])
    expect(journal.appends).toBe(1)
  })

  it('waits for the last commit in flight, not the first', async () => {
    const { driver, journal } = setUp()
    journal.manual = true
    const first = register(driver, [command()], PEER)
    const second = register(driver, [command({ id: 'b' })], PEER)
    const renewal = register(driver, [command({ id: 'b' })], PEER)
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
    await register(before.driver, [command()], PEER)
    const { driver, journal } = setUp({ nodeId: 'n2' }, before.journal.entries)
    expect(await register(driver, [command()], PEER, 'disk')).toMatchObject([
      { ok: true, durability: 'disk' },
    ])
    journal.durability = 'memory'
    expect(await register(driver, [command()], PEER)).toMatchObject([{ ok: true, durability: 'memory' }])
    expect(journal.entries).toEqual([])
  })

  it('without a journal is memory', async () => {
    const clock = new HandClock(5_000)
    const driver = createNodeDriver(
      { clock, meter: NO_METER, prober: { probe() {} } },
      { ...NODE_DEFAULTS, nodeId: 'n1' },
    )
    expect(await register(driver, [command()], PEER)).toMatchObject([{ durability: 'memory' }])
  })

  it.each([
    ['disk', 'memory', 'not_durable'],
    ['disk', 'disk', undefined],
    ['replicated', 'disk', 'not_durable'],
    ['memory', 'memory', undefined],
  ] as const)('that must be %s where the journal gives %s: %s', async (required, given, code) => {
    const { driver, journal } = setUp()
    journal.durability = given
    const answer = register(driver, [command()], PEER, required)
    if (code === undefined) expect(await answer).toMatchObject([{ durability: given }])
    else await expect(answer).rejects.toMatchObject({ code, details: { durability: given } })
    expect(driver.read(PEER).view(ORDERS)?.instances).toHaveLength(1)
  })

  it('of a deregistration waits as well, and lists what became of each item', async () => {
    const { driver, journal } = setUp()
    await register(driver, [command(), command({ id: 'b', incarnation: 7 })], PEER)
    journal.manual = true
    const ref = (id: string, incarnation: number) => ({ ...ORDERS, group: 'default', id, incarnation })
    const answer = driver.execute({ kind: 'deregister', refs: [ref('a', 1), ref('b', 1), ref('c', 1)] }, PEER)
    expect(await pending(answer)).toBe(true)
    journal.commit()
    expect(await answer).toEqual({
      answer: { removed: [ref('a', 1)], unknown: [ref('c', 1)], superseded: [ref('b', 1)] },
      durability: 'disk',
    })
  })

  it('from a journal that is closed already is memory, and the node goes on', async () => {
    const { driver, journal, clock } = setUp()
    const unhandled = vi.fn()
    process.once('unhandledRejection', unhandled)
    await journal.close()
    expect(await register(driver, [command()], PEER)).toMatchObject([{ ok: true, durability: 'memory' }])
    expect(await register(driver, [command()], PEER)).toMatchObject([{ ok: true, durability: 'memory' }])
    const session = driver.openSession({}, PEER)
    await register(driver, [command({ id: 'b' })], over(session))
    session.close()
    clock.advance(2_000)
    expect(driver.read(PEER).instance({ ...ORDERS, group: 'default', id: 'b' })?.state).toBe('suspect')
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })
})

describe('heartbeats and sessions', () => {
  it('never write (G7)', async () => {
    const { driver, journal, clock } = setUp()
    const session = driver.openSession({}, PEER)
    await register(driver, [command()], over(session))
    await register(driver, [command({ id: 'b' })], PEER)
    const { appends } = journal
    for (let n = 0; n < 200; n++) {
      session.heard()
      expect(driver.heard([{ ...ORDERS, group: 'default', id: 'b', incarnation: 1 }], PEER).unknown).toEqual(
        [],
      )
      clock.advance(3_000)
    }
    expect(journal.appends).toBe(appends)
    expect(
      driver
        .read(PEER)
        .view(ORDERS)
        ?.instances.map(({ state }) => state),
    ).toEqual(['up', 'up'])
  })

  it('write when they refute', async () => {
    const { driver, journal, clock } = setUp()
    const session = driver.openSession({}, PEER)
    await register(driver, [command()], over(session))
    clock.advance(10_000)
    expect(driver.read(PEER).instance({ ...ORDERS, group: 'default', id: 'a' })?.state).toBe('suspect')
    const before = journal.entries.length
    session.heard()
    expect(journal.entries.slice(before)).toMatchObject([
      { record: { verdict: { value: 'up', reason: 'heard' } } },
    ])
  })

  it('a killed process is probed at once, twice, and published', async () => {
    const { driver, clock, probes } = setUp()
    const updates: Update[] = []
    const session = driver.openSession({}, PEER)
    await register(driver, [command()], over(session))
    clock.advance()
    probes.shift()?.answer('succeeded')
    driver.subscribe({ deliver: (update) => updates.push(update) }, PEER).watch([ORDERS])
    session.close()
    session.close()
    expect(probes.map(({ request }) => `${request.purpose} ${request.delayMs}`)).toEqual(['evidence 0'])
    probes.shift()?.answer('refused')
    expect(probes.map(({ request }) => `${request.purpose} ${request.delayMs}`)).toEqual(['evidence 50'])
    probes.shift()?.answer('refused')
    clock.advance()
    expect(updates.at(-1)).toMatchObject({
      kind: 'delta',
      delta: { upserts: [{ id: 'a', state: 'down', reason: 'refused' }] },
    })
  })

  it('a prober that answers at once is no trouble', async () => {
    const clock = new HandClock(5_000)
    const driver = createNodeDriver(
      {
        clock,
        meter: NO_METER,
        prober: { probe: ({ purpose }, answer) => answer(purpose === 'baseline' ? 'succeeded' : 'refused') },
      },
      { ...NODE_DEFAULTS, nodeId: 'n1' },
    )
    driver.start()
    const session = driver.openSession({}, PEER)
    await register(driver, [command(), command({ id: 'b' })], over(session))
    session.close()
    expect(
      driver
        .read(PEER)
        .view(ORDERS)
        ?.instances.map(({ state }) => state),
    ).toEqual(['down', 'down'])
  })
})

describe('what a reader is told', () => {
  it('of an unknown service, group or instance is nothing', async () => {
    const { driver } = setUp()
    await register(driver, [command()], PEER)
    await driver.execute(
      { kind: 'declareService', namespace: 'default', service: 'declared', settings: { groups: ['blue'] } },
      PEER,
    )
    expect(driver.read(PEER).view({ ...ORDERS, service: 'absent' })).toBeUndefined()
    expect(driver.read(PEER).view({ ...ORDERS, group: 'absent' })).toBeUndefined()
    expect(driver.read(PEER).view({ ...ORDERS, service: 'declared', group: 'blue' })).toMatchObject({
      instances: [],
      sign: EMPTY_SIGN,
    })
    expect(driver.read(PEER).instance({ ...ORDERS, group: 'default', id: 'absent' })).toBeUndefined()
    expect(driver.read(PEER).sign({ ...ORDERS, service: 'absent' })).toBe(EMPTY_SIGN)
  })

  it('of a host that needs confirmation is the list, as an error', async () => {
    const { driver, journal } = setUp()
    await register(
      driver,
      [1, 2, 3, 4, 5].map((n) => command({ id: `i${n}` })),
      PEER,
    )
    const request = { namespace: 'default', host: '10.0.0.1', confirm: false }
    await expect(driver.execute({ kind: 'deregisterHost', ...request }, PEER)).rejects.toMatchObject({
      code: 'needs_confirmation',
      field: 'confirm',
      details: { instances: { length: 5 } },
    })
    expect(journal.entries).toHaveLength(5)
    expect(await driver.execute({ kind: 'deregisterHost', ...request, confirm: true }, PEER)).toMatchObject({
      answer: { removed: { length: 5 } },
      durability: 'disk',
    })
  })

  it('of declarations is whether there was one to take back', async () => {
    const { driver } = setUp()
    const service = { kind: 'declareService', namespace: 'default', service: 'orders' } as const
    const namespace = { kind: 'declareNamespace', namespace: 'prod' } as const
    const made = { answer: { existed: false }, durability: 'disk' }
    expect(await driver.execute({ ...service, settings: {} }, PEER)).toEqual(made)
    expect(await driver.execute({ ...namespace, settings: {} }, PEER)).toEqual(made)
    for (const existed of [true, false]) {
      expect((await driver.execute({ ...service, settings: null }, PEER)).answer).toEqual({ existed })
      expect((await driver.execute({ ...namespace, settings: null }, PEER)).answer).toEqual({ existed })
    }
    const wrong = driver.execute({ ...service, settings: { removalMs: 1 } }, PEER)
    await expect(wrong).rejects.toMatchObject({ code: 'invalid_argument', field: 'removalMs' })
  })
})
