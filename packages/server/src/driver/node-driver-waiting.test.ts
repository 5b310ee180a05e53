/** The driver over time: publishing, waits, its own life. */
import { HandClock } from '@rollcall/testkit/time'
import { NODE_DEFAULTS, NO_METER, type Update } from '@rollcall/core'
import { EMPTY_SIGN } from '@rollcall/wire'
import { describe, expect, it, vi } from 'vitest'
import { command, ORDERS, PEER, pending, register, setUp } from './node-driver.fixture.js'
import { createNodeDriver } from './node-driver.js'

describe('publishing', () => {
  it('tells everything of one turn of the loop together, and not within the call', async () => {
    const { driver, clock } = setUp()
    const updates: Update[] = []
    driver.subscribe({ deliver: (update) => updates.push(update) }, PEER).watch([ORDERS])
    for (const id of ['a', 'b', 'c']) void register(driver, [command({ id })], PEER)
    expect(updates).toHaveLength(1)
    clock.advance()
    expect(updates).toHaveLength(2)
    expect(updates[1]).toMatchObject({ kind: 'delta', delta: { upserts: { length: 3 } } })
  })

  it('waits for the window of a busy view, with one timer', async () => {
    const { driver, clock } = setUp()
    const updates: Update[] = []
    for (let n = 0; n < 1_000; n++) driver.subscribe({ deliver() {} }, PEER).watch([ORDERS])
    driver.subscribe({ deliver: (update) => updates.push(update) }, PEER).watch([ORDERS])
    void register(driver, [command()], PEER)
    clock.advance()
    for (let n = 0; n < 20; n++) {
      void register(driver, [command({ id: `i${n}` })], PEER)
      clock.advance(1)
    }
    expect(updates).toHaveLength(2)
    // The tick, and the end of the window.
    expect(clock.timers).toHaveLength(2)
    clock.advance(41 - 20)
    expect(updates).toHaveLength(3)
    expect(updates[2]).toMatchObject({ delta: { upserts: { length: 20 } } })
  })
})

describe('waiting for a change', () => {
  it('is over at once where the sign is another already', async () => {
    const { driver, clock } = setUp()
    await register(driver, [command()], PEER)
    const { timers } = clock
    expect(await driver.wait(ORDERS, EMPTY_SIGN, 1_000, PEER).changed).toBe(true)
    expect(await driver.wait({}, EMPTY_SIGN, 1_000, PEER).changed).toBe(true)
    expect(clock.timers).toEqual(timers)
  })

  it('of a service that is not registered yet ends with its first instance', async () => {
    const { driver, clock } = setUp()
    const { changed } = driver.wait(ORDERS, EMPTY_SIGN, 1_000, PEER)
    clock.advance(500)
    expect(await pending(changed)).toBe(true)
    void register(driver, [command()], PEER)
    clock.advance()
    expect(await changed).toBe(true)
  })

  it.each(['view', 'services'] as const)(
    'of the %s ends with its timeout, or when it is cancelled',
    async (kind) => {
      const { driver, clock } = setUp()
      const begin = () =>
        kind === 'view'
          ? driver.wait(ORDERS, driver.read(PEER).sign(ORDERS), 1_000, PEER)
          : driver.wait({}, driver.read(PEER).services({}).sign, 1_000, PEER)
      const late = begin()
      const given = begin()
      given.cancel()
      given.cancel()
      expect(await given.changed).toBe(false)
      clock.advance(999)
      expect(await pending(late.changed)).toBe(true)
      clock.advance(1)
      expect(await late.changed).toBe(false)
      void register(driver, [command()], PEER)
      clock.advance(500)
      expect(await late.changed).toBe(false)
    },
  )

  it('of the services is woken within a tenth of a second, by what it asked for', async () => {
    const { driver, clock } = setUp()
    const orders = driver.wait(
      { prefix: 'ord' },
      driver.read(PEER).services({ prefix: 'ord' }).sign,
      10_000,
      PEER,
    )
    const users = driver.wait(
      { prefix: 'use' },
      driver.read(PEER).services({ prefix: 'use' }).sign,
      10_000,
      PEER,
    )
    void register(driver, [command()], PEER)
    clock.advance(100)
    expect(await orders.changed).toBe(true)
    expect(await pending(users.changed)).toBe(true)
    void register(driver, [command({ service: 'users' })], PEER)
    clock.advance(100)
    expect(await users.changed).toBe(true)
  })

  it('of the services is woken by declarations too', async () => {
    const { driver, clock } = setUp()
    const waits = [driver.wait({}, driver.read(PEER).services({}).sign, 10_000, PEER)]
    await driver.execute(
      { kind: 'declareService', namespace: 'default', service: 'orders', settings: {} },
      PEER,
    )
    clock.advance(100)
    expect(await waits[0]?.changed).toBe(true)
    const next = driver.wait({}, driver.read(PEER).services({}).sign, 10_000, PEER)
    await driver.execute(
      { kind: 'declareService', namespace: 'default', service: 'orders', settings: { groups: ['blue'] } },
      PEER,
    )
    clock.advance(100)
    expect(await next.changed).toBe(true)
  })

  it.each(['view', 'services'] as const)('of the %s is bounded', (kind) => {
    const { driver } = setUp({ publisher: { ...NODE_DEFAULTS.publisher, waitersMax: 2 } })
    const begin = () =>
      kind === 'view'
        ? driver.wait(ORDERS, EMPTY_SIGN, 1_000, PEER)
        : driver.wait({}, driver.read(PEER).services({}).sign, 1_000, PEER)
    const first = begin()
    begin()
    expect(begin).toThrow(
      expect.objectContaining({
        code: 'limit_exceeded',
        details: { quota: 'waitersMax', max: 2, over: 'node' },
      }) as Error,
    )
    first.cancel()
    expect(begin).not.toThrow()
  })

  it('of the services looks once for all who ask the same', () => {
    const { driver, clock } = setUp()
    const query = { namespace: 'default' }
    const { sign } = driver.read(PEER).services(query)
    for (let n = 0; n < 50; n++) driver.wait({ ...query }, sign, 10_000, PEER)
    const list = vi.spyOn(driver.read(PEER), 'services')
    void register(driver, [command({ namespace: 'prod' })], PEER)
    clock.advance(100)
    expect(list.mock.calls.length).toBeLessThanOrEqual(1)
  })
})

