/** Indices of blocking queries: they only rise, they move with what they are of, and none of them stalls a client. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HandRegistry, PEER } from './registry.fixture.js'

const body = (name: string, id: string, more: object = {}): object => ({
  Name: name,
  ID: id,
  Address: '10.0.0.1',
  Port: 80,
  Check: { TTL: '10s' },
  ...more,
})

async function deregister(registry: HandRegistry, service: string, id: string): Promise<void> {
  const refs = [{ namespace: 'default', service, group: 'default', id }]
  await registry.door.execute({ kind: 'deregister', refs }, PEER)
}

describe('an index', () => {
  it('rises with the first registration, each turn of a check, and the last deregistration', async () => {
    const registry = new HandRegistry()
    const seen: number[] = [registry.changes.index('web')]
    const note = (): number => seen.push(registry.changes.index('web'))
    await registry.register(body('web', 'a'))
    note()
    await registry.beat('service:a')
    note()
    await registry.pass(10_500)
    note()
    await registry.beat('service:a')
    note()
    await deregister(registry, 'web', 'a')
    note()
    await registry.register(body('web', 'a'))
    note()
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('of one service stays where it is when another one changes, or leaves', async () => {
    const registry = new HandRegistry()
    await registry.register(body('web', 'a'))
    const before = registry.changes.index('web')
    await registry.register(body('other', 'b'))
    await registry.beat('service:b')
    await registry.beat('service:b')
    await deregister(registry, 'other', 'b')
    expect(registry.changes.index('web')).toBe(before)
  })

  it('never goes back, whatever happens', async () => {
    const services = ['s0', 's1', 's2']
    const step = fc.record({
      kind: fc.constantFrom('register', 'beat', 'fail', 'deregister', 'pass'),
      n: fc.nat(5),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const registry = new HandRegistry()
        const last = new Map<string, number>()
        for (const { kind, n } of steps) {
          const service = services[n % 3] as string
          const id = `i${n}`
          if (kind === 'register') await registry.register(body(service, id))
          else if (kind === 'deregister') await deregister(registry, service, id)
          else if (kind === 'pass') await registry.pass(4_000)
          else await registry.beat(`service:${id}`, kind === 'beat' ? 'passing' : 'critical')
          for (const each of [...services, 'all']) {
            const index = registry.changes.index(each === 'all' ? undefined : each)
            expect(index).toBeGreaterThanOrEqual(last.get(each) ?? 1)
            last.set(each, index)
          }
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('a wait', () => {
  const outcome = (wait: { changed: Promise<boolean> }): { value: boolean | undefined } => {
    const found: { value: boolean | undefined } = { value: undefined }
    void wait.changed.then((changed) => (found.value = changed))
    return found
  }

  it('ends with a change of its service, with the time, or when it is given up', async () => {
    const registry = new HandRegistry()
    await registry.register(body('web', 'a'))
    const { changes } = registry
    await registry.pass(300)
    const index = changes.index('web')
    const [changed, timed, given] = [30_000, 1_000, 30_000].map((ms) => changes.wait('web', index, ms))
    if (changed === undefined || timed === undefined || given === undefined) throw new Error('three waits')
    const found = [changed, timed, given].map(outcome)
    given.cancel()
    await registry.pass(1_000)
    expect(found.map(({ value }) => value)).toEqual([undefined, false, false])
    await registry.register(body('other', 'b'))
    await registry.pass(300)
    expect(found[0]?.value).toBeUndefined()
    await registry.beat('service:a')
    await registry.pass(300)
    expect(found[0]?.value).toBe(true)
    expect(changes.waits).toBe(0)
  })

  it('of a client that shows any other index is over at once: an older one, or a larger one of another node', () => {
    const registry = new HandRegistry()
    const { changes } = registry
    const index = changes.index('web')
    for (const seen of [1, index - 1, index + 1, Number.MAX_SAFE_INTEGER, 1e20])
      changes.wait('web', seen, 30_000)
    expect(changes.waits).toBe(0)
    changes.wait('web', index, 30_000).cancel()
  })

  it('of all is woken by any change, once for many of them', async () => {
    const registry = new HandRegistry()
    await registry.pass(1_000)
    const wait = outcome(registry.changes.wait(undefined, registry.changes.index(), 30_000))
    for (let n = 0; n < 20; n++) await registry.register(body(`s${n}`, `i${n}`))
    expect(wait.value).toBeUndefined()
    await registry.pass(300)
    expect(wait.value).toBe(true)
  })
})

describe('what was registered before', () => {
  it('is known again after a restart: by its checks, with what was said of them', async () => {
    const before = new HandRegistry()
    await before.register(body('web', 'h#1/%'))
    await before.beat('service:h#1/%')
    await before.register(body('web', 'fresh'))
    const after = new HandRegistry(before.node.snapshot())
    expect(after.statuses('web')).toEqual({ 'service:h#1/%': 'passing', 'service:fresh': 'critical' })
    expect(after.checks.book.byId('h#1/%')).toBeDefined()
    await after.pass(5_000)
    expect(await after.beat('service:h#1/%')).toBe(true)
    await after.pass(8_000)
    expect(after.statuses('web')).toMatchObject({ 'service:h#1/%': 'passing' })
  })
})
