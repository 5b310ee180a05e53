/** Indices of blocking queries: they only rise, they move with what they are of, and none of them stalls a client. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HandClock } from '@rollcall/testkit/time'
import { keyOf } from './mapping.js'
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
    const [changed, timed, given] = [30_000, 1_000, 30_000].map((ms) => changes.wait('web', ms))
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

  it('of all is woken by any change, once for many of them', async () => {
    const registry = new HandRegistry()
    await registry.pass(1_000)
    const wait = outcome(registry.changes.wait(undefined, 30_000))
    for (let n = 0; n < 20; n++) await registry.register(body(`s${n}`, `i${n}`))
    expect(wait.value).toBeUndefined()
    await registry.pass(300)
    expect(wait.value).toBe(true)
  })
})

describe('a client that shows', () => {
  const WAIT_MS = 300_000

  it('the present index waits for as long as it likes, and one that no node gave out not at all', () => {
    const { changes } = new HandRegistry()
    const index = changes.index('web')
    expect(changes.patience('web', index, WAIT_MS)).toBe(WAIT_MS)
    for (const seen of [1, 4_095, 1e20]) expect(changes.patience('web', seen, WAIT_MS)).toBe(0)
  })

  it('an older index is answered at once after a change, and a moment later where that was long ago', async () => {
    const registry = new HandRegistry()
    const { changes } = registry
    await registry.register(body('web', 'a'))
    await registry.pass(3_000)
    const index = changes.index('web')
    await registry.beat('service:a')
    expect(changes.patience('web', index, WAIT_MS)).toBe(0)
    await registry.pass(5_000)
    expect(changes.patience('web', index, WAIT_MS)).toBe(250)
    expect(changes.patience('web', index, 100)).toBe(100)
  })

  it('the index of an earlier boot waits for ten seconds where nothing changed, be it larger', async () => {
    const clock = new HandClock(50_000_000)
    const before = new HandRegistry([], 'node-1', clock)
    await before.register(body('web', 'a'))
    const after = new HandRegistry(before.node.snapshot(), 'node-1')
    const [seen, own] = [before.changes.index('web'), after.changes.index('web')]
    expect(seen).toBeGreaterThan(own)
    expect(after.changes.patience('web', seen, WAIT_MS)).toBe(10_000)
    // It is not sent back to the beginning by a smaller one.
    expect(after.changes.index('web', seen)).toBe(seen)
    await after.beat('service:a')
    await after.pass(3_000)
    expect(after.changes.patience('web', seen, WAIT_MS)).toBe(250)
    expect(after.changes.index('web', seen)).toBeLessThan(seen)
  })

  it('the index of another node waits for what it does not have, at whichever it asks', async () => {
    const [one, two] = twoNodes()
    await one.register(body('web', 'a'))
    two.learn(one)
    await one.pass(3_000, two)
    const shown = { web: one.changes.index('web'), all: one.changes.index() }
    expect(two.changes.index('web')).not.toBe(shown.web)
    expect(two.changes.patience('web', shown.web, WAIT_MS)).toBe(10_000)
    expect(two.changes.patience(undefined, shown.all, WAIT_MS)).toBe(10_000)
    const waits = [two.changes.wait('web', 10_000), two.changes.wait(undefined, 10_000)].map(({ changed }) =>
      changed.then((value) => value),
    )
    await one.beat('service:a')
    // What one node has found out is not what the other lists yet: a client that goes there with it is held for a moment only.
    expect(two.changes.patience('web', one.changes.index('web'), WAIT_MS)).toBe(250)
    two.learn(one)
    await one.pass(300, two)
    expect(await Promise.all(waits)).toEqual([true, true])
    expect(two.changes.patience('web', one.changes.index('web'), WAIT_MS)).toBe(10_000)
  })
})

describe('several nodes', () => {
  it('say the same of a TTL that ran out at the one that judges it, and of a check that failed there', async () => {
    const [one, two] = twoNodes()
    await one.register(body('web', 'a'))
    const Check = { HTTP: 'http://10.0.0.1:80/', Interval: '1s' }
    await one.register(body('web', 'b', { Check }))
    await one.beat('service:a')
    await one.pass(2_000, two)
    two.learn(one)
    expect(two.statuses('web')).toEqual({ 'service:a': 'passing', 'service:b': 'passing' })
    one.network = ({ type }) => (type === 'http' ? ['failed', 'status 503'] : ['succeeded'])
    await one.pass(8_500, two)
    two.learn(one)
    expect(one.statuses('web')).toEqual({ 'service:a': 'critical', 'service:b': 'critical' })
    expect(two.statuses('web')).toEqual(one.statuses('web'))
    // Natively silence is judged by the core, for which the TTL is half a lease.
    expect(one.states('web')).toEqual(['up', 'suspect'])
  })

  it('leave the checks to the one that judges, and to the one that takes over with a whole TTL before it', async () => {
    const [one, two] = twoNodes()
    const { key } = one.checks.book.of(keyOf(await one.register(body('web', 'a')))) ?? {}
    if (key === undefined) throw new Error('it is in the book')
    await one.beat('service:a')
    two.learn(one)
    let asked = 0
    two.network = () => (asked++, ['succeeded'])
    // It beats at the first node, and the second one hears nothing of that.
    for (let beats = 0; beats < 5; beats++) {
      await one.pass(9_000, two)
      await one.beat('service:a')
    }
    two.learn(one)
    expect([two.statuses('web'), asked]).toEqual([{ 'service:a': 'passing' }, 0])
    // The first one dies just after a beat.
    await two.pass(500)
    two.adopt(key)
    await two.pass(9_000)
    expect(two.statuses('web')).toEqual({ 'service:a': 'passing' })
    await two.beat('service:a')
    await two.pass(9_000)
    expect(two.statuses('web')).toEqual({ 'service:a': 'passing' })
    await two.pass(1_500)
    expect(two.statuses('web')).toEqual({ 'service:a': 'critical' })
  })

  it('go on asking endpoints where a node is lost, and find them dead', async () => {
    const [one, two] = twoNodes()
    const Check = { HTTP: 'http://10.0.0.1:80/', Interval: '1s' }
    const key = keyOf(await one.register(body('web', 'b', { Check })))
    await one.pass(2_000, two)
    two.learn(one)
    two.adopt(key)
    await two.pass(2_000)
    expect([two.statuses('web'), two.states('web')]).toEqual([{ 'service:b': 'passing' }, ['up']])
    two.network = () => ['refused']
    await two.pass(1_300)
    expect([two.statuses('web'), two.states('web')]).toEqual([{ 'service:b': 'critical' }, ['down']])
  })

  it('show what is natively down as critical, where no node is left that makes its checks', async () => {
    const [one, two] = twoNodes()
    await one.register(body('web', 'a'))
    await one.beat('service:a')
    const record = one.node.directory.entry(keyOf({ name: 'web', id: 'a' }))?.record
    if (record === undefined) throw new Error('it is registered')
    const verdict = { ...record.verdict, value: 'down', reason: 'refused', claim: 2, node: 'node-3' } as const
    two.node.learn([{ kind: 'record', record: { ...record, verdict } }], two.clock.now())
    expect(two.statuses('web')).toEqual({ 'service:a': 'critical' })
  })
})

/** Two nodes that learn of each other when the test says so. */
function twoNodes(): readonly [HandRegistry, HandRegistry] {
  const clock = new HandClock(1_000_000)
  const one = new HandRegistry([], 'node-1', clock)
  clock.advance(7)
  return [one, new HandRegistry([], 'node-2', clock)]
}

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
