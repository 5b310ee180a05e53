/** Commands of very many items: a bounded part in each turn of the event loop, and one answer as if there had been one. */
import { describe, expect, it } from 'vitest'
import { command, over, ORDERS, PEER, pending, register, type Setting, setUp } from './node-driver.fixture.js'

const many = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => command({ id: `i${from + index}`, liveness: 'static' }))

const listed = ({ driver }: Setting): number => driver.read(PEER).view(ORDERS)?.instances.length ?? 0

/** A driver, and how many entries each of its steps wrote. */
function counted(): Setting & { readonly steps: number[] } {
  const setting = setUp()
  const steps: number[] = []
  const { journal } = setting
  const append = journal.append.bind(journal)
  journal.append = (entries) => {
    if (entries.length > 0) steps.push(entries.length)
    return append(entries)
  }
  return { ...setting, steps }
}

describe('a batch', () => {
  it('is done in slices, and answered once, in the order of its items', async () => {
    const setting = counted()
    const items = many(1_200)
    items[700] = command({ id: 'i700', port: 0 })
    const done = register(setting.driver, items, PEER)
    expect(await pending(done)).toBe(true)
    expect(listed(setting)).toBe(500)
    await setting.clock.pass(0)
    expect(setting.steps).toEqual([500, 499, 200])
    const results = await done
    expect(results.map((result) => (result.ok ? result.id : result.error.field))).toEqual(
      items.map(({ id, port }) => (port === 0 ? 'port' : id)),
    )
  })

  it('is as durable as its weakest slice', async () => {
    const setting = counted()
    setting.journal.manual = true
    const done = register(setting.driver, many(1_200), PEER)
    await setting.clock.pass(0)
    setting.journal.commit('disk')
    setting.journal.commit('memory')
    expect(await pending(done)).toBe(true)
    setting.journal.commit('disk')
    expect((await done)[0]).toMatchObject({ durability: 'memory' })
  })

  it('lets others in between, and takes turns with other batches', async () => {
    const setting = counted()
    const { driver } = setting
    const first = register(driver, many(1_000), PEER)
    const second = register(driver, many(1_000, 1_000), PEER)
    const single = register(driver, [command({ id: 'single' })], PEER)
    expect(listed(setting)).toBe(1_001)
    expect(await pending(single)).toBe(false)
    await setting.clock.pass(0)
    expect(setting.steps).toEqual([500, 500, 1, 500, 500])
    await Promise.all([first, second])
  })

  it('of a session is done at once, because its next message may build on it', async () => {
    const setting = counted()
    const session = setting.driver.openSession({}, PEER)
    void register(setting.driver, many(1_200), over(session))
    expect(listed(setting)).toBe(1_200)
  })

  it('of deregistrations names errors by their place in the whole', async () => {
    const setting = counted()
    const { driver } = setting
    void register(driver, many(1_200), PEER)
    await setting.clock.pass(0)
    const refs = many(1_200).map(({ namespace, service, group, id }) => ({ namespace, service, group, id }))
    refs[1_100] = { ...ORDERS, group: 'default', id: 'a b' }
    const done = driver.execute(
      { kind: 'deregister', refs: refs.map((ref) => ({ ...ref, incarnation: 1 })) },
      PEER,
    )
    await setting.clock.pass(0)
    const { answer } = await done
    expect(answer.removed).toHaveLength(1_199)
    expect(answer.errors).toMatchObject([{ field: 'instances[1100].id' }])
  })
})

describe('overrides of very many', () => {
  it('are made and taken back in slices, each refused by its place in the whole', async () => {
    const setting = counted()
    const { driver } = setting
    void register(driver, many(1_200), PEER)
    await setting.clock.pass(0)
    const refs = many(1_200).map(({ namespace, service, group, id }) => ({ namespace, service, group, id }))
    refs[1_100] = { ...ORDERS, group: 'default', id: 'stranger' }
    for (const kind of ['override', 'clearOverrides'] as const) {
      setting.steps.length = 0
      const done = driver.execute({ kind, refs, ...(kind === 'override' ? { drain: true } : {}) }, PEER)
      expect(await pending(done)).toBe(true)
      await setting.clock.pass(0)
      expect(setting.steps).toEqual([500, 500, 199])
      const { answer } = await done
      expect(answer).toHaveLength(1_200)
      expect(answer.filter(({ ok }) => !ok)).toMatchObject([{ error: { field: 'instances[1100]' } }])
    }
  })

  it('that make no sense are refused before anything is done', async () => {
    const setting = counted()
    const { driver } = setting
    void register(driver, many(1_200), PEER)
    await setting.clock.pass(0)
    setting.steps.length = 0
    const refs = many(1_200).map(({ namespace, service, group, id }) => ({ namespace, service, group, id }))
    await expect(driver.execute({ kind: 'override', refs, weight: -1 }, PEER)).rejects.toMatchObject({
      code: 'invalid_argument',
    })
    expect(setting.steps).toEqual([])
  })
})

describe('a removal by host', () => {
  it('is planned as a whole and done in slices', async () => {
    const setting = counted()
    const { driver } = setting
    void register(driver, many(1_200), PEER)
    await setting.clock.pass(0)
    const removal = { kind: 'deregisterHost', namespace: '*', host: '10.0.0.1' } as const
    await expect(driver.execute({ ...removal, confirm: false }, PEER)).rejects.toMatchObject({
      code: 'needs_confirmation',
    })
    const done = driver.execute({ ...removal, confirm: true }, PEER)
    void register(driver, [command({ id: 'i1100', incarnation: 2 })], PEER)
    setting.steps.length = 0
    await setting.clock.pass(0)
    expect(setting.steps).toEqual([500, 199])
    const { answer } = await done
    expect([answer.removed.length, answer.superseded]).toEqual([
      1_199,
      [expect.objectContaining({ id: 'i1100' })],
    ])
  })
})