describe('the life of a driver', () => {
  it('is ready once it has loaded, until it is stopped', () => {
    const clock = new HandClock(5_000)
    const driver = createNodeDriver(
      { clock, meter: NO_METER, prober: { probe() {} } },
      { ...NODE_DEFAULTS, nodeId: 'n1' },
    )
    expect(driver.readiness()).toEqual({ ready: false, reason: 'loading' })
    driver.load([])
    expect(driver.readiness()).toEqual({ ready: true })
    driver.shun(true)
    expect(driver.readiness()).toEqual({ ready: false, reason: 'island' })
    driver.shun(false)
    expect(driver.readiness()).toEqual({ ready: true })
    driver.shun(true)
    driver.stop()
    driver.load([])
    expect(driver.readiness()).toEqual({ ready: false, reason: 'stopping' })
    driver.close()
    driver.stop()
    expect(driver.readiness()).toEqual({ ready: false, reason: 'closed' })
  })

  it('has one tick, however often it is started, and none after its end', () => {
    const { driver, clock } = setUp()
    driver.start()
    driver.start()
    clock.advance(1_000)
    expect(clock.timers).toHaveLength(1)
    driver.close()
    driver.close()
    driver.start()
    clock.advance(1_000)
    expect(clock.timers).toEqual([])
  })

  it('leaves no timer behind when it is closed in the middle of everything', async () => {
    const { driver, clock, probes } = setUp()
    const updates: Update[] = []
    for (let n = 0; n < 1_000; n++) driver.subscribe({ deliver() {} }, PEER).watch([ORDERS])
    driver.subscribe({ deliver: (update) => updates.push(update) }, PEER).watch([ORDERS])
    const wait = driver.wait({}, driver.read(PEER).services({}).sign, 1_000, PEER)
    void register(driver, [command()], PEER)
    clock.advance()
    void register(driver, [command({ id: 'b' })], PEER)
    clock.advance()
    driver.close()
    expect(await wait.changed).toBe(false)
    expect(clock.timers).toEqual([])
    const told = updates.length
    void register(driver, [command({ id: 'c' })], PEER)
    for (const { answer } of probes) answer('succeeded')
    expect(clock.timers).toEqual([])
    clock.advance(1_000)
    expect(updates).toHaveLength(told)
  })
})
